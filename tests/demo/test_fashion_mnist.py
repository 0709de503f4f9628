"""The data set's reader: what is right, and every kind of file that is not."""
import gzip
import sys

import numpy as np
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "demo"))
import fashion_mnist  # noqa: E402


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write(directory, name, images, labels):
    directory.mkdir(exist_ok=True)
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        (directory / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx(array)))


@pytest.fixture
def data(tmp_path):
    images = np.arange(5 * 2 * 3).reshape(5, 2, 3)
    write(tmp_path, "train", images, np.array([0, 1, 2, 3, 9]))
    write(tmp_path, "t10k", images[:2], np.array([4, 5]))
    return tmp_path


def test_reads_what_was_written(data):
    train, test = fashion_mnist.load(data)
    assert train.images.shape == (5, 6) and test.images.shape == (2, 6)
    assert train.images.ravel().tolist() == list(range(30))
    assert test.labels.tolist() == [4, 5]


def test_reads_the_package():
    train, test = fashion_mnist.load()
    assert train.images.shape == (60000, 784) and test.images.shape == (10000, 784)
    assert np.bincount(test.labels).tolist() == [1000] * 10


IMAGES = "train-images-idx3-ubyte.gz"
GOOD = gzip.compress(idx(np.zeros((5, 2, 3))))

BROKEN = {
    "not gzip": (b"plain", "cannot be read"),
    "empty": (b"", "not an IDX file"),
    "cut short": (GOOD[:-12], "cannot be read"),
    "one bit wrong": (GOOD[:14] + bytes([GOOD[14] ^ 255]) + GOOD[15:], "cannot be read"),
    "wrong magic": (gzip.compress(b"\1" + idx(np.zeros((5, 2, 3)))[1:]), "not an IDX file"),
    "wrong type": (gzip.compress(b"\0\0\x0d\3" + bytes(42)), "not an IDX file"),
    "header only in part": (gzip.compress(b"\0\0\x08\3\0"), "not an IDX file"),
    "too few bytes": (gzip.compress(idx(np.zeros((5, 2, 3)))[:-1]), "its header says 5x2x3"),
    "too many bytes": (gzip.compress(idx(np.zeros((5, 2, 3))) + b"x"), "its header says 5x2x3"),
    "huge header": (gzip.compress(b"\0\0\x08\3" + b"\xff" * 12), "its header says"),
    "fewer images": (gzip.compress(idx(np.zeros((4, 2, 3)))), "4 train images, but 5 labels"),
    "other size": (gzip.compress(idx(np.zeros((5, 2, 2)))), "different sizes"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_refuses(data, name):
    content, text = BROKEN[name]
    (data / IMAGES).write_bytes(content)
    with pytest.raises(fashion_mnist.DataError, match=text) as caught:
        fashion_mnist.load(data)
    assert "\n" not in str(caught.value)


def test_refuses_a_missing_file(data):
    (data / IMAGES).unlink()
    with pytest.raises(fashion_mnist.DataError, match="is not there; install dataset-fashion-mnist"):
        fashion_mnist.load(data)


@pytest.mark.parametrize("labels", [[], [0, 1, 2, 3, 10]])
def test_refuses_labels(data, labels):
    write(data, "train", np.zeros((len(labels), 2, 3)), np.array(labels))
    with pytest.raises(fashion_mnist.DataError, match="labels outside 0..9, or none"):
        fashion_mnist.load(data)
