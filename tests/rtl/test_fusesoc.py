"""daa.core in FuseSoC: the targets of an array and of a core, and both as parts of a design."""
import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

FUSESOC = shutil.which("fusesoc", path=f"{ROOT / 'build/tools/bin'}:{os.environ['PATH']}")
pytestmark = pytest.mark.skipif(not FUSESOC, reason="there is no fusesoc; make tools installs it")

DESIGN = """\
CAPI=2:
name: "::pair:1"
filesets:
  rtl:
    files: [pair.v]
    file_type: verilogSource-2005
    depend: ["::left_array", "::right_array"]
targets:
  default:
    filesets: [rtl]
    toplevel: pair
  lint:
    filesets: [rtl]
    toplevel: pair
    flow: lint
    flow_options: {tool: verilator, verilator_options: [-Wno-fatal]}
"""


def fusesoc(place, *words):
    environment = {**os.environ, "HOME": str(place), "XDG_CONFIG_HOME": str(place), "XDG_DATA_HOME": str(place)}
    done = subprocess.run([FUSESOC, "--cores-root", place, *words], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


CORE = ("--core", "on", "--bus-bits", 64, "--block-k", 8)


@pytest.fixture
def emit(daagen, tmp_path):
    def emitted(prefix, *options):
        words = [str(word) for word in options]
        subprocess.run([daagen, "--config", "tiny", "--prefix", prefix, *words, "-o", tmp_path / prefix], check=True)
        return tmp_path / prefix
    return emitted


def instance(directory, module):
    """An instance of a module with every port on a wire of its own name, and the declarations of the wires."""
    text = (directory / f"rtl/{module}.v").read_text()
    head = text[: text.index(");\n\n")]
    ports = re.findall(r"^ *(?:input|output) +wire +(?:\[ *(.+?)\] +)?(\w+?),?(?: *//.*)?$", head, re.M)
    assert len(ports) > 10
    numbers = {name: int(value) for name, value in re.findall(r"parameter integer (\w+) += (\d+)", head)}
    wires = []
    for bounds, name in ports:
        for parameter, value in numbers.items():
            bounds = re.sub(rf"\b{parameter}\b", str(value), bounds)
        wires.append(f"  wire {f'[{bounds}] ' if bounds else ''}{module}_{name};")
    return "\n".join(wires) + f"\n  {module} u_{module} ({', '.join(f'.{name}({module}_{name})' for _, name in ports)});\n"


def test_an_array_and_a_core_are_parts_of_one_design(emit, tmp_path):
    parts = instance(emit("left", "--streams", 1), "left_array") + instance(emit("right", *CORE), "right_core")
    (tmp_path / "pair.v").write_text(f"module pair;\n{parts}endmodule\n")
    (tmp_path / "pair.core").write_text(DESIGN)
    fusesoc(tmp_path, "run", "--target=lint", "::pair")
    (listed,) = tmp_path.glob("build/pair*/lint*/*.eda.yml")
    for name in ("left_array.v", "right_core.v", "pair.v"):
        assert name in listed.read_text()


@pytest.mark.parametrize("options", [(), CORE], ids=["array", "core"])
@pytest.mark.parametrize("target", ["lint", "sim", "sim_verilator"])
def test_own_targets(emit, tmp_path, target, options):
    emit("daa", *options)
    said = fusesoc(tmp_path, "run", f"--target={target}", "::daa_array")
    assert target == "lint" or re.search(r"PASS: \d+ results", said), said
    (listed,) = tmp_path.glob(f"build/daa_array*/{target}/*.eda.yml")
    top = "daa_tb" if target != "lint" else "daa_core" if options else "daa_array"
    assert f"toplevel: {top}\n" in listed.read_text()


@pytest.mark.parametrize("options", [(), pytest.param(CORE, marks=pytest.mark.long)], ids=["array", "core"])
def test_netlist_for_an_ecp5(emit, tmp_path, options):
    emit("daa", *options)
    fusesoc(tmp_path, "run", "--target=ecp5", "::daa_array")
    (netlist,) = tmp_path.glob("build/daa_array*/ecp5/*.json")
    top = json.loads(netlist.read_text())["modules"]["daa_core" if options else "daa_array"]
    kinds = {cell["type"] for cell in top["cells"].values()}
    assert {"LUT4", "TRELLIS_FF", "MULT18X18D"} <= kinds and ("DP16KD" in kinds or "TRELLIS_DPR16X4" in kinds)


BENCH = """\
CAPI=2:
name: "::ours:1"
filesets:
  bench: {files: [ours.v], file_type: verilogSource-2005, depend: ["::daa_array"]}
targets:
  default:
    filesets: [bench]
    toplevel: ours
    flow: sim
    flow_options: {tool: icarus, iverilog_options: [-g2005]}
"""
OURS = """\
module ours;
`include "daa_dut.vh"
  initial begin
    rst_n = 0;
    #30 rst_n = 1;
    #(10 * ResetCycles) if (a_ready === 1) $display("READY");
    $finish;
  end
endmodule
"""


def test_a_bench_of_ones_own_starts_from_daa_dut(emit, tmp_path):
    emit("daa")
    (tmp_path / "ours.v").write_text(OURS)
    (tmp_path / "ours.core").write_text(BENCH)
    assert "READY" in fusesoc(tmp_path, "run", "::ours")


def test_the_example_of_a_board_depends_on_the_core(emit, tmp_path):
    shutil.copytree(ROOT / "examples/ulx3s", tmp_path / "ulx3s")
    emit("daa", *CORE)
    fusesoc(tmp_path, "run", "--target=lint", "::ulx3s")
    fusesoc(tmp_path, "run", "--setup", "::ulx3s")
    (made,) = tmp_path.glob("build/ulx3s*/default/Makefile")
    for word in "yosys", "nextpnr-ecp5", "--85k --package CABGA381", "ulx3s.lpf", "ecppack":
        assert word in made.read_text()
