"""The main job: end to end on the smallest array, refusals, and what an interruption leaves."""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "demo"))
import run as main_job  # noqa: E402

SMALL = ["--config", "tiny", "--steps", "2", "--batch", "4", "--test", "10"]

# One process, so that the array is built once.
pytestmark = [pytest.mark.xdist_group("main job"), pytest.mark.early]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, build, daagen, daagemm):
    """A build directory of its own, with the commands of the real one."""
    place = tmp_path_factory.mktemp("build")
    for path in build.iterdir():
        if path.name not in ("run", "obj"):
            (place / path.name).symlink_to(path)
    (place / "obj").symlink_to(build / "obj")
    return place


def start(place, *words):
    return subprocess.Popen(["/usr/bin/python3", ROOT / "demo" / "run.py", "--build", place, *words], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def job(place, *words):
    child = start(place, *words)
    out, err = child.communicate(timeout=500)
    return child.returncode, out, err


@pytest.fixture(scope="module")
def done(workplace):
    status, out, err = job(workplace, *SMALL)
    assert status == 0, err
    return out, err, json.loads((workplace / "run" / "summary.json").read_text())


def test_every_product_ran_on_the_array(done):
    """Five products a step, two for the test images, with the sizes of the layers."""
    _, _, result = done
    array, training = result["array"], result["array"]["training"]
    assert (training["products"], array["products"]) == (2 * 5, 2 * 5 + 2)
    one = 784 * 64 + 64 * 16
    assert training["macs_of"] == {"forward": 2 * 4 * one, "input_grad": 2 * 4 * 64 * 16, "weight_grad": 2 * 4 * one}
    assert training["results"] == 2 * (4 * 64 + 4 * 16 + 4 * 64 + 784 * 64 + 64 * 16)
    assert array["macs"] - training["macs"] == 10 * one


def test_the_figures_fit_each_other(done):
    _, _, result = done
    array, rivals = result["array"], result["rivals"]
    assert list(rivals) == ["baseline", "paper"]
    assert [figures["streams"] for figures in (array, *rivals.values())] == [2, 1, 2]
    for figures in (array, *rivals.values()):
        assert figures["rows"] == figures["cols"] == 2
        assert figures["macs_per_cycle"] == pytest.approx(figures["macs"] / figures["cycles"])
        assert figures["utilization"] == pytest.approx(figures["macs_per_cycle"] / (4 * figures["streams"]))
    assert array["cycles_a_step"] == array["training"]["cycles"] / 2
    assert 1.9 < rivals["baseline"]["cycles_a_step"] / array["cycles_a_step"] <= 2
    assert rivals["paper"]["cycles_a_step"] == array["cycles_a_step"]  # tiny is paper, smaller


def test_silicon_is_quoted_from_the_committed_comparison(done):
    out, _, result = done
    compared = json.loads((ROOT / result["quoted_from"]).read_text())["configurations"]
    assert result["array"]["quoted"] is None
    for name, of in ("baseline", "conventional"), ("paper", "paper"):
        assert result["rivals"][name]["quoted"] == compared[of]
        assert f"{compared[of]['clock_ns']:.2f}" in out and f"{compared[of]['um2']:,.0f}" in out


def test_it_learns(done):
    loss = done[2]["loss"]
    assert 0 < loss["last"] < loss["first"]
    assert loss["last"] == pytest.approx(loss["last_float32"], rel=0.05)


def test_operands_are_left_to_try(workplace, done):
    shapes = [np.load(workplace / "run" / f"{name}.npy").shape for name in ("A", "B", "C0")]
    assert shapes == [(10, 64), (64, 16), (10, 16)]


def test_what_is_printed(done):
    out, err, result = done
    for text in ("test accuracy", f"all {result['array']['results']:,} results equal the golden model's", "array tiny: 2 x 2",
                 f"{result['array']['cycles_a_step']:,.0f}", f"{result['rivals']['baseline']['cycles_a_step']:,}"):
        assert text in out
    assert len(out.splitlines()) < 24
    assert err.count("[7/7]") == 1


def test_without_standard_cells_all_but_the_areas_is_done(workplace, done, monkeypatch, capsys):
    monkeypatch.setattr(main_job, "LIBERTY", workplace / "no.lib")
    monkeypatch.setattr(sys, "argv", ["run", "--build", str(workplace), *SMALL])
    kept = (workplace / "run" / "summary.json").read_bytes()
    assert main_job.main("run", main_job.run) == 0
    (workplace / "run" / "summary.json").write_bytes(kept)
    out, err = capsys.readouterr()
    assert "[6/6]" in err and "area" not in err
    # What is not an area is as before.
    want = [line for line in done[0].splitlines() if "array of fewest cells" not in line]
    assert len(want) == len(done[0].splitlines()) - 1
    assert out.splitlines() == ["Array's area: none, without standard cells." if line.startswith("Array: ") else line for line in want]


def test_another_library_is_read_before_the_training(workplace, tmp_path):
    broken = tmp_path / "other cells.lib"
    broken.write_text("library(x) {")
    status, out, err = job(workplace, *SMALL, "--liberty", broken)
    assert (status, out) == (1, "")
    assert f"run: area: {broken}: line 1" in err and "[3/7]" in err and "[4/7]" not in err


def test_a_second_run_rebuilds_nothing(workplace, done):
    program = workplace / "run" / "tiny" / "daatb"
    before = program.stat().st_mtime_ns
    status, out, err = job(workplace, *SMALL)
    assert status == 0, err
    assert program.stat().st_mtime_ns == before
    assert out == done[0]


@pytest.mark.parametrize("words, status, text", [
    (["--test", "0"], 2, "run: TEST is 0; it must be 1 to 10000\n"),
    (["--test", "10001"], 2, "run: TEST is 10001; it must be 1 to 10000\n"),
    (["--steps", "0"], 2, "run: STEPS is 0; it must be 1 to 60000\n"),
    (["--batch", "601"], 2, "run: STEPS times BATCH is 60100; the training set has 60000 images\n"),
    (["--steps", "many"], 2, "invalid int value: 'many'"),
    (["--data", "/nowhere"], 1, "run: /nowhere/train-images-idx3-ubyte.gz is not there; install dataset-fashion-mnist"),
    (["--liberty", "/nowhere/x.lib"], 2, "run: LIBERTY is /nowhere/x.lib, which is not there; it must be a Liberty file"),
    (["--config", "large"], 1, "run: daagen: "),
    (["--config", "/"], 1, "run: daagen: "),
])
def test_refuses(workplace, words, status, text):
    got, out, err = job(workplace, *words)
    assert (got, out) == (status, "")
    assert text in err
    assert "Traceback" not in err


def test_a_mismatch_fails_the_job(workplace, done):
    """Hardware that gives a wrong bit does not pass: daatb of another arithmetic in the place of the right one."""
    program = workplace / "run" / "tiny" / "daatb"
    right = program.with_name("right")
    program.rename(right)
    program.write_text(f"#!/bin/sh\n{right} \"$@\" && echo 'daatb: C[0][0] differs' >&2 && exit 1\n")
    program.chmod(0o755)
    summary = (workplace / "run" / "summary.json").read_bytes()
    try:
        status, out, err = job(workplace, *SMALL)
    finally:
        right.replace(program)
    assert (status, out) == (1, "")
    assert "run: daatb: C[0][0] differs" in err
    assert (workplace / "run" / "summary.json").read_bytes() == summary


def test_a_file_names_its_directory():
    def name(config):
        return main_job.Job(argparse.Namespace(build=ROOT, config=config, steps=1, batch=1, test=1, data=ROOT, liberty=None)).name()

    assert [name(config) for config in ("paper", "a/b/daa.json", "a/b.json", "/a/b")] == ["paper", "b", "b", "b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_the_earlier_summary(workplace, done, number):
    kept = (workplace / "run" / "summary.json").read_bytes()
    child = start(workplace, "--config", "tiny", "--steps", "1000", "--batch", "32")
    while "[4/7]" not in (line := child.stderr.readline()):
        assert line, "ended before it could be interrupted"
    time.sleep(0.3)  # into the training
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130 and err.endswith("run: interrupted; what was there is kept\n"), err
    assert (workplace / "run" / "summary.json").read_bytes() == kept
    assert not [name for name in os.listdir(workplace / "run") if name.startswith(".")]
