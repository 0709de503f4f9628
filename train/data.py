"""Data sets: Fashion-MNIST as Debian packages it, CIFAR-10 as it is published or as folders of images, a text. Which one a
directory holds shows in its files."""
import math
import pathlib
import pickle
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
CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR_FOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py")  # what the published archives unpack to
IMAGES = {".jpg": "cifar10-jpeg", ".jpeg": "cifar10-jpeg", ".png": "cifar10"}  # JPEG has lost some of the pixels: another name

TEST_SHARE = 10  # of a text, at its end: one in so many characters is for the test
GUESS = {"images": math.log(CLASSES), "text": math.log(27)}  # the loss of a guess: of a class, of a letter or a space


class Set(NamedTuple):
    images: np.ndarray  # count x channels x rows x columns, uint8
    labels: np.ndarray  # count, uint8


def _share(generator, count, step, size):
    """The places of a step's part of an epoch of COUNT, in the generator's order."""
    order = generator.permutation(count)
    return order[step * size : (step + 1) * size]


class Dataset(NamedTuple):
    name: str
    train: Set
    test: Set
    mean: torch.Tensor  # of the training set's pixels, in 0..255, shape channels x 1 x 1
    std: torch.Tensor

    @property
    def channels(self):
        return self.train.images.shape[1]

    inputs = channels  # what a network is built for

    @property
    def examples(self):
        return len(self.train.labels)

    def batch(self, images, labels):
        """The images as normalised float32 in channels-last order, and the labels as int64."""
        pixels = (torch.from_numpy(images.astype(np.float32)) - self.mean) / self.std
        return pixels.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels.astype(np.int64))

    def train_batch(self, seed, step, size):
        """Of a step: a new order and new flips in each epoch, from the seed alone."""
        images, labels = self.train
        epoch, place = divmod(step, math.ceil(len(labels) / size))
        generator = np.random.default_rng([seed, epoch])
        chosen = _share(generator, len(labels), place, size)
        flips = (generator.random(len(labels)) < 0.5)[place * size : (place + 1) * size]
        picked = images[chosen]
        flipped = np.where(flips[:, None, None, None], picked[..., ::-1], picked)
        return self.batch(flipped, labels[chosen])

    def test_batches(self, size):
        for start in range(0, len(self.test.labels), size):
            yield self.batch(*(array[start : start + size] for array in self.test))


class Text(NamedTuple):
    """Windows of LENGTH characters; the label of each is the character behind it."""

    name: str
    inputs: int  # different characters
    train: np.ndarray  # characters by their places in the alphabet
    test: np.ndarray
    length: int

    @property
    def examples(self):
        return (len(self.train) - self.length) // self.length

    def windows(self, text, starts):
        rows = torch.from_numpy(text[starts[:, None] + np.arange(self.length + 1)].astype(np.int64))
        return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()

    def train_batch(self, seed, step, size):
        """Of a step: in each epoch windows from another first character on, in another order, from the seed alone."""
        epoch, place = divmod(step, math.ceil(self.examples / size))
        generator = np.random.default_rng([seed, epoch])
        first = generator.integers(self.length)
        return self.windows(self.train, first + self.length * _share(generator, self.examples, place, size))

    def test_batches(self, size):
        starts = np.arange(0, len(self.test) - self.length, self.length)
        for start in range(0, len(starts), size):
            yield self.windows(self.test, starts[start : start + size])


def _python_names(names):
    return [name[: -len(".bin")] for name in names]


def _images_in(directory):
    """The suffix of the images of a folder of folders, train/CLASS/NAME.jpg, or None."""
    found = {path.suffix.lower() for path in (directory / "train" / CIFAR_CLASSES[0]).glob("*")}
    return next((suffix for suffix in IMAGES if suffix in found), None)


def _cifar_form(directory):
    """How a directory holds CIFAR-10: where, and what reads a part of it; None where it does not."""
    for place in (directory, *(directory / name for name in CIFAR_FOLDERS)):
        for names, read in ((lambda names: names, _cifar_file), (_python_names, _cifar_pickle)):
            if any((place / name).exists() for name in names(CIFAR_TRAIN + CIFAR_TEST)):
                return lambda part, place=place, names=names, read=read: _joined(
                    read(place / name) for name in names(dict(train=CIFAR_TRAIN, test=CIFAR_TEST)[part]))
    return (lambda part: _cifar_images(directory / part)) if _images_in(directory) else None


def detect(directory):
    """The name of the data set of images in a directory, by its files."""
    directory = pathlib.Path(directory)
    if _cifar_form(directory):
        return IMAGES.get(_images_in(directory), "cifar10")
    if any(directory.glob("*-ubyte.gz")):
        return "fashion-mnist"
    raise StudyError(
        f"{directory} holds no data set; it must hold Fashion-MNIST (train-images-idx3-ubyte.gz and its companions, Debian "
        f"package {fashion_mnist.PACKAGE}) or CIFAR-10 (data_batch_1.bin or data_batch_1 and its companions, or images "
        f"train/{CIFAR_CLASSES[0]}/NAME.png or .jpg and so on, and test/ likewise)"
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


class _Plain(pickle.Unpickler):
    """Reads arrays, and nothing else that a pickle could call."""

    def find_class(self, module, name):
        numpy_parts = module.split(".")[0] == "numpy" and name in ("_reconstruct", "_frombuffer", "ndarray", "dtype")
        if numpy_parts or (module, name) == ("_codecs", "encode"):  # the latter is how Python 3 writes bytes for Python 2
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of it")


def _cifar_pickle(path):
    """A file of CIFAR-10's Python version: a dictionary with the pixels and the labels."""
    try:
        with path.open("rb") as file:
            found = _Plain(file, encoding="bytes").load()
        pixels, labels = found[b"data"], np.array(found[b"labels"])
    except FileNotFoundError:
        raise StudyError(f"{path} is not there; the directory must hold all six files of CIFAR-10's Python version") from None
    except (OSError, EOFError, KeyError, TypeError, ValueError, AttributeError, ImportError, IndexError, pickle.UnpicklingError) as error:
        raise StudyError(f"{path} is not a file of CIFAR-10's Python version ({error})") from None
    shape = CIFAR_RECORDS, int(np.prod(CIFAR_SHAPE))
    if getattr(pixels, "shape", None) != shape or pixels.dtype != np.uint8 or labels.shape != shape[:1]:
        raise StudyError(f"{path} is not a file of CIFAR-10's Python version; it must have {shape[0]} images of {shape[1]} bytes")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise StudyError(f"{path} has labels from {labels.min()} to {labels.max()}; CIFAR-10's labels are 0 to {CLASSES - 1}")
    return Set(pixels.reshape(-1, *CIFAR_SHAPE), labels.astype(np.uint8))


def _cifar_images(directory):
    """Images in a folder for each class, in the order of their names."""
    try:
        from PIL import Image
    except ImportError:
        raise StudyError(f"{directory} holds images, which need Pillow; install python3-pil, or give CIFAR-10's binary files") from None
    images, labels = [], []
    for label, name in enumerate(CIFAR_CLASSES):
        paths = sorted(path for path in (directory / name).glob("*") if path.suffix.lower() in IMAGES)
        if not paths:
            raise StudyError(f"{directory / name} holds no images; there must be a folder of them for each of {', '.join(CIFAR_CLASSES)}")
        for path in paths:
            try:
                with Image.open(path) as image:
                    pixels = np.asarray(image.convert("RGB"), np.uint8)
            except OSError as error:
                raise StudyError(f"{path} cannot be read as an image ({error})") from None
            if pixels.shape != (32, 32, 3):
                raise StudyError(f"{path} has {pixels.shape[1]} x {pixels.shape[0]} pixels; CIFAR-10's images have 32 x 32")
            images.append(pixels)
        labels += [label] * len(paths)
    return Set(np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2)), np.array(labels, np.uint8))


def _joined(parts):
    return Set(*(np.concatenate(arrays) for arrays in zip(*parts)))


def _fashion(part):
    side = int(round(part.images.shape[1] ** 0.5))
    if side * side != part.images.shape[1]:
        raise StudyError(f"images of {part.images.shape[1]} pixels are not square; Fashion-MNIST's are 28 x 28")
    return Set(part.images.reshape(-1, 1, side, side), part.labels)


def load(directory=DIRECTORY):
    """The data set of images in a directory. StudyError: a file is missing, cut short, or something else."""
    directory = pathlib.Path(directory)
    name, cifar = detect(directory), _cifar_form(directory)
    if cifar:
        train, test = cifar("train"), cifar("test")
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


def find_text(path):
    """The file of a text: PATH, or the one .txt in it."""
    path = pathlib.Path(path)
    found = [path] if path.is_file() else sorted(path.glob("*.txt"))
    if len(found) != 1:
        raise StudyError(f"{path} holds {len(found) or 'no'} texts; give a file of plain text, or a directory with one .txt")
    return found[0]


def load_text(path, length):
    """The text as windows of LENGTH characters; its last part is for the test."""
    path = find_text(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} cannot be read as a text of UTF-8 ({error})") from None
    letters, codes = np.unique(np.array(list(text)), return_inverse=True)
    test = len(codes) // TEST_SHARE
    if test <= length:
        raise StudyError(f"{path} has {len(codes)} characters; it must have {TEST_SHARE * (length + 1)} or more")
    codes = codes.astype(np.int32)
    return Text(path.stem, len(letters), codes[:-test], codes[-test:], length)
