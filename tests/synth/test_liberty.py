"""The Liberty reader: what it finds in a library, which cells it lets through, what it refuses and how it says so."""
import gzip
import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
import liberty  # noqa: E402
from job import LIBERTY as OSU  # noqa: E402


GATES = """
  cell(INV) { area : 1; pin(A) { direction : input; } pin(Y) { direction : output; function : "A'"; } }
  cell(ND) { area : 2; pin(A) { direction : input; } pin(B) { direction : input; }
    pin(Y) { direction : output; function : "(A B)'"; } }
  cell(NAND_BIG) { area : 3; pin(A) { direction : input; } pin(B) { direction : input; }
    pin(Y) { direction : output; function : "!A + !B"; } }
"""
FLOP = """
  cell(DFF) { area : 8; ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    pin(C) { direction : input; clock : true; } pin(D) { direction : input; } pin(Q) { direction : output; function : "IQ"; } }
"""
TRAPS = {
    "dont_use": 'cell(T) { area : 0.1; dont_use : true; pin(A) { direction : input; } pin(B) { direction : input; } '
                'pin(Y) { direction : output; function : "(A B)\'"; } }',
    "tri-state": 'cell(T) { area : 0.1; pin(A) { direction : input; } pin(E) { direction : input; } '
                 'pin(Y) { direction : output; function : "A"; three_state : "E\'"; } }',
    "latch": 'cell(T) { area : 0.1; latch(IQ, IQN) { enable : "G"; data_in : "D"; } pin(G) { direction : input; } '
             'pin(D) { direction : input; } pin(Q) { direction : output; function : "IQ"; } }',
    "no area": 'cell(T) { pin(A) { direction : input; } pin(Y) { direction : output; function : "A\'"; } }',
    "isolation": 'cell(T) { area : 0.1; is_isolation_cell : true; pin(A) { direction : input; } '
                 'pin(Y) { direction : output; function : "A\'"; } }',
    "clock gate": 'cell(T) { area : 0.1; clock_gating_integrated_cell : "latch_posedge"; pin(A) { direction : input; } '
                  'pin(Y) { direction : output; function : "A\'"; } }',
    "two outputs": 'cell(T) { area : 0.1; pin(A) { direction : input; } pin(B) { direction : input; } '
                   'pin(S) { direction : output; function : "A ^ B"; } pin(C) { direction : output; function : "A B"; } }',
    "no function": 'cell(T) { area : 0.1; pin(Y) { direction : output; } }',
}


def library(*parts, name="mini"):
    return liberty.Library(f"library({name}) {{{''.join(parts)}}}")


def test_smallest_nand_and_flop_by_function():
    found = library(GATES, FLOP)
    assert (found.nand2.name, found.nand2.area) == ("ND", 2)
    assert found.flop.name == "DFF"
    assert not found.timed


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_are_cut_out(trap):
    found = library(GATES, TRAPS[trap], FLOP)
    assert [cell.name for cell in found.refused] == ["T"]
    assert "cell(T)" not in found.text and "cell(DFF)" in found.text
    assert liberty.Library(found.text).refused == []


def test_osu():
    found = liberty.load(OSU)
    assert found.name == "osu018_stdcells"
    assert (found.nand2.name, found.nand2.area) == ("NAND2X1", 24)
    assert found.timed
    assert {cell.name for cell in found.refused} == {"FAX1", "HAX1", "LATCH", "TBUFX1", "TBUFX2"}


def test_gzip_reads_the_same(tmp_path):
    path = tmp_path / "cells.lib.gz"
    path.write_bytes(gzip.compress(OSU.read_bytes(), mtime=0))
    assert liberty.load(path).text == liberty.load(OSU).text


FUNCTIONS = {
    "A B": lambda a, b, c: a and b,
    "A*B + C": lambda a, b, c: (a and b) or c,
    "(A & B) | !C": lambda a, b, c: (a and b) or not c,
    "A ^ B C": lambda a, b, c: (a != b) and c,
    "(A+B)'": lambda a, b, c: not (a or b),
    "A'' B'": lambda a, b, c: a and not b,
    "!(A ^ B ^ C)": lambda a, b, c: not ((a != b) != c),
    "A + 0 + B 1": lambda a, b, c: a or b,
}


@pytest.mark.parametrize("text", FUNCTIONS)
def test_functions(text):
    function = liberty.Function(text)
    for bits in itertools.product((False, True), repeat=3):
        assert function.evaluate(dict(zip("ABC", bits))) == FUNCTIONS[text](*bits), bits


def test_genlib_computes_the_same():
    """Every OSU gate, read back from the form that abc gets when there are no delays."""
    found = liberty.load(OSU)
    lines = [line for line in found.genlib().split("\n") if line.startswith("GATE ") and "CONST" not in line]
    assert len(lines) == len(found.gates) > 20
    for line, cell in zip(lines, found.gates):
        _, name, area, rest = line.split(maxsplit=3)
        assert (name, float(area)) == (cell.name, cell.area)
        assert liberty.Function(rest.split("=")[1].split(";")[0]).table() == cell.function().table()


BROKEN = {
    "empty": ("", "does not begin with `library"),
    "prose": ("this is no library", "does not begin with `library"),
    "no cells": ("library(x) { }", "no cells"),
    "unclosed library": ("library(x) {" + GATES + FLOP, "never closed"),
    "unclosed cell": ("library(x) {" + GATES + FLOP.rstrip().rstrip("}") + "\n}", "never closed"),
    "a brace too many": ("library(x) {" + GATES + FLOP + "}}", "more after the library"),
    "unclosed string": ("library(x) {" + GATES + FLOP + 'a : "b; }', "no end"),
    "unclosed comment": ("library(x) {" + GATES + FLOP + "/* }", "no end"),
    "unclosed table": ("library(x) { lu_table_template(t) { variable_1 : a; " + GATES + FLOP + "}", "never closed"),
    "unclosed brackets": ("library(x) { cell(A { } }", "never closed"),
    "area": ("library(x) {" + GATES.replace("area : 1", "area : big") + FLOP + "}", "area is 'big'"),
    "function": ("library(x) {" + GATES.replace("(A B)'", "(A B") + FLOP + "}", 'function "(A B" cannot be read'),
    "nested": ("library(x) {" + GATES.replace("(A B)'", "(" * 9000 + "A B" + ")" * 9000) + FLOP + "}", "nested too deeply"),
    "no flip-flop": ("library(x) {" + GATES + "}", "library x has no usable flip-flop"),
    "no NAND": ("library(x) {" + GATES.split("cell(ND)")[0] + FLOP + "}", "library x has no usable 2-input NAND"),
    "no inverter": ("library(x) {" + GATES.replace("\"A'\"", '"A"') + FLOP + "}", "library x has no usable inverter"),
    "binary": ("library(x) {\0}", "not text"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_files_are_refused(what, tmp_path):
    text, said = BROKEN[what]
    path = tmp_path / "broken.lib"
    path.write_text(text)
    with pytest.raises(liberty.LibertyError) as caught:
        liberty.load(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_every_truncation_of_a_library_is_refused(tmp_path):
    data = ("library(x) {" + GATES + FLOP + "}").encode()
    path = tmp_path / "cut.lib"
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(liberty.LibertyError):
            liberty.load(path)


def test_damaged_gzip_is_refused(tmp_path):
    data = gzip.compress(OSU.read_bytes(), mtime=0)
    path = tmp_path / "cut.lib.gz"
    for damaged in (data[:1000], data[:-1], data[:20] + b"\x55" * 50 + data[70:]):
        path.write_bytes(damaged)
        with pytest.raises(liberty.LibertyError, match="gzip data is damaged"):
            liberty.load(path)
