"""Continues one run from the weights of some of its steps in the arithmetic of other arms, to tell what an arithmetic does
from what a run's weights do. `python -m train.fork --help`."""
import argparse
import csv
import io
import pathlib
import sys
import tempfile

from train import arms
from train.accuracy import arm_names
from train.run import (Run, Stopped, add_recipe, command, discard, execute, load_checkpoint, numbers, positive, recipe,
                       save_checkpoint, write_whole)
from train.table import FORKS


def advance(run, dataset, work, steps):
    """The run's checkpoint after so many more steps."""
    asked = 0

    def stop():  # once before each step
        nonlocal asked
        asked += 1
        return asked > steps

    try:
        execute(run, dataset, work, stop)
    except Stopped:
        pass
    return load_checkpoint(work / f"{run.name}.checkpoint")


def fork(run, others, at, count, dataset, work):
    """Rows of FORKS: losses of COUNT steps from each of the steps AT on, in the run's own arithmetic and in the others'.
    WORK has no checkpoint of these runs, and none afterwards."""
    done = 0
    for step in sorted(at):
        state = advance(run, dataset, work, step - done)
        done = step
        for arm in (run.arm, *others):
            other = run._replace(arm=arm)
            save_checkpoint(work / f"{other.name}.checkpoint", dict(state, key=dict(
                state["key"], run=other.name, config=arms.describe(arm))))
            losses = advance(other, dataset, work, count)["losses"][step:]
            discard(other, work)
            yield run.arm, run.seed, step, arm, " ".join(f"{loss:.4f}" for loss in losses.tolist())
        save_checkpoint(work / f"{run.name}.checkpoint", state)
    discard(run, work)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.fork", description="Continue a run from some of its steps in other arithmetic.")
    parser.add_argument("--arm", choices=arms.ARMS, required=True)
    parser.add_argument("--seed", type=int, default=0, help="default %(default)s")
    parser.add_argument("--at", type=numbers, required=True, metavar="STEP,...", help="steps to continue from")
    parser.add_argument("--others", type=arm_names, default=("bf16", "fp32"), metavar="ARM,...", help="default: bf16,fp32")
    parser.add_argument("--count", type=positive(int), default=30, help="steps to continue; default %(default)s")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE.csv")
    add_recipe(parser)
    options = parser.parse_args(arguments)
    with command("train.fork"):
        run = Run(options.arm, options.seed, **recipe(options))
        dataset = run.network.load(options.data)
        last = run.steps(dataset.examples) - options.count
        if not all(0 < step <= last for step in options.at):
            parser.error(f"--at must be steps from 1 to {last}")
        options.work.mkdir(parents=True, exist_ok=True)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(FORKS)
        with tempfile.TemporaryDirectory(prefix="fork-", dir=options.work) as work:
            for row in fork(run, options.others, options.at, options.count, dataset, pathlib.Path(work)):
                print(*row, flush=True)
                writer.writerow(row)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(options.output, out.getvalue().encode())


if __name__ == "__main__":
    sys.exit(main())
