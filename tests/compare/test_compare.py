"""The comparison's own arithmetic: ratios, the frontier, what a row is, and the noise of known results. The flows that it calls
have tests of their own."""
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT

sys.path[:0] = [str(ROOT / "compare"), str(ROOT / "python")]
import compare  # noqa: E402
import configurations  # noqa: E402
import noise  # noqa: E402
import pareto  # noqa: E402

GEMMS = ("forward", "input_grad", "weight_grad")


def row(name, um2, pj, db, streams=2, **options):
    every = {"streams": streams, "a-format": "e8m5", "lo-bits": 4, "accumulator": "anchored", "policy": "exponent", **options}
    same = {gemm: pj for gemm in (*GEMMS, "all")}
    return {"name": name, "options": every, "um2": um2, "clock_ns": 4.0, "macs_per_cycle": float(streams), "pj_per_mac": same,
            "um2_small": um2, "pj_per_mac_small": same, "db": {**dict.fromkeys(GEMMS, db), "all": db}}


def test_noise_is_the_ratio_of_squares():
    exact = np.array([[3.0, 4.0]])
    assert noise.ratio(exact + 0.5, exact) == pytest.approx(10 * math.log10(25 / 0.5))
    assert noise.ratio(exact, exact) == math.inf


def test_narrower_formats_are_noisier(build):
    import daa

    wide, narrow = (noise.measure(daa.Config("tiny", format=form)) for form in ("bf16", "e8m3"))
    assert all(20 < narrow[gemm] < wide[gemm] < 60 for gemm in (*GEMMS, "all"))


def test_the_frontier():
    rows = [row("cheap", 100, 10, 30), row("good", 200, 20, 40), row("beaten", 210, 21, 39), row("worse", 100, 12, 30)]
    points = [pareto.record(each) for each in rows]
    assert pareto.frontier(points, "pj_all") == {"cheap", "good"}
    assert pareto.frontier(points, "um2_per_mac") == {"cheap", "good", "worse"}


def test_a_point_says_what_it_is():
    point = pareto.record(row("s2-6-4", 80000, 100, 38))
    assert (point["high"], point["low"], point["um2_per_mac"]) == (6, 4, 40000)
    assert pareto.record(row("s1-6", 60000, 100, 38, streams=1))["low"] == 6


def test_table_and_figure(tmp_path):
    names = []
    for index, each in enumerate((row("a", 100, 10, 30), row("b", 200, 20, 40), row("exact", 300, 30, math.inf, streams=1))):
        names.append(tmp_path / f"{index}.json")
        names[-1].write_text(json.dumps(each))
    for _ in range(2):
        done = subprocess.run(["/usr/bin/python3", ROOT / "compare/pareto.py", *names, "-o", tmp_path / "out"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        made = [(tmp_path / "out" / name).read_bytes() for name in ("pareto.csv", "pareto.svg")]
    assert made[0].decode().splitlines()[0].startswith("name,streams,high,low,")
    assert [line.split(",")[0] for line in made[0].decode().splitlines()[1:]] == ["a", "b"]
    assert b"<svg" in made[1]
    done = subprocess.run(["/usr/bin/python3", ROOT / "compare/pareto.py", tmp_path / "out/pareto.csv", "-o", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "pareto.svg").read_bytes() == made[1]
    (tmp_path / "torn.csv").write_text("name,pj_all\nx,much\n")
    done = subprocess.run(["/usr/bin/python3", ROOT / "compare/pareto.py", tmp_path / "torn.csv", "-o", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "it must be a table that pareto.py wrote" in done.stderr


def test_labels_keep_off_each_other():
    """Two points at one place, one beside them, and one at the edge."""
    points, sizes = [(50, 50), (50, 50), (58, 50), (97, 50)], [(30, 8)] * 4
    marks = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    boxes = pareto.spread(points, sizes, marks, (0, 0, 100, 100))
    for at, one in enumerate(boxes):
        assert not any(pareto.overlap(one, other) for other in boxes[at + 1:] + marks), boxes
        assert one[0] >= 0 and one[2] <= 100



def test_ratios_are_over_the_conventional_element():
    rows = {compare.BASE: row("x", 100, 10, 140, streams=1), "half": row("y", 100, 5, 40)}
    heads, bodies = compare.table(rows)
    ratios = dict(zip(heads, bodies["half"]))
    assert (ratios["area, ratio"], ratios["energy, ratio"], ratios["MACs/s/mm2, ratio"]) == ("1.00", "0.50", "2.00")


def test_the_sweep_has_every_rival():
    sweep = configurations.sweep()
    assert set(sweep) < set(configurations.sweep(wide=True))
    assert {"s1-8-rounded", "s1-8", "s2-6-4", "s2-5", "s4-6-4", "s4-5", "s2-8-4-rounded"} <= set(sweep)
    assert len(set(map(tuple, sweep.values()))) == len(sweep)


def test_all_configurations_are_legal(daagen, tmp_path):
    every = {**configurations.sweep(wide=True), **configurations.COMPARED}
    for index, words in enumerate(every.values()):
        done = subprocess.run([daagen, *words, "--rows", "1", "--cols", "1", "-o", tmp_path / str(index)], capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stderr)


@pytest.mark.parametrize("words, status, text", [
    ([], 2, "row: the words must be NAME ROW.json, then options with their values\n"),
    (["x", "x.json", "--streams"], 2, "row: the words must be NAME ROW.json, then options with their values\n"),
    (["x", "x.json", "--streams", "3"], 1, "row: daagen: streams is '3'; it must be 1|2|4|8\n"),
])
def test_a_row_that_cannot_be(words, status, text, build, tmp_path):
    if len(words) > 2 and len(words) % 2 == 0:
        words = [*words, "--build", str(build)]
    done = subprocess.run(["/usr/bin/python3", ROOT / "compare/row.py", *words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, text)


def test_the_committed_results_are_whole():
    report = json.loads((ROOT / "docs/results/compare.json").read_text())
    assert list(report["configurations"]) == list(configurations.COMPARED)
    for one in report["configurations"].values():
        assert one["um2"] > 0 and one["clock_ns"] > 0 and 0 < one["macs_per_cycle"] <= 8
        assert set(one["pj_per_mac"]) == set(one["db"]) == {*GEMMS, "all"}
