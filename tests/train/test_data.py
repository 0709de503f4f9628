"""The readers of data sets: good files, and what they say about bad ones."""
import gzip

import numpy as np
import pytest

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
