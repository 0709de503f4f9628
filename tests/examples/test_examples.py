"""The recipes of examples/, in a short form, on small data."""
import csv
import gzip
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from conftest import ROOT

sys.path[:0] = [str(ROOT / "python"), str(ROOT), str(ROOT / "synth")]

import daa  # noqa: E402
import torch  # noqa: E402
from common import command  # noqa: E402
from examples import dump_operands, finetune_transformer, sweep_t, train_cnn  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the tests run side by side
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def images(tmp_path_factory, seed):
    """Ten easy classes in the files of Fashion-MNIST: a bright bar at one of ten places, in noise."""
    directory, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(seed)
    for name, count in ("train", 400), ("t10k", 100):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        pixels = rng.integers(0, 64, (count, 12, 12)).astype(np.uint8)
        for image, label in zip(pixels, labels):
            image[label + 1] += 150
        for kind, array in (f"{name}-images-idx3", pixels), (f"{name}-labels-idx1", labels):
            header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (directory / f"{kind}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes(), 1))
    return directory


@pytest.fixture
def recipe(monkeypatch, capsys):
    def call(module, *words):
        monkeypatch.setattr(sys, "argv", ["recipe", *map(str, words)])
        assert command.main("recipe", module.main) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return call


def test_a_cnn_is_trained(recipe, images):
    printed = recipe(train_cnn, "--data", images, "--steps", 51, "--batch", 32)
    first, last = (float(loss) for loss in re.findall(r"^step \d+: loss (.*)", printed, re.M))
    assert last < 0.7 * first
    assert float(re.search(r"^accuracy on 1000 test images (.*)", printed, re.M)[1]) > 0.5
    assert re.search(r"^5 +Linear +streams=1 a-format=e8m5", printed, re.M)


def test_a_transformer_is_fine_tuned(recipe, tmp_path):
    (tmp_path / "text").write_text("to be or not to be, " * 40)
    (tmp_path / "other").write_text("that is the question: " * 40)
    printed = recipe(finetune_transformer, "--text", tmp_path / "text", "--onto", tmp_path / "other", "--steps", 20, "--tune",
                     20, "--batch", 4)
    found = {name: (float(a), float(b)) for name, a, b in re.findall(r"^(.*): loss (.*) at first, (.*) over", printed, re.M)}
    assert found.keys() == {"float32", "in the array"} and all(last < 0.9 * first for first, last in found.values())
    assert found["float32"] != found["in the array"]


def test_t_is_swept(recipe, images, tmp_path):
    recipe(sweep_t, "--data", images, "--config", "paper", "--steps", 3, "--batch", 16, "--bits", 4, 1, "--test", 20, "-o",
           tmp_path / "sweep.csv")
    with open(tmp_path / "sweep.csv", newline="") as file:
        rows = {row["lo_bits"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["float32", "4", "1"]
    for gemm in daa.torch.GEMMS:
        assert float(rows["float32"][f"{gemm}_db"]) > float(rows["4"][f"{gemm}_db"]) > float(rows["1"][f"{gemm}_db"]) + 10


def test_operands_are_dumped_for_make_energy(recipe, images, tmp_path):
    energy = pytest.importorskip("energy")
    printed = recipe(dump_operands, "--data", images, "--steps", 2, "--batch", 16, tmp_path / "mine")
    assert printed == f"12 files; make energy CONFIG=safe2 OPERANDS={tmp_path / 'mine'}\n"
    found = energy.operand_sets(SimpleNamespace(a=None, operands=tmp_path / "mine"))
    assert sorted(each.name for each in found) == sorted(f"{i}.0.{gemm}" for i in (1, 2) for gemm in daa.torch.GEMMS)
    assert {each.kind for each in found} == set(energy.KINDS)
    assert all((daa.quantize(each.a, "e8m5") == each.a).all() and each.b.any() for each in found)


@pytest.mark.parametrize("module, words, status, text", [
    (train_cnn, ["--steps", "0"], 2, "'0' is not a number of 1 or more"),
    (train_cnn, ["--config", "nix"], 2, "config 'nix' is neither"),
    (train_cnn, ["--data", "/nowhere"], 1, "/nowhere holds no data set"),
    (finetune_transformer, ["--onto", "/nowhere"], 1, "the text cannot be read"),
    (finetune_transformer, ["--onto", "/dev/null"], 1, "the text has 0 characters"),
    (sweep_t, ["--bits", "99"], 2, "lo-bits is '99'"),
    (dump_operands, [str(ROOT)], 1, "is not empty; name another directory"),
])
def test_refused(monkeypatch, capsys, module, words, status, text):
    monkeypatch.setattr(sys, "argv", ["recipe", *words])
    assert command.main("recipe", module.main) == status
    said = capsys.readouterr().err
    assert text in said and said.count("\n") == 1
