"""Tables and plots of a study from its CSV: `python -m train.report DIR`. They are of the runs that are there, however
many, and every figure is of a run's end, never of its best epoch."""
import argparse
import io
import math
import pathlib
from typing import NamedTuple, Optional

import numpy as np

from train import StudyError, arms, snr
from train.run import BATCH, LAST_LOSSES, MOMENTUM, WARM_UP, WEIGHT_DECAY, Run, command, write_whole
from train.table import read_forks, read_rows

CONFIDENCE = 0.95
PAPER = -0.5  # percentage points: what the paper allows
TARGETS = {2: -0.1, 4: -0.3}  # by streams: ours
SMOOTH = 51  # steps of the moving average of the plotted losses
EVERY = 8  # steps between plotted points
PLOTTED_DB = 100  # ratios above this are of the accumulator alone; the table has them, the plot does not


class Difference(NamedTuple):
    """A figure minus the reference's of the same seed."""

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
    loss_difference: Optional[Difference]  # the same of the mean test loss
    train_difference: Optional[Difference]  # and of the final training loss

    @property
    def meets(self):
        """Is our target for so many streams met: "yes" if the whole interval is within it, "mean" if the mean is, "no"."""
        options = arms.ARMS[self.arm].forward
        target = TARGETS.get(options["streams"]) if options and arms.is_uniform(self.arm) else None
        if target is None or self.difference is None or self.difference.pairs == 1:
            return ""
        mean, half = self.difference[1:]
        return "yes" if mean - half >= target else "mean" if mean >= target else "no"


def paired(values, reference):
    """The mean paired difference and its interval. Both: seed -> figure; seeds that only one has are left out."""
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
    summaries = []
    for arm in sorted(by_arm, key=list(arms.ARMS).index):
        figures = lambda column, of=arm: {seed: float(row[column]) for seed, row in by_arm.get(of, {}).items()}  # noqa: E731
        mean = lambda column: float(np.mean(list(figures(column).values())))  # noqa: E731
        minus = lambda column: paired(figures(column), figures(column, arms.REFERENCE)) if arm != arms.REFERENCE else None  # noqa
        summaries.append(Summary(arm, len(by_arm[arm]), mean("test_accuracy"), mean("train_loss"), mean("seconds") / 60,
                                 minus("test_accuracy"), minus("test_loss"), minus("train_loss")))
    return summaries


def signed(value, digits=2):
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def table(summaries):
    """Markdown."""
    lines = [f"| arm | is | runs | test accuracy, % | minus {arms.REFERENCE}, points | 95% interval | pairs | target met | "
             f"test loss minus {arms.REFERENCE} | training loss minus {arms.REFERENCE} | training loss |",
             "| --- | --- | ---: | ---: | ---: | :---: | ---: | :---: | ---: | ---: | ---: |"]
    for s in summaries:
        cells = [""] * 6
        if s.difference:
            pairs, mean, half = s.difference
            several = pairs > 1
            cells = [signed(mean), f"{signed(mean - half)} to {signed(mean + half)}" if several else "", str(pairs), s.meets,
                     *(signed(loss, 4) + (f" ± {loss_half:.4f}" if several else "")
                       for _, loss, loss_half in (s.loss_difference, s.train_difference))]
        lines.append(f"| `{s.arm}` | {arms.ARMS[s.arm].says} | {s.runs} | {s.accuracy:.2f} | {' | '.join(cells)} | "
                     f"{s.train_loss:.4f} |")
    return "\n".join(lines)


def verdicts(summaries):
    """Markdown: in words, what the pairs that are there say of the winners and their rivals; empty without any."""
    lines = []
    for s in summaries:
        if s.arm not in arms.ANCHORED or not s.difference:
            continue
        pairs, mean, half = s.difference
        target, wanted = -TARGETS[arms.ARMS[s.arm].forward["streams"]], arms.ARMS[s.arm].seeds
        says = {"yes": f"within {target} points, with its whole interval",
                "mean": f"its mean is within {target} points, its interval is not",
                "no": f"not within {target} points"}.get(s.meets, f"one pair decides nothing about {target} points")
        missing = f"; {wanted - pairs} of the {wanted} pairs are still to be run" if pairs < wanted else ""
        lines.append(f"- `{s.arm}`: {signed(mean)} points over {pairs} pair{'s' * (pairs > 1)}: {says}{missing}.")
    absent = [f"`{name}`" for name in arms.ANCHORED if name not in {s.arm for s in summaries if s.difference}]
    if lines and absent:
        lines.append(f"- No pair yet: {', '.join(absent)}.")
    head = (f"The winners and their symmetric rivals (`make study ARMS={','.join(arms.ANCHORED)}` runs what is missing;\n"
            "`docs/results/compare.json` has their signal to noise):")
    return "\n".join([head, "", *lines]) if lines else ""


def snr_table(ratios):
    """Markdown: the median over the layers, in dB, of each GEMM at each step."""
    places = sorted(ratios, key=lambda place: (place[0], arms.GEMMS.index(place[1])))
    lines = ["| arithmetic | " + " | ".join(f"step {step}, {gemm.replace('_', ' ')}" for step, gemm in places) + " |",
             "| --- |" + " ---: |" * len(places)]
    for arm in ratios[places[0]]:
        lines.append(f"| `{arm}` | " + " | ".join(f"{np.median(ratios[place][arm]):.1f}" for place in places) + " |")
    return "\n".join(lines)


def fork_table(rows):
    """Markdown: the largest loss of each continuation, a step a row."""
    names = list(dict.fromkeys(row["continued"] for row in rows))
    largest = {(row["step"], row["continued"]): max(row["losses"]) for row in rows}
    lines = ["| from step | " + " | ".join(f"`{name}`" for name in names) + " |", "| ---: |" + " ---: |" * len(names)]
    for step in dict.fromkeys(row["step"] for row in rows):
        lines.append(f"| {step} | " + " | ".join(f"{largest[step, name]:.2f}" for name in names) + " |")
    return "\n".join(lines)


# ---- plots ----

def figure(width, height, panels, **options):
    """A figure, and its panels by name (subplot_mosaic); its file is the same for the same numbers."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "daa", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    plot = pyplot.figure(figsize=(width, height), constrained_layout=True)
    return plot, plot.subplot_mosaic(panels, **options)


def legend(panel, lines):
    """A panel that holds nothing but the legend of another one."""
    panel.axis("off")
    panel.legend(*lines.get_legend_handles_labels(), loc="upper left", borderaxespad=0, frameon=False)


def save(plot, path):
    from matplotlib import pyplot

    out = io.BytesIO()
    plot.savefig(out, format="svg", metadata={"Date": None})
    pyplot.close(plot)
    write_whole(path, out.getvalue())


def plot_differences(summaries, title, path):
    """The paired differences with their intervals, by arm, and the targets."""
    shown = [s for s in summaries if s.difference]
    if not shown:
        return False
    plot, panels = figure(8, 1.2 + 0.28 * len(shown), [["pairs", "legend"]], gridspec_kw={"width_ratios": [3, 1]})
    axes = panels["pairs"]
    for place, s in enumerate(shown):
        pairs, mean, half = s.difference
        axes.errorbar(mean, place, xerr=half if pairs > 1 else None, fmt="o", markersize=4, capsize=3, color="tab:blue",
                      markerfacecolor="tab:blue" if pairs > 1 else "white")
    axes.axvline(0, color="black", linewidth=0.8)
    for value, says, style in ((TARGETS[2], "target, 2 streams", ":"), (TARGETS[4], "target, 4 streams", "--"),
                               (PAPER, "the paper's limit", "-")):
        axes.axvline(value, color="tab:red", linewidth=0.8, linestyle=style, label=f"{value:+.1f}: {says}")
    axes.set_yticks(range(len(shown)), [f"{s.arm} ({s.difference.pairs})" for s in shown])
    axes.invert_yaxis()
    # An interval of two pairs can be wider than everything else.
    ends = [abs(s.difference.mean) + (0 if s.difference.pairs < 3 else s.difference.half) for s in shown]
    axes.set_xlim(-1.1 * max(*ends, 0.6), 1.1 * max(*ends, 0.6))
    axes.set_xlabel(f"test accuracy minus {arms.REFERENCE}, points: mean of (pairs), 95% interval")
    axes.set_title(title)
    legend(panels["legend"], axes)
    save(plot, path)
    return True


def smooth(losses):
    """Steps and the moving average there; the ends, where the window is not full, are left out."""
    width = min(SMOOTH, len(losses))
    averages = np.convolve(losses, np.ones(width) / width, "valid")
    return np.arange(len(averages))[::EVERY] + width // 2, averages[::EVERY]


def plot_losses(curves, title, path):
    """CURVES: {arm: {seed: losses}}. Above, the losses; below, the differences to the reference on the same batches."""
    if not curves:
        return False
    plot, panels = figure(8, 7, [["above", "legend"], ["below", "legend"]], gridspec_kw={"width_ratios": [4, 1]})
    above, below = panels["above"], panels["below"]
    reference = curves.get(arms.REFERENCE, {})
    for place, arm in enumerate(sorted(curves, key=list(arms.ARMS).index)):
        style = dict(label=arm, linewidth=1, color=f"C{place % 10}", linestyle=("-", "--", ":")[place // 10 % 3])
        above.plot(*smooth(np.mean(list(curves[arm].values()), axis=0)), **style)
        pairs = [losses - reference[seed] for seed, losses in curves[arm].items() if seed in reference]
        if pairs and arm != arms.REFERENCE:
            below.plot(*smooth(np.mean(pairs, axis=0)), **style)
    above.set(title=title, ylabel=f"training loss, mean of {SMOOTH} steps", yscale="log")
    for formatter in (above.yaxis.set_major_formatter, above.yaxis.set_minor_formatter):
        formatter("{x:.2g}")
    below.set(xlabel="step", ylabel=f"minus {arms.REFERENCE}, same batches")
    below.axhline(0, color="black", linewidth=0.8)
    legend(panels["legend"], above)
    save(plot, path)
    return True


def plot_snr(ratios, path):
    """Median and range over the layers, by arithmetic and GEMM; one mark a step."""
    steps = sorted({step for step, _ in ratios})
    names = [name for name in next(iter(ratios.values())) if all(np.median(by[name]) < PLOTTED_DB for by in ratios.values())]
    plot, panels = figure(9, 1 + 0.26 * len(names), [[*arms.GEMMS, "legend"]], gridspec_kw={"width_ratios": [3, 3, 3, 1]})
    for gemm in arms.GEMMS:
        axes = panels[gemm]
        for number, step in enumerate(steps):
            values = ratios.get((step, gemm))
            if not values:
                continue
            places = np.arange(len(names)) + 0.3 * (number - (len(steps) - 1) / 2)
            medians = np.array([np.median(values[name]) for name in names])
            ends = np.array([[np.min(values[name]), np.max(values[name])] for name in names]).T
            axes.errorbar(medians, places, xerr=abs(ends - medians), fmt="o", markersize=3, linewidth=0.8, label=f"step {step}")
        axes.set(title=gemm.replace("_", " "), xlabel="signal to noise, dB")
        axes.grid(axis="x", linewidth=0.3)
        axes.set_yticks(range(len(names)), names if gemm == arms.GEMMS[0] else [""] * len(names))
        axes.invert_yaxis()
    legend(panels["legend"], panels[arms.GEMMS[0]])
    save(plot, path)
    return True


# ---- the report ----

HEAD = f"""# Accuracy of training through the array

Made by `make study accuracy-snr accuracy-fork accuracy-report`; `runs.csv` has a line for each run, `curves/` the loss of its every step.

Each arm trains from the same weights on the same images in the same order for one seed, by SGD (momentum {MOMENTUM}, weight
decay {WEIGHT_DECAY}, batches of {BATCH}, horizontal flips; the learning rate rises for {WARM_UP:.0%} of the steps and then falls to 0),
and is tested once, at its end, in its own arithmetic. All convolutions and linear layers go through the arm's arithmetic, all
three GEMMs of each; the rest is float32. Differences are means over pairs of the same seed, with 95% intervals (Student's t).
Targets: at most {-TARGETS[2]} points lost with 2 streams and {-TARGETS[4]} with 4; "yes" if the whole interval is within, "mean" if its mean
is. Training loss: mean of the last {LAST_LOSSES} steps.
"""


def curves_of(directory, recipe, by_arm):
    """The losses of the runs of a recipe; one whose file is not there is left out."""
    curves = {}
    for arm, rows in by_arm.items():
        for seed in rows:
            path = directory / "curves" / f"{recipe._replace(arm=arm, seed=seed).name}.npy"
            if path.exists():
                curves.setdefault(arm, {})[seed] = np.load(path).astype(float)
    return curves


def write(directory):
    """Writes the report of a study beside its CSV: report.md and plots. Returns the tables' text."""
    rows = read_rows(directory / "runs.csv")
    if not rows:
        raise StudyError(f"{directory / 'runs.csv'} holds no finished run yet; make accuracy or make study makes them")
    ratios = snr.read(directory / "snr.csv")
    parts, images = [], []
    for recipe, by_arm in recipes(rows).items():
        summaries = summarise(by_arm)
        title = f"{recipe.model} on {recipe.dataset}, {recipe.epochs:g} epochs, peak learning rate {recipe.lr:g}"
        title += f", all high: {', '.join(recipe.high)}" if recipe.high else ""
        parts.append("\n\n".join(filter(None, (title, table(summaries), verdicts(summaries)))))
        stem = recipe.recipe_name
        for kind, drawn in (("differences", lambda path: plot_differences(summaries, title, path)),
                            ("losses", lambda path: plot_losses(curves_of(directory, recipe, by_arm), title, path))):
            if drawn(directory / f"{kind}-{stem}.svg"):
                images.append(f"![{kind}, {title}]({kind}-{stem}.svg)")
    forks = read_forks(directory / "forks.csv")
    if forks:
        first = forks[0]
        parts.append(f"`{first['arm']}`, seed {first['seed']}, from its weights of some steps on in other arithmetic: the largest training "
                     f"loss of {len(first['losses'])} steps (`make accuracy-fork`)\n\n{fork_table(forks)}")
    if ratios:
        parts.append("Signal-to-noise ratio of the GEMMs of ResNet-18's training, dB, median over the layers\n\n" + snr_table(ratios))
        plot_snr(ratios, directory / "snr.svg")
        images.append("![signal to noise](snr.svg)")
    text = "\n\n".join(parts) + "\n"
    write_whole(directory / "report.md", "\n".join([HEAD, text, *images, ""]).encode())
    return text


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.report", description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    options = parser.parse_args(arguments)
    with command("train.report"):
        print(write(options.directory), end="")


if __name__ == "__main__":
    main()
