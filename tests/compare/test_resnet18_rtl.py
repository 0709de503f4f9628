"""A training step through the core: operands of a real step, every bit compared; what is done is kept, what is wrong is told."""
import json
import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def step(root, build, daagen, tmp_path_factory):
    place = tmp_path_factory.mktemp("step")
    core = place / "core"
    subprocess.run([daagen, "--config", "tiny", "--core", "on", "-o", core], check=True)
    subprocess.run(["make", "-s", "core", f"DIR={core}", f"BUILD={build}"], cwd=root, check=True, capture_output=True)

    def call(*words, core=core):
        environment = {**os.environ, "PYTHONPATH": str(root / "python"), "DAA_LIBRARY": str(build / "libdaa.so")}
        return subprocess.run(["/usr/bin/python3", root / "compare/resnet18_rtl.py", "--build", place, "--core", core, "--images", "1",
                               "--steps", "0", "--only", "fc", *words], capture_output=True, text=True, env=environment)
    call.place, call.core = place, core
    return call


def test_a_layer(step, tmp_path):
    done = step()
    assert done.returncode == 0, done.stderr
    assert "3 of 3" in done.stderr and "bit for bit" in done.stdout
    rows = sorted(step.place.glob("resnet18-rtl/*/fc.*.json"))
    assert [json.loads(row.read_text())["gemm"] for row in rows] == ["forward", "input_grad", "weight_grad"]
    times = [row.stat().st_mtime_ns for row in rows]
    assert step().stdout == done.stdout and [row.stat().st_mtime_ns for row in rows] == times  # not run again
    # A core of other arithmetic gives other bits.
    rows[0].unlink()
    shutil.copytree(step.core, tmp_path / "other", symlinks=True)
    (tmp_path / "other/daacore").unlink()
    (tmp_path / "other/daacore").write_text(f'#!/bin/sh\n"{step.core}/daacore" "$@" && for last do test "$before" = -o && out=$last; before=$last; done\n'
                                            'printf "\\001" | dd of="$out" bs=1 seek=128 conv=notrunc 2>/dev/null\n')
    (tmp_path / "other/daacore").chmod(0o755)
    done = step(core=tmp_path / "other")
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == "resnet18_rtl: fc, forward: the core's results are not the emulator's"


def test_refusals(step, tmp_path):
    done = step("--images", "0")
    assert done.returncode == 2 and "--images and --jobs must be at least 1" in done.stderr
    done = step(core=tmp_path)
    assert done.returncode == 1 and f"make core DIR={tmp_path} builds it" in done.stderr
    done = step("--only", "nothing")
    assert done.returncode == 1 and "no layer begins with nothing" in done.stderr
