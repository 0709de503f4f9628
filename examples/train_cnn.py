"""Trains a small CNN through the array's arithmetic.

    PYTHONPATH=python python3 -m examples.train_cnn --config safe2

The first and the last layer, which are small and matter most, run with one stream. DATA is Fashion-MNIST as Debian
packages it, or CIFAR-10 in its binary version."""
import argparse
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

import daa
import daa.torch
from common import command
from train import data


def count(text):
    """A number of things, of which there is one at least."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of 1 or more")
    return int(text)


def configured(name, **options):
    try:
        return daa.Config(name, **options)
    except daa.Error as error:
        raise command.Usage(str(error)) from None


def parser(text, steps):
    """What the recipes on images have in common."""
    arguments = command.Parser(description=text.split("\n")[0])
    arguments.add_argument("--data", type=pathlib.Path, default=data.DIRECTORY, help=f"default {data.DIRECTORY}")
    arguments.add_argument("--config", default="safe2", help="a named configuration or a daa.json (default safe2)")
    arguments.add_argument("--steps", type=count, default=steps, help=f"of training (default {steps})")
    arguments.add_argument("--batch", type=count, default=64)
    arguments.add_argument("--seed", type=int, default=0)
    return arguments


def network(channels):
    def block(inputs, outputs):
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                             nn.MaxPool2d(2))

    return nn.Sequential(block(channels, 16), block(16, 32), block(32, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(64, data.CLASSES))


def make(images, seed):
    """The network as the seed makes it, and its optimizer. Channels last is what convolutions in the array are fastest
    with; the images are so already."""
    torch.manual_seed(seed)
    model = network(images.channels).to(memory_format=torch.channels_last)
    return model, torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)


def train(model, optimizer, images, steps, batch, seed, each=lambda step, loss: None):
    order = numpy.random.default_rng(seed)
    for step in range(steps):
        chosen = order.integers(0, len(images.train.labels), batch)
        x, labels = images.batch(images.train.images[chosen], images.train.labels[chosen])
        loss = functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        each(step, float(loss))


def accuracy(model, images, count):
    model.eval()
    with torch.no_grad():
        x, labels = images.batch(images.test.images[:count], images.test.labels[:count])
        right = float((model(x).argmax(1) == labels).float().mean())
    model.train()
    return right


def main():
    arguments = parser(__doc__, 300).parse_args()
    config, images = configured(arguments.config), data.load(arguments.data)
    model, optimizer = make(images, arguments.seed)
    daa.torch.convert(model, {"*": config, "0": config.replace(streams=1), "5": config.replace(streams=1)}, strict=True)
    print(daa.torch.summary(model))
    train(model, optimizer, images, arguments.steps, arguments.batch, arguments.seed,
          lambda step, loss: step % 50 == 0 and print(f"step {step}: loss {loss:.3f}", flush=True))
    print(f"accuracy on 1000 test images {accuracy(model, images, 1000):.3f}")


if __name__ == "__main__":
    sys.exit(command.main("train_cnn", main))
