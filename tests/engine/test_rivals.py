"""The benchmark of other emulators, with those that are installed: it runs, names who is missing, writes figures."""
import json
import os
import sys

import pytest

RIVALS = {"CPFloat", "APyTypes", "MPTorch", "QPyTorch", "pychop"}


@pytest.fixture
def rivals(run, root):
    pytest.importorskip("numpy")

    def call(*options):
        env = {**os.environ, "PYTHONPATH": str(root / "python"), "RIVAL_CPFLOAT": ""}
        return run(sys.executable, root / "bench/rivals.py", *options, env=env)
    return call


@pytest.mark.long
def test_every_rival_is_measured_or_named(rivals, root, tmp_path):
    if not (root / "build/libdaa.so").exists():
        pytest.skip("there is no build/libdaa.so; make lib")
    done = rivals("--shape", "256^3", "--rounds", "1", "-o", tmp_path / "figures.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    entries = figures["shapes"][0]["contenders"]
    assert {entry["name"] for entry in entries} - {"daa, golden model, 1 stream"} | set(figures["absent"]) == {
        "daa, 1 stream", "daa, 2 streams"} | RIVALS
    assert all(entry["runs"] == 1 for entry in entries)
    ours = {entry["name"]: entry for entry in entries if entry["name"].startswith("daa")}
    speed = {name: entry["gmacs"] for name, entry in ours.items()}
    assert 10 * speed["daa, golden model, 1 stream"] < min(speed["daa, 1 stream"], speed["daa, 2 streams"])
    assert ours["daa, 1 stream"]["equal"] == 1 and ours["daa, 2 streams"]["equal"] is None
    assert ours["daa, golden model, 1 stream"]["equal"] == 1
    for name in figures["absent"]:
        assert f"{name} is not here: " in done.stdout


def test_rounds_must_be_positive(rivals, root):
    if not (root / "build/libdaa.so").exists():
        pytest.skip("there is no build/libdaa.so; make lib")
    done = rivals("--rounds", "0")
    assert done.returncode == 2 and "--rounds must be 1 or more" in done.stderr
