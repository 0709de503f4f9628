"""The main job: end to end on the smallest array, refusals, and what an interruption leaves."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "demo"))
import run as main_job  # noqa: E402

IMAGES = 6

# One process, so that the array is built once.
pytestmark = pytest.mark.xdist_group("main job")


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
    status, out, err = job(workplace, "--config", "tiny", "--images", str(IMAGES))
    assert status == 0, err
    return out, err, json.loads((workplace / "run" / "summary.json").read_text())


def test_golden_and_hardware_agree(done):
    _, _, result = done
    for which in ("array", "rival"):
        assert result[which]["elements"] == IMAGES * 10
        assert result[which]["elements_equal"] == IMAGES * 10
    assert result["correct"]["golden"] == result["correct"]["rtl"]


def test_the_figures_fit_each_other(done):
    _, _, result = done
    array, rival = result["array"], result["rival"]
    assert (array["streams"], rival["streams"]) == (2, 1)
    assert array["rows"] == rival["rows"] == 2
    macs = IMAGES * 10 * 784
    for figures in (array, rival):
        assert figures["macs_per_cycle"] == pytest.approx(macs / figures["cycles"])
        assert figures["utilization"] == pytest.approx(macs / figures["cycles"] / figures["peak_macs_per_cycle"])
    # 3 x 5 tiles of 392 steps against 784, and the same few cycles of filling and draining.
    assert rival["cycles"] - array["cycles"] == 15 * 392
    assert result["speedup"] == pytest.approx(rival["cycles"] / array["cycles"])


def test_what_is_printed(done):
    out, err, result = done
    for text in ("accuracy", "golden model and RTL agree bit for bit in 60 of 60 elements", "cycles", "array 2 x 2",
                 f"{result['array']['cycles']:,}", f"{result['rival']['cycles']:,}"):
        assert text in out
    assert err.count("[6/6]") == 1


def test_a_second_run_rebuilds_nothing(workplace, done):
    program = workplace / "run" / "tiny" / "daatb"
    before = program.stat().st_mtime_ns
    status, out, err = job(workplace, "--config", "tiny", "--images", str(IMAGES))
    assert status == 0, err
    assert program.stat().st_mtime_ns == before
    assert out == done[0]


@pytest.mark.parametrize("words, status, text", [
    (["--images", "0"], 2, "run: IMAGES is 0; it must be 1 to 10000\n"),
    (["--images", "10001"], 2, "run: IMAGES is 10001; it must be 1 to 10000\n"),
    (["--images", "many"], 2, "invalid int value: 'many'"),
    (["--data", "/nowhere"], 1, "run: /nowhere/train-images-idx3-ubyte.gz is not there; install dataset-fashion-mnist"),
    (["--config", "large"], 1, "run: daagen: "),
    (["--config", "/"], 1, "run: daagen: "),
])
def test_refuses(workplace, words, status, text):
    got, out, err = job(workplace, *words)
    assert (got, out) == (status, "")
    assert text in err
    assert "Traceback" not in err


def test_a_mismatch_fails_the_job(workplace, done, monkeypatch, capsys):
    """A wrong bit between golden model and hardware, put into the files that are compared, does not pass."""
    result = dict(done[2], array=dict(done[2]["array"], elements_equal=59))
    monkeypatch.setattr(main_job.Job, "run", lambda self: result)
    monkeypatch.setattr(sys, "argv", ["run", "--build", str(workplace)])
    summary = (workplace / "run" / "summary.json").read_text()
    assert main_job.main("run", main_job.run) == 1
    assert capsys.readouterr().err == "run: 1 elements differ between golden model and hardware; there must be none\n"
    (workplace / "run" / "summary.json").write_text(summary)


def test_a_file_names_its_directory():
    def name(config):
        return main_job.Job(argparse.Namespace(build=ROOT, config=config, images=1, data=ROOT)).name()

    assert [name(config) for config in ("paper", "a/b/daa.json", "a/b.json", "/a/b")] == ["paper", "b", "b", "b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_the_earlier_summary(workplace, done, number):
    kept = (workplace / "run" / "summary.json").read_bytes()
    child = start(workplace, "--config", "tiny", "--images", "10000")
    while "[3/6]" not in (line := child.stderr.readline()):
        assert line, "ended before it could be interrupted"
    time.sleep(0.3)  # into the golden model, some seconds for so many images
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130 and err.endswith("run: interrupted; what was there is kept\n"), err
    assert (workplace / "run" / "summary.json").read_bytes() == kept
    assert not [name for name in os.listdir(workplace / "run") if name.startswith(".")]
