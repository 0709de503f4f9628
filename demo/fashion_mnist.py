"""Fashion-MNIST as Debian's package dataset-fashion-mnist holds it: gzipped IDX files."""
import gzip
import pathlib
import zlib
from typing import NamedTuple

import numpy as np

PACKAGE = "dataset-fashion-mnist"
DIRECTORY = pathlib.Path("/usr/share/datasets/fashion-mnist")
CLASSES = 10


class DataError(Exception):
    """A file of the data set is missing or is not what it should be; the text is one line."""


class Set(NamedTuple):
    images: np.ndarray  # count x pixels, uint8
    labels: np.ndarray  # count, uint8


def read_idx(path, dimensions):
    """The uint8 array in an IDX file: 0, 0, type 8, number of dimensions, each big-endian, then the bytes."""
    try:
        with gzip.open(path) as file:
            data = file.read()
    except FileNotFoundError:
        raise DataError(f"{path} is not there; install {PACKAGE}, or name the directory by DATA=") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}); reinstall {PACKAGE}") from None
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes([0, 0, 8, dimensions]):
        raise DataError(f"{path} is not an IDX file of bytes in {dimensions} dimensions; reinstall {PACKAGE}")
    shape = [int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4)]
    if len(data) - start != np.prod(shape, dtype=object):
        size = "x".join(map(str, shape))
        raise DataError(f"{path} holds {len(data) - start} bytes, its header says {size}; reinstall {PACKAGE}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_set(directory, name):
    """NAME is the files' first word, "train" or "t10k"."""
    images = read_idx(directory / f"{name}-images-idx3-ubyte.gz", 3)
    labels = read_idx(directory / f"{name}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(labels):
        raise DataError(f"{directory} has {len(images)} {name} images, but {len(labels)} labels; reinstall {PACKAGE}")
    if len(labels) == 0 or labels.max() >= CLASSES:
        raise DataError(f"{directory} has {name} labels outside 0..{CLASSES - 1}, or none; reinstall {PACKAGE}")
    return Set(images.reshape(len(images), -1), labels)


def load(directory=DIRECTORY):
    """The training set and the test set."""
    train, test = read_set(directory, "train"), read_set(directory, "t10k")
    if train.images.shape[1] != test.images.shape[1]:
        raise DataError(f"{directory} has training and test images of different sizes; reinstall {PACKAGE}")
    return train, test
