"""The benchmark of training steps: it runs every arm, and prints and writes the same figures."""
import json
import os
import sys

import pytest

pytest.importorskip("torch")


@pytest.fixture
def bench(run, root):
    if not (root / "build/libdaa.so").exists():
        pytest.skip("there is no build/libdaa.so; make lib")
    env = {**os.environ, "PYTHONPATH": str(root / "python"), "OMP_NUM_THREADS": "1"}
    return lambda *options: run(sys.executable, root / "bench/training.py", *options, env=env)


def test_a_network_and_a_layer(bench, tmp_path):
    works = ["gpt-small", "depthwise 192 x 14 x 14"]
    done = bench("--rounds", "1", *(word for work in works for word in ("--work", work)), "-o", tmp_path / "figures.json")
    assert done.returncode == 0, done.stderr
    header, _, *rows = done.stdout.splitlines()
    names = [cell.strip(" `") for cell in header.split("|")[2:-1]]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert list(figures) == works and names[0] == "fp32"
    for work, row in zip(works, rows):
        found = figures[work]
        assert list(found) == names and min(found.values()) > 0
        expected = [work, *(f"{1e3 * found[name]:.0f} ({found[name] / found['fp32']:.2f})" for name in names)]
        assert [cell.strip() for cell in row.split("|")[1:-1]] == expected


@pytest.mark.parametrize("options, says", [(("--rounds", "0"), "--rounds must be 1 or more"), (("--work", "vgg"), "vgg")])
def test_bad_options(bench, options, says):
    done = bench(*options)
    assert done.returncode == 2 and says in done.stderr
