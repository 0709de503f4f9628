"""Area and clock of a core's parts."""
import json
import subprocess

import pytest


@pytest.fixture
def parts(root):
    def call(directory, *words):
        return subprocess.run(["/usr/bin/python3", root / "synth/parts.py", directory, *words], capture_output=True, text=True)

    return call


@pytest.fixture
def core(emit):
    return emit("tiny", "--core", "on", "--bus-bits", 64, "--block-k", 8)


@pytest.mark.long
def test_parts_of_a_small_core(parts, core):
    done = parts(core)
    assert done.returncode == 0, done.stderr
    report = json.loads((core / "parts.json").read_text())
    counts = {}
    for found in report["parts"]:
        counts[found["part"]] = counts.get(found["part"], 0) + found["count"]
        assert found["um2"] > 1000 and found["flip_flops"] > 10 and 0.5 < found["period_ns"] < 20, found
    assert counts == {"regs": 1, "job": 1, "load": 3, "bank": 2, "feed": 1, "sums": 1, "store": 1, "between parts": 1}
    for way in "ns", "wired_ns":
        assert set(report["times"][way]["parts"]) == set(counts) and len(report["times"][way]["boxes"]) == 6
    assert report["times"]["ns"]["parts"]["load"] < report["times"]["wired_ns"]["parts"]["load"] < 20
    # 2 places of 16 x 8 operands of 16 bits each, and of 16 x 16 accumulators of 32 bits.
    assert report["memory_bits"] == {"A": 2 * 16 * 8 * 16, "B": 2 * 16 * 8 * 16, "sums": 2 * 16 * 16 * 32}
    assert "memories of 24,576 bits" in done.stdout


@pytest.mark.long
def test_energy_of_a_small_core(parts, core):
    done = parts(core, "--energy")
    assert done.returncode == 0, done.stderr
    report = json.loads((core / "parts.json").read_text())["energy"]
    assert set(report["kinds"]) == {"forward", "input_grad", "weight_grad"}
    for found in report["kinds"].values():
        assert set(found["parts"]) == {"regs", "job", "load", "bank", "feed", "sums", "store", "between parts"}
        assert all(part["clock"] > 0 and part["functional"] > 0 for part in found["parts"].values())
        assert 0.5 < found["macs_per_cycle"] <= 8
        # Each operand of 16 bits is read once a step of 2 rows, 2 columns and 2 streams, and written once a block of 16 x 16 x 8.
        bits = found["memory_bits_per_mac"]
        assert bits["bank_a"]["read"] == pytest.approx(8, rel=0.02) and bits["bank_a"]["written"] == pytest.approx(1, rel=0.2)


@pytest.mark.early
def test_one_part(parts, core):
    done = parts(core, "--part", "sums")
    assert done.returncode == 0, done.stderr
    name, count, area, flip_flops, period = done.stdout.splitlines()[1].replace(",", "").split()
    assert (name, count) == ("sums", "1")
    assert float(area) > 1000 and int(flip_flops) > 10 and 0.5 < float(period) < 20
    assert "memories of 24,576 bits" in done.stdout and not (core / "parts.json").exists()


def test_refused(parts, core, emit):
    done = parts(core, "--part", "wheel")
    assert done.returncode == 2 and "PART is 'wheel'; it must be bank, feed, job, load, regs, store, sums" in done.stderr, done.stderr
    done = parts(emit("tiny", name="bare"))
    assert done.returncode == 2 and "has no core; make it with build/daagen --core on" in done.stderr
