"""The array's ports stand in one list, gen/ports.c; what is written by hand beside it says the same."""
import json
import re

import pytest

from conftest import ROOT

PORT = re.compile(r"^ +(input|output) +wire +(?:\[(.+)-1:0\])? *(\w+),? *//", re.M)
WIDTHS = {"a_data_i": "Rows S AW", "b_data_i": "Cols S BW", "c0_data_i": "Cols CW", "c_data_o": "Cols OW",
          "c0_state_i": "Cols SB", "c_state_o": "Cols SB"}
CORE = ("--core", "on", "--bus-bits", 64, "--block-k", 8, "--axi-id-bits", 3)


def emitted(directory):
    """name -> (direction, range) of the array's ports, in its order."""
    text = (directory / "rtl/daa_array.v").read_text()
    ports = {name: (direction, of) for direction, of, name in PORT.findall(text[:text.index(");")])}
    assert len(ports) > 15
    return ports


def tables(section):
    """name -> (direction, bits) by each of a section's tables."""
    found = []
    for line in (ROOT / "docs/datasheet.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "port":
            found.append({})
        names = re.findall(r"`(\w+)`", cells[0]) if line.startswith("| `") else []
        for at, name in enumerate(names):
            directions, bits = cells[1].split(", "), cells[2].split(", ")
            assert len(directions) == len(names) and len(bits) in (1, len(names)), line
            found[-1][name] = directions[at], bits[at if len(bits) > 1 else 0]
    return found


DIRECTIONS = {"input": "in", "output": "out"}


def test_the_data_sheet_has_every_port(emit):
    without, with_core = emitted(emit("tiny")), emitted(emit("tiny", *CORE, name="core"))
    always, only_core = tables("Ports")
    assert list(without) and set(always) == set(without)
    assert only_core and set(only_core) == set(with_core) - set(without)
    for name, (direction, of) in with_core.items():
        assert {**always, **only_core}[name] == (DIRECTIONS[direction], WIDTHS.get(name, "1")), name
        assert bool(of) == (name in WIDTHS), name


def test_the_data_sheet_has_every_port_of_the_core(emit):
    text = (emit("tiny", *CORE) / "rtl/daa_core.v").read_text()
    head = text[text.index("module daa_core"):text.index(");")]
    ports = re.findall(r"^ +(input|output) +wire +(?:\[ *(\d+):0\])? *(\w+)", head, re.M)
    table, = tables("The core")
    assert len(ports) > 50 and set(table) == {name for *_, name in ports}
    numbers = {"BW": 64, "BW/8": 8, "ID": 3}
    for direction, highest, name in ports:
        bits = table[name][1]
        assert table[name][0] == DIRECTIONS[direction], name
        assert (numbers[bits] if bits in numbers else int(bits)) == int(highest or 0) + 1, name


def test_the_widths_are_what_the_data_sheet_says(emit):
    directory = emit("tiny", *CORE, "--a-format", "e4m3", "--b-format", "bf16", "--out-format", "fp16", "--block-k", 16, name="widths")
    values = dict(re.findall(r"^#define DAA_(\w+)_WIDTH (\d+)$", (directory / "daa_config.h").read_text(), re.M))
    values["STATE"] = str(json.loads((directory / "daa.json").read_text())["derived"]["state_bits"])
    for name, words in WIDTHS.items():
        lines, *streams, width = words.split()
        side = {"AW": "A", "BW": "B", "CW": "ACC", "OW": "OUT", "SB": "STATE"}[width]
        assert emitted(directory)[name][1] == "*".join([lines, *("2" for _ in streams), values[side]]), name


def test_the_verilated_array_drives_and_reads_every_port(emit):
    """tb/dut.cpp names each, and no other; rst_ni in dut_reset."""
    named = set(re.findall(r"array\.(\w+_n?[io])\b", (ROOT / "tb/dut.cpp").read_text()))
    assert named == set(emitted(emit("tiny")))


@pytest.mark.parametrize("options", [("--config", "paper"), ("--config", "safe4"), ("--policy", "rotate", "--streams", 4)],
                         ids=lambda options: options[1])
def test_lines_of_the_emitted_verilog_fit(options, emit):
    directory = emit(*options[1:2] if options[0] == "--config" else ("tiny", *options))
    lines = [(path.name, number, line) for path in directory.glob("*/*.v") for number, line in enumerate(path.read_text().splitlines(), 1)]
    assert len(lines) > 1000
    assert [(name, number) for name, number, line in lines if len(line) > 120] == []
