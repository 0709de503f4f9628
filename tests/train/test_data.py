"""The readers of data sets: good files, and what they say about bad ones."""
import gzip
import pathlib
import pickle

import numpy as np
import pytest
import torch

from training import ROOT  # noqa: F401
from train import StudyError, data

RECORD = 1 + 3 * 32 * 32


def cifar_file(path, seed):
    records = np.random.default_rng(seed).integers(0, 256, (10000, RECORD), np.uint8)
    records[:, 0] %= 10
    path.write_bytes(records.tobytes())
    return records


@pytest.fixture(scope="module")
def cifar_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("cifar")
    return directory, [cifar_file(directory / name, i) for i, name in enumerate(data.CIFAR_TRAIN + data.CIFAR_TEST)]


@pytest.fixture
def cifar(cifar_files, tmp_path):
    """A directory of its own with the six files, by symbolic links."""
    for path in cifar_files[0].iterdir():
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), 1))


@pytest.fixture
def fashion(tmp_path):
    rng = np.random.default_rng(0)
    for name, count in (("train", 30), ("t10k", 20)):
        idx(tmp_path / f"{name}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28)))
        idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", rng.integers(0, 10, count))
    return tmp_path


def test_cifar(cifar_files):
    directory, records = cifar_files
    dataset = data.load(directory)
    assert dataset.name == "cifar10" and dataset.channels == 3
    assert dataset.train.images.shape == (50000, 3, 32, 32) and dataset.test.images.shape == (10000, 3, 32, 32)
    assert np.array_equal(dataset.train.labels[20000:30000], records[2][:, 0])
    # A record is the label, then the red, green and blue planes by rows.
    assert dataset.test.images[7, 1, 2, 3] == records[5][7, 1 + 1024 + 2 * 32 + 3]
    assert dataset.mean.flatten().tolist() == pytest.approx(3 * [127.5], abs=0.1)


def test_normalised():
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8)).astype(np.uint8)
    images[:, 1] //= 4
    dataset = data.normalised("small", data.Set(images, np.arange(40, dtype=np.uint8) % 10), None)
    x, y = dataset.batch(*dataset.train)
    mean, std = images.mean((0, 2, 3)), images.std((0, 2, 3))
    np.testing.assert_allclose(x.numpy(), (images - mean[:, None, None]) / std[:, None, None], rtol=0, atol=1e-5)
    assert y.tolist() == dataset.train.labels.tolist()


def test_fashion_mnist(fashion):
    dataset = data.load(fashion)
    assert dataset.name == "fashion-mnist"
    assert dataset.train.images.shape == (30, 1, 28, 28) and dataset.test.images.shape == (20, 1, 28, 28)
    x, _ = dataset.batch(*dataset.train)
    assert abs(float(x.mean())) < 1e-4 and abs(float(x.std()) - 1) < 1e-2


def test_missing_cifar_file(cifar):
    (cifar / "data_batch_3.bin").unlink()
    with pytest.raises(StudyError, match="data_batch_3.bin is not there; .* all six"):
        data.load(cifar)


@pytest.mark.parametrize("size", [0, 10000 * RECORD - 1, 10000 * RECORD + 1, 9999 * RECORD])
def test_cifar_file_of_a_wrong_size(cifar, size):
    path = cifar / "test_batch.bin"
    path.unlink()
    path.write_bytes(bytes(size))
    with pytest.raises(StudyError, match=f"test_batch.bin has {size} bytes; .* has 30730000"):
        data.load(cifar)


def test_cifar_label_out_of_range(cifar):
    path = cifar / "data_batch_1.bin"
    content = bytearray(path.read_bytes())
    content[RECORD * 5] = 10
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(StudyError, match="data_batch_1.bin has the label 10; .* 0 to 9"):
        data.load(cifar)


def test_fashion_file_cut_short(fashion):
    path = fashion / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StudyError, match="train-images-idx3-ubyte.gz cannot be read"):
        data.load(fashion)


def test_fashion_file_of_another_kind(fashion):
    idx(fashion / "t10k-images-idx3-ubyte.gz", np.zeros(20))
    with pytest.raises(StudyError, match="t10k-images-idx3-ubyte.gz is not an IDX file of bytes in 3 dimensions"):
        data.load(fashion)


def test_fashion_file_missing(fashion):
    (fashion / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(StudyError, match="t10k-labels-idx1-ubyte.gz is not there; install dataset-fashion-mnist"):
        data.load(fashion)


@pytest.mark.parametrize("name", ["", "absent"])
def test_no_data_set(tmp_path, name):
    with pytest.raises(StudyError, match="holds no data set; it must hold Fashion-MNIST .* or CIFAR-10"):
        data.load(tmp_path / name)


def test_images_of_one_colour(fashion):
    idx(fashion / "train-images-idx3-ubyte.gz", np.full((30, 28, 28), 7))
    with pytest.raises(StudyError, match="of one colour only"):
        data.load(fashion)


# ---- CIFAR-10 in its other forms ----

@pytest.fixture(scope="module")
def python_files(cifar_files, tmp_path_factory):
    """The Python version of the same records, in the folder that the published archive unpacks to."""
    directory, records = tmp_path_factory.mktemp("python"), cifar_files[1]
    place = directory / "cifar-10-batches-py"
    place.mkdir()
    for name, part in zip(data.CIFAR_TRAIN + data.CIFAR_TEST, records):
        content = {b"data": part[:, 1:], b"labels": part[:, 0].tolist(), b"batch_label": b"x"}
        (place / name[: -len(".bin")]).write_bytes(pickle.dumps(content, protocol=2))
    return directory


def test_the_python_version_holds_the_same(cifar_files, python_files):
    ours, theirs = data.load(python_files), data.load(cifar_files[0])
    assert ours.name == "cifar10"
    for one, other in zip((*ours.train, *ours.test), (*theirs.train, *theirs.test)):
        assert one.dtype == other.dtype and np.array_equal(one, other)


@pytest.mark.parametrize("content, text", [
    (b"no pickle", "is not a file of CIFAR-10's Python version"),
    (pickle.dumps({b"data": np.zeros((5, 3072), np.uint8), b"labels": [0] * 5}), "it must have 10000 images of 3072 bytes"),
    (pickle.dumps({b"data": np.zeros((10000, 3072), np.uint8), b"labels": [0] * 9999 + [10]}), "labels from 0 to 10; .* 0 to 9"),
    (pickle.dumps(pathlib.Path("x")), "Path is no part of it"),
], ids=["no pickle", "few", "label", "call"])
def test_a_bad_file_of_the_python_version(python_files, tmp_path, content, text):
    for path in (python_files / "cifar-10-batches-py").iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "data_batch_2").unlink()
    (tmp_path / "data_batch_2").write_bytes(content)
    with pytest.raises(StudyError, match=text):
        data.load(tmp_path)


def test_a_pickle_calls_nothing(python_files, tmp_path):
    class Trap:
        def __reduce__(self):
            return pathlib.Path.touch, (tmp_path / "trapped",)

    (tmp_path / "test_batch").write_bytes(pickle.dumps({b"data": Trap()}))
    with pytest.raises(StudyError, match="is no part of it"):
        data._cifar_pickle(tmp_path / "test_batch")
    assert not (tmp_path / "trapped").exists()


@pytest.fixture(params=[".png", ".jpg"])
def folders(request, tmp_path):
    """Images of one colour each, in folders of classes; NAME says which colour."""
    image = pytest.importorskip("PIL.Image")
    for part, count in (("train", 3), ("test", 2)):
        for label, name in enumerate(data.CIFAR_CLASSES):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(count):
                image.new("RGB", (32, 32), (20 * label, 50 * i, 100 + i)).save(tmp_path / part / name / f"{i:04}{request.param}")
    return tmp_path, request.param


def test_folders_of_images(folders):
    directory, suffix = folders
    dataset = data.load(directory)
    assert dataset.name == data.detect(directory) == {".png": "cifar10", ".jpg": "cifar10-jpeg"}[suffix]
    assert dataset.train.images.shape == (30, 3, 32, 32) and dataset.test.images.shape == (20, 3, 32, 32)
    assert dataset.train.labels.tolist() == [label for label in range(10) for _ in range(3)]
    np.testing.assert_allclose(dataset.train.images[7 * 3 + 2, :, 5, 9], (140, 100, 102), atol=0 if suffix == ".png" else 4)


def test_bad_folders_of_images(folders):
    from PIL import Image

    directory, suffix = folders
    path = directory / "train" / "frog" / f"0001{suffix}"
    Image.new("RGB", (33, 32)).save(path)
    with pytest.raises(StudyError, match=f"frog/0001{suffix} has 33 x 32 pixels; CIFAR-10's images have 32 x 32"):
        data.load(directory)
    path.write_bytes(b"none")
    with pytest.raises(StudyError, match=f"frog/0001{suffix} cannot be read as an image"):
        data.load(directory)
    for path in (directory / "test" / "ship").iterdir():
        path.unlink()
    (directory / "train" / "frog" / f"0001{suffix}").unlink()
    with pytest.raises(StudyError, match="test/ship holds no images; there must be a folder of them for each of airplane, "):
        data.load(directory)


# ---- texts ----

def test_a_text(tmp_path):
    (tmp_path / "words.txt").write_text("abcdefghij" * 100 + "\u00e9" * 111)
    text = data.load_text(tmp_path, 7)
    assert text == data.load_text(tmp_path / "words.txt", 7)._replace(train=text.train, test=text.test)
    assert (text.name, text.inputs, len(text.train), len(text.test), text.examples) == ("words", 11, 1000, 111, 141)
    seen = []
    for epoch in range(2):
        parts = [text.train_batch(5, epoch * 9 + step, 16) for step in range(9)]
        x, y = (torch.cat(part) for part in zip(*parts))
        assert x.shape == y.shape == (141, 7) and torch.equal(x[:, 1:], y[:, :-1])
        assert ((y - x) % 10 == 1).all()  # of the letters that were written in turn
        seen.append(x)
    assert not torch.equal(*seen) and torch.equal(text.train_batch(5, 9, 16)[0], seen[1][:16])
    batches = list(text.test_batches(10))
    assert sum(len(x) for x, _ in batches) == 15 and all((y == 10).all() for _, y in batches)


def test_an_epoch_reads_every_window_once(tmp_path):
    text = data.Text("counted", 1000, np.arange(1000, dtype=np.int32), np.arange(9), 8)
    x = torch.cat([text.train_batch(3, step, 20)[0] for step in range(7)])
    assert len(x) == text.examples == 124
    first = np.sort(x[:, 0].numpy())
    assert (np.diff(first) == 8).all() and 0 <= first[0] < 8


@pytest.mark.parametrize("files, text", [
    ({}, "holds no texts; give a file of plain text, or a directory with one .txt"),
    ({"a.txt": b"x" * 200, "b.txt": b"x"}, "holds 2 texts"),
    ({"a.txt": b"\xff" * 200}, "a.txt cannot be read as a text of UTF-8"),
    ({"a.txt": b"x" * 79}, "a.txt has 79 characters; it must have 80 or more"),
])
def test_bad_texts(tmp_path, files, text):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StudyError, match=text):
        data.load_text(tmp_path, 7)
