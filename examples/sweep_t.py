"""Trains the CNN of train_cnn.py with one low bit, two, three and so on: where does accuracy go?

    PYTHONPATH=python python3 -m examples.sweep_t --config paper -o build/sweep.csv

A row for each T: the last loss, the accuracy, and the signal-to-noise ratio of each GEMM in the step after training,
median over the layers. The same first weights and the same images each time; float32 first."""
import csv
import io
import pathlib
import statistics
import sys

import daa.torch
from common import command
from examples import train_cnn
from train import data


def row(name, config, arguments, images):
    model, optimizer = train_cnn.make(images, arguments.seed)
    daa.torch.convert(model, config)
    losses = []
    train_cnn.train(model, optimizer, images, arguments.steps, arguments.batch, arguments.seed,
                    lambda step, loss: losses.append(loss))
    right = train_cnn.accuracy(model, images, arguments.test)
    with daa.torch.observe(model) as record:
        train_cnn.train(model, optimizer, images, 1, arguments.batch, arguments.seed + 1)
    noise = {gemm: statistics.median(r["snr_db"] for r in record.rows if r["gemm"] == gemm) for gemm in daa.torch.GEMMS}
    return {"lo_bits": name, "loss": f"{losses[-1]:.4f}", "accuracy": f"{right:.4f}",
            **{f"{gemm}_db": f"{db:.1f}" for gemm, db in noise.items()}}


def main():
    parser = train_cnn.parser(__doc__, 200)
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 2, 1], help="of low values (default 4 3 2 1)")
    parser.add_argument("--test", type=train_cnn.count, default=1000, help="images (default 1000)")
    parser.add_argument("-o", dest="output", type=pathlib.Path, help="also a CSV file")
    arguments = parser.parse_args()
    configs = {"float32": None, **{str(t): train_cnn.configured(arguments.config, lo_bits=t) for t in arguments.bits}}
    images, rows = data.load(arguments.data), []
    for name, config in configs.items():
        rows.append(row(name, config, arguments, images))
        if len(rows) == 1:
            print(" ".join(f"{key:>14}" for key in rows[0]))
        print(" ".join(f"{value:>14}" for value in rows[-1].values()), flush=True)
    if arguments.output:
        text = io.StringIO()
        table = csv.DictWriter(text, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        command.write_whole(arguments.output, text.getvalue().encode())


if __name__ == "__main__":
    sys.exit(command.main("sweep_t", main))
