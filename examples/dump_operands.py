"""Writes the operands of a training step's GEMMs, for `make energy`, `daagemm` and `daatb`.

    PYTHONPATH=python python3 -m examples.dump_operands --config safe2 build/mine
    make energy CONFIG=safe2 OPERANDS=build/mine

The CNN of train_cnn.py is trained through the array first, since operands are others late in training."""
import pathlib
import sys

import daa.torch
from common import command
from examples import train_cnn
from train import data


def main():
    parser = train_cnn.parser(__doc__, 100)
    parser.add_argument("directory", type=pathlib.Path, help="to write into; it must not be there, or be empty")
    parser.add_argument("--layers", nargs="+", default=["1", "2"], help="of the CNN (default 1 2)")
    arguments = parser.parse_args()
    config = train_cnn.configured(arguments.config)
    if arguments.directory.exists() and any(arguments.directory.iterdir()):
        raise command.Failed(f"{arguments.directory} is not empty; name another directory")
    images = data.load(arguments.data)
    model, optimizer = train_cnn.make(images, arguments.seed)
    daa.torch.convert(model, config)
    train_cnn.train(model, optimizer, images, arguments.steps, arguments.batch, arguments.seed)
    with daa.torch.dump(model, arguments.directory, arguments.layers) as paths:
        train_cnn.train(model, optimizer, images, 1, arguments.batch, arguments.seed + 1)
    print(f"{len(paths)} files; make energy CONFIG={arguments.config} OPERANDS={arguments.directory}")


if __name__ == "__main__":
    sys.exit(command.main("dump_operands", main))
