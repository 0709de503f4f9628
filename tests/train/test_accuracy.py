"""The scheduler, over a stub that takes the place of a run."""
import os
import re
import signal
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import torch

from training import ROOT
from train import StudyError, accuracy, arms, data, studies
from train.table import read_rows

# A run that says how it was called, saves a "checkpoint" when stopped, and fails, waits or says odd things if told so by a file.
STUB = """
import argparse, json, os, pathlib, signal, sys, time
import numpy as np
parser = argparse.ArgumentParser()
for name in "arm seed data model epochs lr high device work curve".split():
    parser.add_argument("--" + name)
o = parser.parse_args()
work = pathlib.Path(o.work)
with (work / "calls").open("a") as file:
    file.write(f"{o.arm} {o.seed}\\n")
mark = work / f"checkpoint-{o.arm}-{o.seed}"
def stop(*_):
    mark.write_text("saved")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
print("step 1/2 2.3", flush=True)
if (work / "wait").exists():
    (work / f"waits-{o.arm}-{o.seed}").touch()
    time.sleep(600)
if (work / f"fail-{o.arm}").exists():
    sys.exit("stub: no luck")
print("a line of no meaning", flush=True)
print("step 2/2 2.2", flush=True)
curve = pathlib.Path(o.curve)
curve.parent.mkdir(parents=True, exist_ok=True)
np.save(curve, np.array([2.3, 2.2], "<f4"))
print(json.dumps(dict(steps=2, train_loss=2.25, test_accuracy=80 + int(o.seed), test_loss=0.5, seconds=1.5, engine="e", daa="d",
                      torch="t", config="c, with a comma")))
"""


@pytest.fixture
def stub(tmp_path):
    """The stub's command; its work directory is there."""
    (tmp_path / "stub.py").write_text(STUB)
    (tmp_path / "work").mkdir()
    return sys.executable, str(tmp_path / "stub.py")


def options(tmp_path, output, words):
    return [str(word) for word in ("--output", tmp_path / output, "--work", tmp_path / "work", *words)]


@pytest.fixture
def study(stub, tmp_path, monkeypatch, capfd):
    """Runs the scheduler on stub runs in a directory of the test: status, stdout, stderr."""
    monkeypatch.setattr(accuracy, "RUN", stub)

    def call(*words, output="output"):
        status = 0
        try:
            accuracy.main(options(tmp_path, output, words))
        except SystemExit as end:
            status = end.code
        if isinstance(status, str):  # what the interpreter prints at its end
            print(status, file=sys.stderr)
            status = 1
        return subprocess.CompletedProcess(words, status, *capfd.readouterr())

    return call


@pytest.fixture
def started(stub, tmp_path):
    """The same as a process of its own, on runs that wait; returned when WAITING of them do."""
    (tmp_path / "work" / "wait").touch()
    processes = []

    def call(*words, waiting):
        program = f"from train import accuracy; accuracy.RUN = {stub!r}; accuracy.main()"
        processes.append(subprocess.Popen([sys.executable, "-c", program, *options(tmp_path, "output", words)], cwd=ROOT,
                                          env={**os.environ, "PYTHONPATH": f"{ROOT / 'python'}:{ROOT}"},
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        for _ in range(1200):
            if len(list((tmp_path / "work").glob("waits-*"))) == waiting:
                return processes[-1]
            time.sleep(0.1)
        raise AssertionError(f"the runs did not start within two minutes: {processes[-1].poll()}")

    yield call
    for process in processes:
        process.terminate()
        process.communicate(timeout=60)


def calls(tmp_path):
    return (tmp_path / "work" / "calls").read_text().split("\n")[:-1]


def finished(tmp_path):
    return [(row["arm"], row["seed"], row["test_accuracy"]) for row in read_rows(tmp_path / "output" / "runs.csv")]


def test_study_seed_by_seed_then_nothing(study, tmp_path):
    done = study("--arms", "fp32,s4-t4", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    order = ["fp32 0", "s4-t4 0", "fp32 1", "s4-t4 1", "fp32 2", "s4-t4 2", "s4-t4 3", "s4-t4 4"]
    assert calls(tmp_path) == order
    assert finished(tmp_path) == [(*run.split(), f"8{run[-1]}.00") for run in order]
    assert "| `fp32` |" in done.stdout and "8 of 8 runs done, 0 s left" in done.stdout
    table = (tmp_path / "output" / "runs.csv").read_bytes()
    assert table.decode().splitlines()[1] == ("fashion-mnist,resnet18,2,0.05,,fp32,0,2,2.25000,80.00,0.50000,2,e,d,t,"
                                              '"c, with a comma"')
    again = study("--arms", "fp32,s4-t4")
    assert again.returncode == 0 and len(calls(tmp_path)) == len(order)
    assert (tmp_path / "output" / "runs.csv").read_bytes() == table
    assert study("--arms", "s4-t4", "--seeds", "0,7", "--jobs", "1").returncode == 0
    assert calls(tmp_path)[len(order):] == ["s4-t4 7"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_saves_and_resumes(study, started, tmp_path, number):
    words = "--arms", "bf16,s2-t4", "--seeds", "0", "--jobs", "2"
    process = started(*words, waiting=2)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on from here" in out, error
    assert {path.name for path in (tmp_path / "work").glob("checkpoint-*")} == {"checkpoint-bf16-0", "checkpoint-s2-t4-0"}
    assert not (tmp_path / "output" / "runs.csv").exists()
    (tmp_path / "work" / "wait").unlink()
    assert study(*words).returncode == 0
    assert sorted(finished(tmp_path)) == [("bf16", "0", "80.00"), ("s2-t4", "0", "80.00")]


def test_two_studies_at_once(study, started, tmp_path):
    words = "--arms", "bf16", "--seeds", "0"
    started(*words, waiting=1)
    for output, named in (("output", "output"), ("other", "work")):
        second = study(*words, output=output)
        assert second.returncode == 1
        assert second.stderr == f"train.accuracy: {tmp_path / named} is in use by another study; wait for its end, or stop it\n"
    assert len(calls(tmp_path)) == 1


def test_a_failed_run_does_not_stop_the_others(study, tmp_path):
    (tmp_path / "work" / "fail-s2-t4").touch()
    done = study("--arms", "bf16,s2-t4,fp32", "--seeds", "0", "--jobs", "1")
    assert done.returncode == 1
    assert "s2-t4-seed0: stub: no luck" in done.stderr and "train.accuracy: 1 runs failed" in done.stderr
    assert [run[0] for run in finished(tmp_path)] == ["bf16", "fp32"]


@pytest.mark.parametrize("words, text", [
    (["--arms", "bf16,bf17"], "there is no arm 'bf17'; the arms are fp32, bf16,"),
    (["--arms", ""], "there is no arm ''"),
    (["--seeds", "1,x"], "'1,x' is not a list of seeds such as 0,1,2"),
    (["--epochs", "0"], "invalid positive float value: '0'"),
    (["--epochs", "nan"], "invalid positive float value: 'nan'"),
    (["--jobs", "0"], "invalid positive int value: '0'"),
    (["--model", "resnet50"], "invalid choice: 'resnet50'"),
])
def test_bad_options(study, words, text):
    done = study(*words)
    assert done.returncode == 2 and text in done.stderr and done.stdout == ""


def test_missing_data(study, tmp_path):
    done = study("--data", tmp_path / "absent")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert f"train.accuracy: {tmp_path / 'absent'} holds no data set" in done.stderr


def test_every_arm_resolves():
    hard = [name for group in arms.HARD for name in group]
    assert set(arms.ORDER) | set(hard) == set(arms.ARMS)
    assert len(set(arms.ORDER)) == len(arms.ORDER) and len(set(hard)) == len(hard)
    assert {name for pair in arms.AGAINST for name in pair} | {arms.REFERENCE, arms.WORST, *arms.WINNERS} <= set(arms.ARMS)
    assert arms.ARMS["bf16"].seeds >= 5 and min(arm.seeds for arm in arms.ARMS.values()) >= 3
    for name in arms.ARMS:
        forward, input_grad, weight_grad = arms.configs(name).values()
        if name == "fp32":
            assert forward is input_grad is weight_grad is None
        elif name == "fp8":
            assert (forward.a_format, input_grad.a_format, weight_grad.a_format, forward.streams) == ("e4m3", "e5m2", "e5m2", 1)
        elif not name.startswith("only-"):
            assert forward == input_grad == weight_grad
    assert arms.configs("bf16")["forward"].streams == 1
    found = arms.configs("s4-t3")["forward"]
    assert (found.streams, found.lo_bits, found.lo_round, found.policy) == (4, 3, "nearest", "exponent")
    found = arms.configs("s2-t1-trunc")["forward"]
    assert (found.streams, found.lo_bits, found.lo_round) == (2, 1, "truncate")
    assert [c.streams for c in arms.configs("only-input-grad").values()] == [1, 2, 1]
    for name in ("safe2", "lean2", "alike2", "safe4", "lean4", "alike4"):
        assert str(arms.configs(name)["forward"]) == str(type(found)(name))
    assert arms.describe("fp32") == "float32"
    assert arms.describe("only-forward").startswith("forward: --rows 16 --cols 16 --streams 2")


def arithmetic(text):
    """What decides the bits, of each GEMM that a line of arms.describe() names. The first runs do not name an accumulator, which
    was rounded."""
    others = {"rows", "cols", "pipeline", "clock-gating", "prefix"}
    found = [dict(re.findall(r"--(\S+) (\S+?)(?:;|\s|$)", part)) for part in text.split("; ")]
    return [{"accumulator": "rounded", **{name: value for name, value in one.items() if name not in others}} for one in found]


def test_the_committed_runs_are_of_todays_arms():
    rows = read_rows(ROOT / "docs/accuracy/runs.csv")
    assert len(rows) > 90
    for row in rows:
        assert arithmetic(row["config"]) == arithmetic(arms.describe(row["arm"])), row["arm"]
    assert arithmetic(arms.describe("s2-t4")) != arithmetic(arms.describe("s2-t3"))


def test_time_left(monkeypatch):
    """Two runs of cost 1 and one of cost 3; a resumed one counts from where it begins here."""
    now = [0.0]
    monkeypatch.setattr(accuracy.time, "monotonic", lambda: now[0])
    runs = [accuracy.Run("bf16", 0), accuracy.Run("bf16", 1), accuracy.Run("s4-t4", 0)]
    progress = accuracy.Progress(runs)
    progress.step(runs[0], 50, 100)
    assert str(progress) == "0 of 3 runs done, time unknown left"
    now[0] = 600.0
    progress.step(runs[0], 100, 100)
    progress.finished(runs[0])
    assert str(progress) == "1 of 3 runs done, 1 h 20 min left"  # half a run in 10 minutes, 4 runs to do
    progress.failed(runs[2])
    assert str(progress) == "1 of 2 runs done, 20 min left"


def test_names_of_layers_of_both_models():
    """Both networks take both data sets' channels and shapes, and have the size they are said to have."""
    import torch

    from train import model

    for name, parameters in (("resnet18", 11.2e6), ("vgg7", 0.29e6)):
        for channels, side in ((1, 28), (3, 32)):
            network = model.build(name, channels, 0)
            assert network(torch.zeros(2, channels, side, side)).shape == (2, data.CLASSES)
            assert sum(p.numel() for p in network.parameters()) == pytest.approx(parameters, rel=0.02)
    assert np.array_equal(*(model.build("resnet18", 1, 5).conv1.weight.detach().numpy() for _ in range(2)))


# ---- the study where it is hard ----

@pytest.fixture
def sources(tmp_path):
    """What stands for CIFAR-10, and a text."""
    (tmp_path / "cifar").mkdir()
    (tmp_path / "cifar" / "data_batch_1.bin").touch()
    (tmp_path / "plays.txt").write_text("to be or not to be " * 100)
    return "--data", tmp_path / "cifar", "--text", tmp_path / "plays.txt"


def test_the_hard_study_does_the_pairs_that_matter_first(study, sources, tmp_path):
    names = "--networks", "resnet20-stride,gpt-small", "--arms", "fp32,bf16,safe2", "--seeds", "0,1", "--jobs", "1"
    assert study(*names, *sources).returncode == 0
    assert calls(tmp_path) == [f"{arm} {seed}" for arms_of in (("bf16", "safe2"), ("fp32",)) for seed in (0, 1) for arm in arms_of
                               for _ in range(2)]
    rows = read_rows(tmp_path / "output" / "runs.csv")
    assert [(row["dataset"], row["model"], row["epochs"], row["lr"]) for row in rows[:2]] == [
        ("cifar10", "resnet20-stride", "1", "0.1"), ("plays", "gpt-small", "0.8", "0.003")]
    assert study(*names, *sources).returncode == 0 and len(calls(tmp_path)) == 12
    text = (tmp_path / "output" / "report.md").read_text()
    assert "## gpt-small on plays, 0.8 epochs" in text and "| `safe2` |" in text
    assert study("--networks", "gpt-small", "--check-lr", *sources, "--jobs", "1").returncode == 0
    assert calls(tmp_path)[12:] == ["bf16 0", "alike2-2 0"] * 2
    assert {row["lr"] for row in read_rows(tmp_path / "output" / "runs.csv")} == {"0.1", "0.003", "0.0009", "0.009"}


def test_the_whole_of_the_hard_study(sources):
    options = types.SimpleNamespace(networks=studies.SHORT, data=sources[1], text=sources[3], check_lr=False, arms=arms.ORDER, seeds=None)
    runs = list(accuracy.hard_plan(options))
    assert len(runs) == len(set(runs)) == 4 * len(studies.SEEDS) * sum(map(len, arms.HARD))
    assert runs[0].arm == "bf16" and {run.arm for run in runs[:4 * 3 * len(arms.HARD[0])]} == set(arms.HARD[0])
    assert {run.dataset for run in runs} == {"cifar10", "plays"}
    with pytest.raises(StudyError, match="holds no data set"):
        accuracy.hard_plan(types.SimpleNamespace(**{**vars(options), "data": sources[1].parent}))
    images = studies.named("vit")
    assert [run.dataset for run in accuracy.hard_plan(types.SimpleNamespace(**{**vars(options), "networks": images, "text": None}))][0] == "cifar10"


@pytest.mark.parametrize("words, text", [
    (["--networks", "vit-large"], "there is no network 'vit-large' in the study; there are resnet20-stride, "),
    (["--networks", "short"], "a language model needs a text; give --text FILE"),
    (["--networks", "vit", "--lr", "1"], "--networks have a lr of their own; give --lr without it"),
    (["--check-lr"], "--check-lr is of --networks; give both"),
    (["--device", "tpu"], "invalid choice: 'tpu'"),
])
def test_bad_options_of_the_hard_study(study, words, text):
    done = study(*words)
    assert done.returncode == 2 and text in done.stderr and done.stdout == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(study):
    done = study("--device", "cuda")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "no NVIDIA GPU that PyTorch can use here" in done.stderr
