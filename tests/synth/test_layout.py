"""Layout: wires read and timed, the netlist with plain names, what other flows read, refusals, one small element placed and routed."""
import json
import os
import pathlib
import shutil
import sys

import numpy
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
import area  # noqa: E402
import job  # noqa: E402
import layout  # noqa: E402
import opensta  # noqa: E402
import wires  # noqa: E402

TOY = ("--format", "e2m1", "--acc-format", "e5m7", "--lo-bits", 1, "--window", 2)
LEF = """LAYER metal1
  TYPE ROUTING ;
  WIDTH 0.5 ;
  RESISTANCE RPERSQ 0.08 ;
  CAPACITANCE CPERSQDIST 4e-05 ;
  EDGECAPACITANCE 8e-05 ;
END metal1
LAYER via
  TYPE CUT ;
END via
LAYER metal2
  TYPE ROUTING ;
  WIDTH 0.3 ;
  CAPACITANCE CPERSQDIST 2e-05 ;
  EDGECAPACITANCE 6e-05 ;
END metal2
"""
ROUTED = """UNITS DISTANCE MICRONS 100 ;
DIEAREA ( 0 0 ) ( 1000 1000 ) ;
NETS 2 ;
- n1
  ( BUFX2_1 Y ) ( INVX1_1 A ) ( INVX1_2 A )
+ ROUTED metal1 ( 0 0 ) ( 1000 * ) M2_M1
  NEW metal2 ( 1000 0 ) ( * 3000 ) ;
- a
  ( PIN a ) ( BUFX2_1 A )
+ ROUTED metal2 ( 0 0 ) ( * 500 ) ;
END NETS
"""
RC = """n1 1 BUFX2_1/Y 2 ( 10 0.001 ( 20 0.003 INVX1_1/A , ( 30 0.002 INVX1_2/A ) ) )
a 1 PIN/a 1 ( 5 0.001 BUFX2_1/A )
"""


def test_wires_by_hand():
    per_um = wires.layers(LEF)
    assert per_um == {"metal1": pytest.approx(0.5 * 4e-5 + 16e-5), "metal2": pytest.approx(0.3 * 2e-5 + 12e-5)}
    assert wires.lengths(ROUTED) == {"n1": {"metal1": 10.0, "metal2": 30.0}, "a": {"metal2": 5.0}}
    trees = wires.extract(LEF, ROUTED, RC)
    net = trees["n1"]
    assert net.branches == [(0, 1, 10.0), (1, 2, 20.0), (2, 3, 30.0)]
    assert net.pins == {"BUFX2_1/Y": 0, "INVX1_1/A": 2, "INVX1_2/A": 3}
    total = 10 * per_um["metal1"] + 30 * per_um["metal2"]
    assert net.loads == {1: pytest.approx(total / 6), 2: pytest.approx(total / 2), 3: pytest.approx(total / 3)}
    with pytest.raises(job.Failed, match="net n9 has resistance but no wires"):
        wires.extract(LEF, ROUTED, "n9 1 BUFX2_1/Y 1 ( 1 1 INVX1_1/A )\n")


@pytest.mark.skipif(not shutil.which("sta"), reason="there is no sta; package opensta has it")
def test_opensta_reads_the_wires(tmp_path):
    trees = wires.extract(LEF, ROUTED, RC)
    (tmp_path / "wires.spef").write_text(wires.spef("two", trees, {"a": "I", "y": "O"}))
    (tmp_path / "two.v").write_text("module two (a, y);\ninput a;\noutput y;\nwire n1;\nwire n2;\nBUFX2 BUFX2_1 ( .A(a), .Y(n1) );\n"
                                    "INVX1 INVX1_1 ( .A(n1), .Y(n2) );\nINVX1 INVX1_2 ( .A(n1), .Y(y) );\nendmodule\n")
    sta = opensta.Sta(tmp_path, tmp_path / "work")
    sta.work.mkdir()
    script = [f"read_liberty {area.LIBERTY}", "read_verilog two.v", "link_design two", "create_clock -name c -period 1",
              "set_input_delay 0 -clock c [get_ports a]", "set_output_delay 0 -clock c [get_ports y]"]
    report = ["report_checks -path_delay max -format full -digits 4"]
    bare, = opensta.paths(sta.run(script + report))
    wired, = opensta.paths(sta.run([*script, "read_spef wires.spef", *report]))
    assert wired.needs(1) > bare.needs(1) + 0.005


def test_plain_names():
    module = {"ports": {"a_i": {"direction": "input", "bits": [2, 3]}, "y_o": {"direction": "output", "bits": [4]}}, "cells": {
        "g1": {"type": "NAND2X1", "connections": {"A": [2], "B": [9], "Y": [4]}},
        "g2": {"type": "INVX1", "connections": {"A": [3], "Y": [9]}},
        "g3": {"type": "INVX1", "connections": {"A": ["1"], "Y": [10]}}}}
    assert list(layout.Netlist(module).blif()) == [
        ".model element", ".inputs a_i_0 a_i_1", ".outputs y_o", ".gate NAND2X1 A=a_i_0 B=n3 Y=y_o", ".gate INVX1 A=a_i_1 Y=n3",
        ".gate INVX1 A=vdd Y=n4", ".end"]
    module["ports"]["z_o"] = {"direction": "output", "bits": [2]}
    with pytest.raises(job.Failed, match="port z_o of the element is another port"):
        layout.Netlist(module)


@pytest.fixture
def chosen(emit):
    """A small array and the timing.json that layout reads, without the timing run."""
    array = emit("tiny", *TOY)
    library = area.load_library(area.LIBERTY)
    (array / "timing.json").write_text(json.dumps({
        "hash": json.loads((array / "daa.json").read_text())["hash"], "library_sha256": library.sha256, "clock_ps": None,
        "recipe": "delay, look-ahead, 8 sinks", "period_ns": 5.0}))
    return array


def test_without_the_tools_the_flow_inputs_are_written(chosen, refused, root, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    words = ("/usr/bin/python3", root / "synth/layout.py", chosen)
    refused(*words, status=1, text="there is no qflow; Debian 12 has the packages", env={**os.environ, "PATH": str(tools)})
    config = json.loads((chosen / "layout/config.json").read_text())
    assert config["DESIGN_NAME"] == "daa_pe" and config["CLOCK_PERIOD"] == 5.0
    files = [chosen / "layout" / name.removeprefix("dir::") for name in config["VERILOG_FILES"]]
    assert files and all(file.is_file() for file in files) and (chosen / "layout/element.sdc").is_file()
    assert "export DESIGN_NAME = daa_pe\n" in (chosen / "layout/config.mk").read_text()
    (chosen / "timing.json").unlink()
    refused(*words, status=1, text="make timing writes it")


@pytest.mark.long
@pytest.mark.skipif(not all(shutil.which(tool) for tool in (*layout.TOOLS, "sta")), reason="place and route needs Debian 12's tools")
def test_a_small_element_is_placed_and_routed(chosen, run, root, build):
    done = run("/usr/bin/python3", root / "synth/layout.py", chosen)
    if done.returncode and "is not its netlist, by netgen, in any of three orders" in done.stderr:
        assert not (chosen / "layout/layout.json").exists()
        pytest.xfail("qrouter left a net of this element open, and the check found it")
    assert done.returncode == 0, done.stderr
    found = json.loads((chosen / "layout/layout.json").read_text())
    assert found["drc_errors"] == 0 and found["lvs"] == "match"
    assert found["outline_um2"] > found["um2"] > 0
    assert found["clock_ns"] > found["clock_ns_without_wires"] > 0
    loads = json.loads((chosen / "layout/wires.json").read_text())
    assert sum(net["ff"] for net in loads.values()) == pytest.approx(found["wire_pf"] * 1000, rel=1e-3)
    assert set(loads) <= set((chosen / "layout/element.v").read_text().replace("(", " ").replace(")", " ").replace(",", " ").replace(";", " ").split())
    assert (chosen / "layout/element.gds").stat().st_size > 1000
    assert f"{found['clock_ns']:.2f} ns" in done.stdout
    assert not [name for name in os.listdir(chosen) if name.startswith(".")]
    for name, shape in ("a", (7, 9)), ("b", (9, 4)):
        numpy.save(chosen / f"{name}.npy", numpy.random.default_rng(1).standard_normal(shape).astype(numpy.float32))
    words = "--a", chosen / "a.npy", "--b", chosen / "b.npy", "--build", build.resolve()
    energies = []
    for more in ("--wire", "layout"), ("--wire", "0", "--mapping", "timing", "--no-blocks"):
        done = run("/usr/bin/python3", root / "synth/energy.py", chosen, *words, *more)
        assert done.returncode == 0, done.stderr
        energies.append(json.loads((chosen / "energy.json").read_text())["element_pj_per_mac"]["all"])
    assert energies[0] > 1.02 * energies[1]
    (chosen / "layout/element.il").unlink()
    done = run("/usr/bin/python3", root / "synth/energy.py", chosen, *words, "--wire", "layout")
    assert done.returncode == 1 and "is not whole" in done.stderr.splitlines()[-1]


def test_what_is_kept_must_be_of_one_layout(chosen, refused, root):
    words = "/usr/bin/python3", root / "synth/keep_layout.py", chosen, "tiny"
    refused(*words, status=1, text="layout/layout.json cannot be read; make layout makes it")
    (chosen / "layout").mkdir()
    hashed = {"hash": json.loads((chosen / "daa.json").read_text())["hash"]}
    (chosen / "layout/layout.json").write_text(json.dumps({**hashed, "um2": 1}))
    refused(*words, status=1, text="energy.json cannot be read; make energy WIRE=layout makes it")
    (chosen / "energy.json").write_text(json.dumps({**hashed, "routed": False, "pe_um2": 1}))
    refused(*words, status=1, text="energy.json is not of the layout beside it; make energy WIRE=layout makes it")
