"""daa.core in FuseSoC: an array's own targets, and two arrays of different prefix as parts of one design."""
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


@pytest.fixture
def emit(daagen, tmp_path):
    def emitted(prefix, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        subprocess.run([daagen, "--config", "tiny", "--prefix", prefix, *words, "-o", tmp_path / prefix], check=True)
        return (tmp_path / prefix / "rtl" / f"{prefix}_array.v").read_text()
    return emitted


def instance(text, prefix):
    """An instance of the array with every port on a wire of its own name, and the declarations of the wires."""
    head = text[: text.index(");\n\n")]
    ports = re.findall(r"^ *(?:input|output) +wire +(?:\[ *(.+?)\] +)?(\w+?),?(?: *//.*)?$", head, re.M)
    assert len(ports) > 10
    numbers = {name: int(value) for name, value in re.findall(r"parameter integer (\w+) += (\d+)", head)}
    wires = []
    for bounds, name in ports:
        for parameter, value in numbers.items():
            bounds = re.sub(rf"\b{parameter}\b", str(value), bounds)
        wires.append(f"  wire {f'[{bounds}] ' if bounds else ''}{prefix}_{name};")
    return "\n".join(wires) + f"\n  {prefix}_array u_{prefix} ({', '.join(f'.{name}({prefix}_{name})' for _, name in ports)});\n"


def test_two_arrays_are_parts_of_one_design(emit, tmp_path):
    parts = instance(emit("left", streams=1), "left") + instance(emit("right", rows=3), "right")
    (tmp_path / "pair.v").write_text(f"module pair;\n{parts}endmodule\n")
    (tmp_path / "pair.core").write_text(DESIGN)
    fusesoc(tmp_path, "run", "--target=lint", "::pair")
    (listed,) = tmp_path.glob("build/pair*/lint*/*.eda.yml")
    for name in ("left_array.v", "right_array.v", "pair.v"):
        assert name in listed.read_text()


@pytest.mark.parametrize("target", ["lint", "sim"])
def test_an_array_runs_its_own_targets(emit, tmp_path, target):
    emit("daa")
    said = fusesoc(tmp_path, "run", f"--target={target}", "::daa_array")
    assert target == "lint" or re.search(r"PASS: \d+ results", said), said
