"""No emitted identifier is a word of Verilog, SystemVerilog, Verilog-AMS or VHDL."""
import collections
import re

import pytest

import arrays

CASES = {
    "paper": "--config paper", "baseline": "--config baseline", "fp8": "--config fp8", "quad": "--config quad",
    "rotate": "--policy rotate --streams 4 --pipeline 3", "anchored": "--accumulator anchored",
    "low2": "--config low2 --specials off --out-format fp16", "core": "--config fp8 --core on",
}


def keywords():
    """language -> its words"""
    words = collections.defaultdict(set)
    for line in (arrays.HERE / "keywords.txt").read_text().splitlines():
        if not line.startswith("#"):
            language, _, some = line.partition(": ")
            words[language] |= set(some.split())
    return words


def identifiers(text):
    """Every word that is neither a keyword of Verilog, nor in a comment or a string, nor a number, task or directive."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r'"[^"\n]*"|//.*', " ", text)
    text = re.sub(r"\d*'s?[bodhBODH]\s*[0-9a-fA-FxXzZ_]+|[$`]\w+", " ", text)
    return set(re.findall(r"\b[a-zA-Z_]\w*", text)) - keywords()["verilog"]


def test_the_words_are_told_apart():
    assert identifiers("""wire [3:0] inf = 4'hf & x_1; // signal all
        $display("type %d", $signed(b)); `default_nettype none
        /* from
           to */ assign q2 = inf;""") == {"inf", "x_1", "b", "none", "q2"}
    assert all(len(words) > 60 for words in keywords().values()) and len(keywords()) == 4


@pytest.mark.parametrize("name", CASES)
def test_no_identifier_is_a_keyword(name, tmp_path):
    array = arrays.emit(tmp_path / "array", *CASES[name].split(), "--rows", 2, "--cols", 2)
    words, count = keywords(), 0
    for path in sorted(array.rglob("*.v")):
        found = identifiers(path.read_text())
        count += len(found)
        for language in ("systemverilog", "ams"):
            assert not found & words[language], f"{path.name}, {language}"
        assert not {one.lower() for one in found} & words["vhdl"], f"{path.name}, vhdl"
    assert count > 300
