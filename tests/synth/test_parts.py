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
    assert counts == {"regs": 1, "job": 1, "load": 3, "bank": 2, "feed": 1, "sums": 1, "store": 1}
    # 2 places of 16 x 8 operands of 16 bits each, and of 16 x 16 accumulators of 32 bits.
    assert report["memory_bits"] == {"A": 2 * 16 * 8 * 16, "B": 2 * 16 * 8 * 16, "sums": 2 * 16 * 16 * 32}
    assert "memories of 24,576 bits" in done.stdout


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
