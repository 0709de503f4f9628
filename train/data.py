"""Data sets: Fashion-MNIST as Debian packages it, CIFAR-10 in its standard binary files. Which one a directory holds
shows in its files."""
import pathlib
from typing import NamedTuple

import numpy as np
import torch

from demo import fashion_mnist
from train import StudyError

DIRECTORY = fashion_mnist.DIRECTORY
CLASSES = 10

CIFAR_TRAIN = [f"data_batch_{i}.bin" for i in range(1, 6)]
CIFAR_TEST = ["test_batch.bin"]
CIFAR_SHAPE = (3, 32, 32)
CIFAR_RECORDS = 10000  # in each file; a record is a label and the pixels, a byte each


class Set(NamedTuple):
    images: np.ndarray  # count x channels x rows x columns, uint8
    labels: np.ndarray  # count, uint8


class Dataset(NamedTuple):
    name: str
    train: Set
    test: Set
    mean: torch.Tensor  # of the training set's pixels, in 0..255, shape channels x 1 x 1
    std: torch.Tensor

    @property
    def channels(self):
        return self.train.images.shape[1]

    def batch(self, images, labels):
        """The images as normalised float32 in channels-last order, and the labels as int64."""
        pixels = (torch.from_numpy(images.astype(np.float32)) - self.mean) / self.std
        return pixels.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels.astype(np.int64))


def detect(directory):
    """The name of the data set in a directory, by its files."""
    directory = pathlib.Path(directory)
    if any((directory / name).exists() for name in CIFAR_TRAIN + CIFAR_TEST):
        return "cifar10"
    if any(directory.glob("*-ubyte.gz")):
        return "fashion-mnist"
    raise StudyError(
        f"{directory} holds no data set; it must hold Fashion-MNIST (train-images-idx3-ubyte.gz and its companions, Debian "
        f"package {fashion_mnist.PACKAGE}) or CIFAR-10 (binary version, data_batch_1.bin and its companions)"
    )


def _cifar_file(path):
    record = 1 + int(np.prod(CIFAR_SHAPE))
    try:
        data = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise StudyError(f"{path} is not there; the directory must hold all six .bin files of CIFAR-10") from None
    except OSError as error:
        raise StudyError(f"{path} cannot be read ({error.strerror})") from None
    if len(data) != CIFAR_RECORDS * record:
        raise StudyError(f"{path} has {len(data)} bytes; a file of CIFAR-10's binary version has {CIFAR_RECORDS * record}")
    data = data.reshape(CIFAR_RECORDS, record)
    if data[:, 0].max() >= CLASSES:
        raise StudyError(f"{path} has the label {data[:, 0].max()}; CIFAR-10's labels are 0 to {CLASSES - 1}")
    return Set(data[:, 1:].reshape(-1, *CIFAR_SHAPE), data[:, 0])


def _cifar(directory, names):
    parts = [_cifar_file(directory / name) for name in names]
    return Set(*(np.concatenate(arrays) for arrays in zip(*parts)))


def _fashion(part):
    side = int(round(part.images.shape[1] ** 0.5))
    if side * side != part.images.shape[1]:
        raise StudyError(f"images of {part.images.shape[1]} pixels are not square; Fashion-MNIST's are 28 x 28")
    return Set(part.images.reshape(-1, 1, side, side), part.labels)


def load(directory=DIRECTORY):
    """The data set in a directory. StudyError: a file is missing, cut short, or something else."""
    directory = pathlib.Path(directory)
    name = detect(directory)
    if name == "cifar10":
        train, test = _cifar(directory, CIFAR_TRAIN), _cifar(directory, CIFAR_TEST)
    else:
        try:
            train, test = map(_fashion, fashion_mnist.load(directory))
        except fashion_mnist.DataError as error:
            raise StudyError(str(error)) from None
    return normalised(name, train, test)


def normalised(name, train, test):
    """A data set with the mean and standard deviation of its training pixels, from exact sums of integers."""
    channels = train.images.shape[1]
    # In parts, because bincount makes eight bytes of each pixel.
    histograms = [sum(np.bincount(part.ravel(), minlength=256) for part in np.array_split(train.images[:, c], 64))
                  for c in range(channels)]
    values = np.arange(256)
    mean = np.array([(h * values).sum() / h.sum() for h in histograms])
    square = np.array([(h * values**2).sum() / h.sum() for h in histograms])
    std = np.sqrt(square - mean**2)
    if not std.all():
        raise StudyError(f"the training images of {name} are of one colour only; this is no data set to train on")
    as_tensor = lambda x: torch.tensor(x, dtype=torch.float32).reshape(channels, 1, 1)  # noqa: E731
    return Dataset(name, train, test, as_tensor(mean), as_tensor(std))
