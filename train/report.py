"""Tables and plots of a study from its CSV: `python -m train.report DIR`. They are of the runs that are there, however
many, and every figure is of a run's end, never of its best epoch."""
import argparse
import math
import pathlib
from typing import NamedTuple, Optional

import numpy as np

from train import StudyError, arms
from train.run import Run, command, write_whole
from train.table import read_rows

CONFIDENCE = 0.95
PAPER = -0.5  # percentage points: what the paper allows
TARGETS = {2: -0.1, 4: -0.3}  # by streams: ours
SMOOTH = 51  # steps of the moving average of the plotted losses


class Difference(NamedTuple):
    """Accuracy minus the reference's of the same seed, in percentage points."""

    pairs: int
    mean: float
    half: float  # of the confidence interval (Student's t); infinite for one pair


class Summary(NamedTuple):
    arm: str
    runs: int
    accuracy: float  # means over the runs
    train_loss: float
    minutes: float
    difference: Optional[Difference]


def paired(values, reference):
    """The mean paired difference and its interval. Both: seed -> accuracy; seeds that only one has are left out."""
    differences = [values[seed] - reference[seed] for seed in values if seed in reference]
    if not differences:
        return None
    n = len(differences)
    if n == 1:
        return Difference(1, differences[0], math.inf)
    from scipy import stats

    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(differences, ddof=1) / math.sqrt(n)
    return Difference(n, float(np.mean(differences)), float(half))


def recipes(rows):
    """The rows by what all arms share: {recipe: {arm: {seed: row}}}."""
    found = {}
    for row in rows:
        recipe = Run("", 0, row["dataset"], row["model"], float(row["epochs"]), float(row["lr"]), tuple(row["high"].split()))
        found.setdefault(recipe, {}).setdefault(row["arm"], {})[int(row["seed"])] = row
    return found


def summarise(by_arm):
    """A Summary for each arm, in the order of the table of arms."""
    accuracy = {arm: {seed: float(row["test_accuracy"]) for seed, row in rows.items()} for arm, rows in by_arm.items()}
    summaries = []
    for arm in sorted(by_arm, key=list(arms.ARMS).index):
        mean = lambda column: float(np.mean([float(row[column]) for row in by_arm[arm].values()]))  # noqa: E731,B023
        difference = None if arm == arms.REFERENCE else paired(accuracy[arm], accuracy.get(arms.REFERENCE, {}))
        summaries.append(Summary(arm, len(by_arm[arm]), mean("test_accuracy"), mean("train_loss"), mean("seconds") / 60,
                                 difference))
    return summaries


def signed(value):
    return f"{value:+.2f}".replace("+0.00", "0.00").replace("-0.00", "0.00")


def table(summaries):
    """Markdown."""
    lines = [f"| arm | is | runs | test accuracy, % | minus {arms.REFERENCE}, points | 95% interval | pairs | training loss |",
             "| --- | --- | ---: | ---: | ---: | :---: | ---: | ---: |"]
    for s in summaries:
        if s.difference is None:
            cells = ["", "", ""]
        else:
            pairs, mean, half = s.difference
            cells = [signed(mean), f"{signed(mean - half)} to {signed(mean + half)}" if pairs > 1 else "", str(pairs)]
        lines.append(f"| `{s.arm}` | {arms.ARMS[s.arm].says} | {s.runs} | {s.accuracy:.2f} | {' | '.join(cells)} | "
                     f"{s.train_loss:.4f} |")
    return "\n".join(lines)


def write(directory):
    """Writes the report of a study beside its CSV; returns its text."""
    rows = read_rows(directory / "runs.csv")
    if not rows:
        raise StudyError(f"{directory / 'runs.csv'} holds no finished run yet; make accuracy or make study makes them")
    parts = []
    for recipe, by_arm in recipes(rows).items():
        parts.append(f"{recipe.model} on {recipe.dataset}, {recipe.epochs:g} epochs, peak learning rate {recipe.lr:g}"
                     + (f", all high: {', '.join(recipe.high)}" if recipe.high else "") + "\n\n" + table(summarise(by_arm)))
    text = "\n\n".join(parts) + "\n"
    write_whole(directory / "report.md", text.encode())
    return text


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.report", description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    options = parser.parse_args(arguments)
    with command("train.report"):
        print(write(options.directory), end="")


if __name__ == "__main__":
    main()
