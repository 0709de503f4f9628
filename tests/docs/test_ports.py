"""The array's ports stand in one list, gen/ports.c; what is written by hand beside it says the same."""
import re

import pytest

from conftest import ROOT

PORT = re.compile(r"^ +(input|output) +wire +(?:\[(.+)-1:0\])? *(\w+),? *//", re.M)
WIDTHS = {"a_data_i": "Rows S AW", "b_data_i": "Cols S BW", "c0_data_i": "Cols CW", "c_data_o": "Cols OW"}


def emitted(directory):
    """name -> (direction, range) of the array's ports, in its order."""
    text = (directory / "rtl/daa_array.v").read_text()
    ports = {name: (direction, of) for direction, of, name in PORT.findall(text[:text.index(");")])}
    assert len(ports) > 15
    return ports


def data_sheet():
    """name -> (direction, bits) by the table."""
    section = (ROOT / "docs/datasheet.md").read_text().split("## Ports")[1].split("##")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`(\w+)`", cells[0])
        for name, direction in zip(names, cells[1].split(", ") if names else ()):
            found[name] = direction, cells[2]
    return found


def test_the_data_sheet_has_every_port(emit):
    ports, table = emitted(emit("tiny")), data_sheet()
    assert list(table) and set(table) == set(ports)
    for name, (direction, of) in ports.items():
        assert table[name] == ({"input": "in", "output": "out"}[direction], WIDTHS.get(name, "1")), name
        assert bool(of) == (name in WIDTHS), name


def test_the_widths_are_what_the_data_sheet_says(emit):
    directory = emit("tiny", "--a-format", "e4m3", "--b-format", "bf16", "--out-format", "fp16", name="widths")
    values = dict(re.findall(r"^#define DAA_(\w+)_WIDTH (\d+)$", (directory / "daa_config.h").read_text(), re.M))
    for name, words in WIDTHS.items():
        lines, *streams, width = words.split()
        side = {"AW": "A", "BW": "B", "CW": "ACC", "OW": "OUT"}[width]
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
