"""The synthesised netlist of a small array, simulated with the library's own cell models, against the golden model."""
import pathlib
import re
import shutil
import subprocess
import sys

import numpy
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
from job import LIBERTY  # noqa: E402

# The short tier's is of fewer bits, with Inf and NaN like bf16.
FORMATS = {"e5m2": ("--format", "e5m2", "--acc-format", "e6m9"), "bf16": ()}
CELLS = LIBERTY.with_suffix(".v")


@pytest.mark.early
@pytest.mark.xdist_group("netlist")
@pytest.mark.parametrize("kind, gating", [("e5m2", "on"), pytest.param("bf16", "on", marks=pytest.mark.long),
                                          pytest.param("bf16", "off", marks=pytest.mark.long)])
def test_the_netlist_gives_the_golden_bits(kind, gating, root, daagen, build, tmp_path, seed):
    array = tmp_path / "array"
    subprocess.run([daagen, "--config", "tiny", *FORMATS[kind], "--clock-gating", gating, "-o", array], check=True)
    subprocess.run(["make", "-s", "netlist", f"DIR={array}", f"BUILD={build}"], cwd=root, check=True, capture_output=True)
    netlist = (array / "netlist.v").read_text()
    assert "FPOSX1" in netlist and "always" not in netlist, "not a netlist of cells"
    clocks = set(re.findall(r"\.CLK\(([^)]*)\)", netlist))
    assert len(clocks) > 4 * 5 if gating == "on" else len(clocks) == 1

    # The same bench as for the Verilog, with netlist and cells in its place.
    shutil.copy(CELLS, array / "cells.v")
    shutil.rmtree(array / "rtl")
    (array / "daa.f").write_text("netlist.v\ncells.v\n")
    random = numpy.random.default_rng(seed)
    operands = {"A": random.standard_normal((5, 9)), "B": random.standard_normal((9, 3)), "C0": random.standard_normal((5, 3))}
    operands["A"][random.random((5, 9)) < 0.3] = 0
    operands["A"][4, 2], operands["B"][5, 2] = numpy.inf, numpy.nan
    words = [f"{name}={tmp_path / name}.npy" for name in operands]
    for name, matrix in operands.items():
        numpy.save(tmp_path / f"{name}.npy", matrix.astype(numpy.float32))
    command = ["make", "-s", "icarus", f"DIR={array}", f"BUILD={build}", "STALL=0.2", f"SEED={seed}", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0 and "PASS" in done.stdout, done.stdout + done.stderr[-400:]
