"""Clock reports: paths that add up, the choice by CLOCK_PS, refusals."""
import collections
import contextlib
import gzip
import json
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
import area  # noqa: E402
import blocks  # noqa: E402
import frame  # noqa: E402
import job  # noqa: E402
import liberty  # noqa: E402
import opensta  # noqa: E402
import structure  # noqa: E402
import targets  # noqa: E402
import timing as timing_command  # noqa: E402

pytestmark = pytest.mark.skipif(not shutil.which("sta"), reason="there is no sta; package opensta has it")
# The smallest elements there are, mapped in no time.
TOY = ("--format", "e2m1", "--acc-format", "e5m7", "--lo-bits", 1, "--window", 2)


@pytest.fixture
def timing(run, root):
    """Runs timing.py on a directory; its JSON and what it printed."""

    def call(directory, *words):
        done = run("/usr/bin/python3", root / "synth/timing.py", directory, *words)
        assert done.returncode == 0, done.stderr
        return json.loads((directory / "timing.json").read_text()), done.stdout

    return call


@pytest.fixture
def refuse(refused, root):
    def call(directory, *words, status, text, **options):
        return refused("/usr/bin/python3", root / "synth/timing.py", directory, *words, status=status, text=text, **options)

    return call


@pytest.mark.early
def test_clock_of_a_small_array(emit, timing):
    array = emit("tiny", *TOY, "--c0-rows", 2, "--result-rows", 2, "--clock-gating", "on")
    found, table = timing(array)
    assert found["library"] == "osu018_stdcells" and found["opensta"] and found["yosys"]
    assert [tried["recipe"] for tried in found["tries"]] == [recipe.name for recipe in targets.SPEED_RECIPES]
    assert found["period_ns"] == min(tried["period_ns"] for tried in found["tries"]) > 0
    assert found["clock_mhz"] == pytest.approx(1000 / found["period_ns"], rel=1e-3)
    assert found["macs_per_s_per_mm2"] == pytest.approx(2 / (found["period_ns"] * 1e-9) / (found["um2"] * 1e-6), rel=1e-3)
    # A path is its cells and the setup of the flip-flop at its end; the period is the longest inside an element.
    assert set(found["paths"]) == {"element", "edges", "ports", "clock gates"}
    # A clock gate's has half of it.
    paths = dict(found["paths"])
    gates = paths.pop("clock gates")
    assert "gate.u_or" in gates["to"] and gates["ns"] == pytest.approx(2 * sum(point["ns"] for point in gates["points"]), abs=2e-3)
    for name, path in paths.items():
        assert path["setup_ns"] + sum(point["ns"] for point in path["points"]) == pytest.approx(path["ns"], abs=2e-3), name
    longest = found["paths"]["element"]
    assert longest["ns"] == found["period_ns"] and longest["setup_ns"] > 0
    assert longest["points"][0]["cell"].startswith("DFF") and ".u_pe." in longest["to"]
    assert set(found["array"]["ns"]) == set(found["array"]["wired_ns"]) == set(found["paths"])
    assert max(ns for name, ns in found["array"]["ns"].items() if name not in ("edges", "ports")) == pytest.approx(found["period_ns"], abs=2e-3)
    named = found["blocks"]
    assert sum(ns for _, ns in named["split"]) == pytest.approx(found["period_ns"], abs=2e-3)
    assert named["split"][-1][0] == "setup" and {name for name, _ in named["split"][:-1]} <= set(structure.ORDER)
    assert named["from"].startswith("u_") and named["to"].startswith("u_") and named["to"] in table
    assert found["paths"]["edges"]["ns"] == found["edges_ns"]
    assert f"{found['um2']:,.0f}" in table and f"{found['period_ns']:.2f}" in table
    clock = max(found["period_ns"], found["edges_ns"])
    assert f"set period {clock:.2f}\n" in (array / "timing.sdc").read_text()
    # Nothing is left behind, and asking again changes nothing.
    assert not [name for name in os.listdir(array) if name.startswith(".")]
    assert timing(array) == (found, table)


def test_a_clock_takes_the_smallest_that_meets_it():
    tries = [{"period_ns": period, "um2": size} for period, size in ((9.0, 70), (8.0, 90), (8.5, 80), (8.4, 95), (8.0, 85))]
    assert timing_command.chosen(tries, None) == {"period_ns": 8.0, "um2": 85}
    assert timing_command.chosen(tries, 8600) == {"period_ns": 8.5, "um2": 80}
    assert timing_command.chosen(tries, 8000) == {"period_ns": 8.0, "um2": 85}
    assert timing_command.chosen(tries, 7999) == {"period_ns": 8.0, "um2": 85}
    report = {"options": {"streams": 2}, "library": "l", "tries": [], "paths": {}, "recipe": "r", "period_ns": 8.0,
              "blocks": {"from": "a", "to": "b", "split": []}}
    for clock, text in ((None, "* the fastest"), (8000, "* the smallest at 8 ns"), (7999, "MISSED")):
        assert any(text in line for line in timing_command.lines({**report, "clock_ps": clock})), clock


def test_reports_of_paths_are_read():
    report = """Startpoint: a._1_ (rising edge-triggered flip-flop clocked by clk_i)
Endpoint: a._2_ (rising edge-triggered flip-flop clocked by clk_i)
   0.0000    0.0000   clock clk_i (rise edge)
   0.1500    0.1500 v a._1_/Q (DFF)
   0.2500    0.4000 ^ a._3_/Y (INV)
             0.4000   data arrival time
  -0.2000    0.8000   library setup time
-------
             0.4000   slack (MET)
"""
    path, = opensta.paths(report)
    assert [(point.pin, point.delay) for point in path.points] == [("a._1_/Q", 0.15), ("a._3_/Y", 0.25)]
    assert (path.start, path.end, path.slack, path.setup, path.needs(1.0)) == ("a._1_", "a._2_", 0.4, 0.2, 0.6)
    ends = opensta.summary("a._1_/Q (DFF)   a._2_/D (DFF)   0.40\nx[1] (input)  a._2_/D (DFF)  -1.25\n")
    assert [(end.slack, end.from_port, end.to_port) for end in ends] == [(-1.25, True, False), (0.4, False, False)]


def test_refusals(emit, refuse, tmp_path):
    array = emit("tiny", *TOY)
    refuse(tmp_path, status=2, text="is not a directory that daagen wrote")
    refuse(array, "--clock-ps", "0", status=2, text="CLOCK_PS is 0")
    refuse(array, "--liberty", tmp_path / "none.lib", status=1, text="LIBERTY must be a Liberty file")
    text = area.LIBERTY.read_text()
    cut = tmp_path / "cut.lib.gz"
    cut.write_bytes(gzip.compress(text[:len(text) // 2].encode()))
    refuse(array, "--liberty", cut, status=1, text="is never closed")
    bare = tmp_path / "bare.lib"
    bare.write_text("""library(bare) {
      cell(INV) { area : 1; pin(A) { direction : input; } pin(Y) { direction : output; function : "A'"; } }
      cell(NAND2) { area : 1.5; pin(A) { direction : input; } pin(B) { direction : input; }
        pin(Y) { direction : output; function : "(A B)'"; } }
      cell(DFF) { area : 6; ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; }
        pin(C) { direction : input; clock : true; } pin(D) { direction : input; } pin(Q) { direction : output; function : "IQ"; } }
    }""")
    refuse(array, "--liberty", bare, status=1, text="gates without delays; timing needs them")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "yosys").symlink_to(shutil.which("yosys"))
    refuse(array, status=1, text="there is no sta; package opensta has it", env={**os.environ, "PATH": str(tools)})
    assert not (array / "timing.json").exists()


def bits(**nets):
    return {name.replace("__", "."): {"hide_name": 0, "bits": found} for name, found in nets.items()}


def test_gates_find_their_block_again():
    """A register, u_a computing an AND, u_b an XOR of it; mapped into other gates without names."""
    ports = {"x": {"direction": "input", "bits": [2, 3]}}
    written = {"ports": ports, "netnames": bits(x=[2, 3], u_a__x_i=[2, 3], u_a__y_o=[4], u_b__y_i=[4], u_b__z_o=[5], u_r__q=[6]), "cells": {
        "g1": {"type": "$_AND_", "connections": {"A": [2], "B": [3], "Y": [4]}},
        "g2": {"type": "$_XOR_", "connections": {"A": [4], "B": [6], "Y": [5]}},
        "r": {"type": "$_DFF_P_", "connections": {"C": [9], "D": [5], "Q": [6]}}}}
    mapped = {"ports": ports, "netnames": bits(x=[2, 3], u_r__q=[7]), "cells": {
        "_1_": {"type": "NAND2X1", "connections": {"A": [2], "B": [3], "Y": [10]}},
        "_2_": {"type": "XNOR2X1", "connections": {"A": [10], "B": [7], "Y": [11]}},
        "_3_": {"type": "BUFX2", "connections": {"A": [11], "Y": [12]}},
        "_4_": {"type": "NOR2X1", "connections": {"A": [12], "B": [2], "Y": [13]}},
        "_5_": {"type": "DFFPOSX1", "connections": {"CLK": [9], "D": [13], "Q": [7]}}}}
    library = area.load_library(area.LIBERTY)
    found = blocks.Blocks(written, mapped, library, {"u_a": "multiplier", "u_b": "sum", "u_r": "register"})
    assert found.net_name("_5_") == "u_r.q[0]"
    path = [("_5_", 0.5), ("_1_", 1.0), ("_2_", 2.0), ("_3_", 4.0), ("_4_", 8.0)]
    assert found.split(path, "_5_") == [["register", 0.5], ["multiplier", 1.0], ["sum", 6.0], ["register", 8.0]]


@pytest.fixture
def flow(emit):
    """A Flow of a toy array of that many rows and columns, in a scratch place."""
    with contextlib.ExitStack() as stack:
        def call(rows, columns):
            emitted = job.Emitted(emit("tiny", *TOY, "--rows", rows, "--cols", columns))
            work = stack.enter_context(job.scratch(emitted.directory))
            target = targets.Cells(liberty.load(job.LIBERTY), None)
            target.prepare(work, emitted)
            return timing_command.Flow(emitted, target, job.Yosys(emitted.directory, work))

        yield call


@pytest.mark.early
def test_the_array_without_what_repeats_is_as_fast_as_the_whole(flow, monkeypatch):
    """Nothing buffered: then the frame has the paths of the array with everything in it."""
    monkeypatch.setattr(timing_command, "ROWS_COLS", (4, 5))
    monkeypatch.setattr(frame, "SINKS", 1000)
    whole, recipe = flow(4, 5), targets.SPEED_RECIPES[0]
    want = whole.measure(recipe)["worst"]
    found = whole.array(recipe)
    assert found["buffers"] == found["levels"] == 0
    for kind, path in want.items():
        assert found["ns"][kind] == pytest.approx(path.needs(timing_command.PERIOD), abs=2e-3), kind
        assert found["wired_ns"][kind] > found["ns"][kind]


@pytest.mark.early
def test_nets_between_units_get_trees_of_buffers(flow):
    """A row of C0 comes into 20 columns at once: two levels of four."""
    array = flow(2, 20)
    found = array.array(targets.SPEED_RECIPES[0])
    assert found["levels"] == 2 and found["buffers"] > 10
    design = json.loads((array.yosys.work / "framed.json").read_text())["modules"]
    top = design["daa_array"]
    driven = collections.Counter(bit for cell in top["cells"].values() if cell["type"] in design for port, bits in cell["connections"].items()
                                 if design[cell["type"]]["ports"][port]["direction"] == "input" for bit in bits)
    clock = top["ports"]["clk_i"]["bits"][0]
    assert max(number for bit, number in driven.items() if isinstance(bit, int) and bit != clock) <= frame.SINKS
