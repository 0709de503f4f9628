"""The benchmark of formats: it measures each kind with every number of streams that vectors know, and writes what it prints."""
import json
import os
import sys

import pytest


@pytest.fixture
def bench(run, root):
    pytest.importorskip("numpy")
    if not (root / "build/libdaa.so").exists():
        pytest.skip("there is no build/libdaa.so; make lib")
    env = {**os.environ, "PYTHONPATH": str(root / "python")}
    return lambda *options: run(sys.executable, root / "bench/formats.py", *options, env=env)


def test_kinds_are_measured_or_golden(bench, tmp_path):
    kinds = ["fp16, fp32", "fp16, fp32 anchored"]
    done = bench("--engine", "auto", "--rounds", "1", *(word for kind in kinds for word in ("--kind", kind)), "-o", tmp_path / "figures.json")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert list(figures) == kinds and all(min(speeds.values()) > 0 for speeds in figures.values())
    _, *lines = done.stdout.splitlines()
    for line, (kind, speeds) in zip(lines, figures.items()):
        assert line.split() == [*kind.split(), *(f"{speeds[streams]:.1f}" if streams in speeds else "golden" for streams in "1248")]


def test_what_golden_alone_knows_is_left_out(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "python")
    monkeypatch.syspath_prepend(root / "bench")
    formats = pytest.importorskip("formats")
    monkeypatch.setitem(formats.KINDS, "wide", {"accumulator": "anchored", "acc_bits": 40})
    assert formats.measure("wide", "auto", 1) == {}


@pytest.mark.parametrize("options, says", [(("--rounds", "0"), "--rounds must be 1 or more"), (("--kind", "fp64"), "fp64")])
def test_bad_options(bench, options, says):
    done = bench(*options)
    assert done.returncode == 2 and says in done.stderr
