"""Tables and plots of a study from its CSV: `python -m train.report DIR`. They are of the runs that are there, however
many, and every figure is of a run's end, never of its best epoch."""
import argparse
import io
import math
import pathlib
from typing import NamedTuple, Optional

import numpy as np

from train import StudyError, arms, data, model, snr, studies
from train.run import ADAM_DECAY, BETAS, LAST_LOSSES, MOMENTUM, WARM_UP, WEIGHT_DECAY, Run, command, write_whole
from train.table import read_forks, read_rows

CONFIDENCE = 0.95
PAPER = -0.5  # percentage points: what the paper allows
SMOOTH = 51  # steps of the moving average of the plotted losses
EVERY = 8  # steps between plotted points
PLOTTED_DB = 100  # ratios above this are of the accumulator alone; the table has them, the plot does not


class Kind(NamedTuple):
    """What a network on some kind of data is judged by."""

    figure: str  # the column of the table of runs
    says: str
    unit: str
    digits: int
    better: int  # 1: more of it; -1: less
    targets: dict  # by streams: the most that may be lost
    other: str  # a second figure
    other_says: str
    other_digits: int


KINDS = {
    "images": Kind("test_accuracy", "test accuracy, %", "points", 2, 1, {2: 0.1, 4: 0.3}, "test_loss", "test loss", 4),
    "text": Kind("test_loss", "test loss, nats", "nats", 4, -1, {2: 0.01, 4: 0.01}, "test_accuracy", "characters right, %", 2),
}


def sees(recipe):
    network = model.MODELS.get(recipe.model)
    return network.sees if network else "images"


def diverged(row, kind):
    """Is the loss at the end no number, or no less than a guess has?"""
    return not float(row["train_loss"]) < data.GUESS[kind]


class Difference(NamedTuple):
    """A figure minus the reference's of the same seed."""

    pairs: int
    mean: float
    half: float  # of the confidence interval (Student's t); infinite for one pair


class Summary(NamedTuple):
    """Figures are means over the runs that did not diverge."""

    arm: str
    kind: str
    runs: int
    diverged: int
    figure: float
    train_loss: float
    minutes: float
    difference: Optional[Difference]  # of the figure that its kind is judged by
    other_difference: Optional[Difference]
    train_difference: Optional[Difference]

    @property
    def meets(self):
        """Is our target for so many streams met: "yes" if the whole interval is within it, "mean" if the mean is, "no"."""
        options, kind = arms.ARMS[self.arm].forward, KINDS[self.kind]
        target = kind.targets.get(options["streams"]) if options and arms.is_uniform(self.arm) else None
        if target is None:
            return ""
        if self.diverged:
            return "no"
        if self.difference is None or self.difference.pairs == 1:
            return ""
        gain, half = self.difference.mean * kind.better, self.difference.half
        return "yes" if gain - half >= -target else "mean" if gain >= -target else "no"


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


def figures(by_arm, arm, column, kind):
    """Seed -> figure, of the runs that did not diverge."""
    return {seed: float(row[column]) for seed, row in by_arm.get(arm, {}).items() if not diverged(row, kind)}


def summarise(by_arm, kind="images"):
    """A Summary for each arm, in the order of the table of arms."""
    summaries = []
    for arm in sorted(by_arm, key=list(arms.ARMS).index):
        of = lambda column, arm=arm: figures(by_arm, arm, column, kind)  # noqa: E731
        mean = lambda column: float(np.mean(list(of(column).values()) or [math.nan]))  # noqa: E731
        minus = lambda column: paired(of(column), of(column, arms.REFERENCE)) if arm != arms.REFERENCE else None  # noqa: E731
        judged = KINDS[kind]
        summaries.append(Summary(arm, kind, len(by_arm[arm]), len(by_arm[arm]) - len(of("seconds")), mean(judged.figure),
                                 mean("train_loss"), mean("seconds") / 60, minus(judged.figure), minus(judged.other),
                                 minus("train_loss")))
    return summaries


def signed(value, digits=2):
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def interval(difference, digits):
    """As text; empty for one pair."""
    _, mean, half = difference
    return f"{signed(mean - half, digits)} to {signed(mean + half, digits)}" if difference.pairs > 1 else ""


def with_half(difference, digits):
    if difference is None:
        return ""
    return signed(difference.mean, digits) + (f" ± {difference.half:.{digits}f}" if difference.pairs > 1 else "")


def table(summaries, kind="images", apart=True):
    """Markdown. APART: of one network, so that the figures themselves mean something, not their differences alone."""
    judged, minus = KINDS[kind], f"minus {arms.REFERENCE}"
    columns = {
        "arm": ("---", lambda s: f"`{s.arm}`"),
        "is": ("---", lambda s: arms.ARMS[s.arm].says),
        "runs": ("---:", lambda s: s.runs),
        "diverged": ("---:", lambda s: s.diverged or ""),
        judged.says: ("---:", lambda s: f"{s.figure:.{judged.digits}f}"),
        f"{minus}, {judged.unit}": ("---:", lambda s: signed(s.difference.mean, judged.digits) if s.difference else ""),
        "95% interval": (":---:", lambda s: interval(s.difference, judged.digits) if s.difference else ""),
        "pairs": ("---:", lambda s: s.difference.pairs if s.difference else ""),
        "target met": (":---:", lambda s: s.meets),
        f"{judged.other_says} {minus}": ("---:", lambda s: with_half(s.other_difference, judged.other_digits)),
        f"training loss {minus}": ("---:", lambda s: with_half(s.train_difference, 4)),
        "training loss": ("---:", lambda s: f"{s.train_loss:.4f}"),
    }
    if not apart:
        del columns[judged.says], columns["training loss"]
    lines = [list(columns), [rule for rule, _ in columns.values()]]
    lines += [[str(cell(s)) for _, cell in columns.values()] for s in summaries if apart or s.arm != arms.REFERENCE]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def steering_table(by_arm, kind="images"):
    """Markdown: steered arms minus what they are up against, on the same seeds; empty where no two of them have run."""
    judged, lines = KINDS[kind], []
    for steered, rival in arms.AGAINST:
        found = [paired(figures(by_arm, steered, column, kind), figures(by_arm, rival, column, kind))
                 for column in (judged.figure, judged.other, "train_loss")]
        if found[0] is None:
            continue
        gain, half = found[0].mean * judged.better, found[0].half
        verdict = "" if found[0].pairs == 1 else "steering" if gain > half else "the rival" if -gain > half else "cannot be told"
        lines.append(f"| `{steered}` | `{rival}` | {found[0].pairs} | {signed(found[0].mean, judged.digits)} | "
                     f"{interval(found[0], judged.digits)} | {verdict} | {with_half(found[1], judged.other_digits)} | "
                     f"{with_half(found[2], 4)} |")
    head = ["Steering against its rivals, on the same seeds: the first minus the second.", "",
            f"| steered | against | pairs | {judged.says.split(',')[0]}, {judged.unit} | 95% interval | better | {judged.other_says} | training loss |",
            "| --- | --- | ---: | ---: | :---: | :---: | ---: | ---: |"]
    return "\n".join(head + lines) if lines else ""


def rates_table(by_rate, kind):
    """Markdown: the figures of the reference and of the worst arm by peak learning rate. BY_RATE: {rate: {arm: {seed: row}}}."""
    judged, pair = KINDS[kind], (arms.REFERENCE, arms.WORST)
    seeds = set.intersection(*({seed for rows in by_arm.values() for seed in rows} for by_arm in by_rate.values()))
    lines = [f"Other learning rates, seed {', '.join(map(str, sorted(seeds)))}: is an arm helped by the one that was chosen?", "",
             f"| peak learning rate | {' | '.join(f'`{arm}`: {judged.says}' for arm in pair)} | difference, {judged.unit} |",
             "| ---: | ---: | ---: | ---: |"]
    for rate, by_arm in sorted(by_rate.items()):
        kept = [{seed: value for seed, value in figures(by_arm, arm, judged.figure, kind).items() if seed in seeds} for arm in pair]
        ran = [any(seed in seeds for seed in by_arm.get(arm, {})) for arm in pair]
        cells = [f"{np.mean(list(values.values())):.{judged.digits}f}" if values else "diverged" if any_ran else ""
                 for values, any_ran in zip(kept, ran)]
        difference = paired(kept[1], kept[0])
        lines.append(f"| {rate:g} | {' | '.join(cells)} | {signed(difference.mean, judged.digits) if difference else ''} |")
    return "\n".join(lines)


def verdicts(summaries, recipe, kind="images"):
    """Markdown: in words, what the pairs that are there say of the winners and their rivals; empty without any."""
    study, judged, lines = studies.named(recipe.model), KINDS[kind], []
    for s in summaries:
        if s.arm not in arms.WINNERS or not (s.difference or s.diverged):
            continue
        target = judged.targets[arms.ARMS[s.arm].forward["streams"]]
        wanted = len(studies.SEEDS) if study else arms.ARMS[s.arm].seeds
        pairs = s.difference.pairs if s.difference else 0
        says = {"yes": f"loses no more than {target} {judged.unit}, with its whole interval",
                "mean": f"in the mean loses no more than {target} {judged.unit}; its interval reaches further",
                "no": f"not within {target} {judged.unit}"}.get(s.meets, f"one pair decides nothing about {target} {judged.unit}")
        says = f"{signed(s.difference.mean, judged.digits)} {judged.unit} over {pairs} pair{'s' * (pairs > 1)}: {says}" if pairs else says
        says += f"; {s.diverged} of {s.runs} runs diverged" if s.diverged else ""
        missing = f"; {wanted - pairs - s.diverged} of the {wanted} pairs are still to be run" if pairs + s.diverged < wanted else ""
        lines.append(f"- `{s.arm}`: {says}{missing}.")
    absent = [f"`{name}`" for name in arms.WINNERS if name not in {s.arm for s in summaries if s.difference or s.diverged}]
    if lines and absent:
        lines.append(f"- No pair yet: {', '.join(absent)}.")
    words = f"study-hard NETWORKS={recipe.model}" if study else f"study ARMS={','.join(arms.WINNERS)}"
    head = (f"The winners and their symmetric rivals (`make {words}` runs what is missing;\n"
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


def plot_differences(summaries, title, path, kind="images"):
    """The paired differences with their intervals, by arm, and the targets."""
    judged = KINDS[kind]
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
    limits = [(-judged.better * judged.targets[streams], f"target, {streams} streams", style) for streams, style in ((2, ":"), (4, "--"))]
    if kind == "images":
        limits.append((PAPER, "the paper's limit", "-"))
    for value, says, style in limits:
        axes.axvline(value, color="tab:red", linewidth=0.8, linestyle=style, label=f"{value:+g}: {says}")
    axes.set_yticks(range(len(shown)), [f"{s.arm} ({s.difference.pairs})" for s in shown])
    axes.invert_yaxis()
    # An interval of two pairs can be wider than everything else.
    ends = [abs(s.difference.mean) + (0 if s.difference.pairs < 3 else s.difference.half) for s in shown]
    end = 1.1 * max(*ends, 6 * judged.targets[2])
    axes.set_xlim(-end, end)
    axes.set_xlabel(f"{judged.says.split(',')[0]} minus {arms.REFERENCE}, {judged.unit}: mean of (pairs), 95% interval")
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

Made by `make study study-hard accuracy-snr accuracy-fork accuracy-report`; `runs.csv` has a line for each run, `curves/` the loss of its every step.

Each arm trains from the same weights on the same images or characters in the same order for one seed: by SGD (momentum {MOMENTUM}, weight
decay {WEIGHT_DECAY}), transformers by AdamW (betas {BETAS[0]} and {BETAS[1]}, weight decay {ADAM_DECAY} of matrices); images are flipped at
random; the learning rate rises for {WARM_UP:.0%} of the steps and then falls to 0. It is tested once, at its end, in its own arithmetic. All convolutions, linear layers and products of attention go through the arm's
arithmetic, all three GEMMs of each; the rest is float32. Differences are means over pairs of the same seed, with 95% intervals (Student's t).
Targets: at most {KINDS["images"].targets[2]} points lost with 2 streams and {KINDS["images"].targets[4]} with 4, of a text {KINDS["text"].targets[2]} nats a character; "yes" if
the whole interval is within, "mean" if its mean is. Training loss: mean of the last {LAST_LOSSES} steps. A run has diverged
whose training loss at its end is no number, or no less than that of a guess ({data.GUESS["images"]:.2f} nats for images,
{data.GUESS["text"]:.2f} for characters); it is counted, its arm's target is not met, and its figures are in no mean.
"""


def curves_of(directory, recipe, by_arm):
    """The losses of the runs of a recipe; one whose file is not there is left out."""
    curves = {}
    for arm, rows in by_arm.items():
        for seed in rows:
            path = directory / "curves" / f"{recipe._replace(arm=arm, seed=seed).name}.npy"
            if path.exists() and not diverged(rows[seed], sees(recipe)):
                curves.setdefault(arm, {})[seed] = np.load(path).astype(float)
    return curves


def groups(rows):
    """(recipe, its runs, runs at other learning rates): the recipe with most runs of those that differ in the learning rate
    alone, where the others are no more than a check of it; else each for itself."""
    found = recipes(rows)
    for recipe, by_arm in found.items():
        like = {other: runs for other, runs in found.items() if other._replace(lr=recipe.lr) == recipe and other != recipe}
        count = lambda runs: sum(map(len, runs.values()))  # noqa: E731
        is_check = {other: set(runs) <= {arms.REFERENCE, arms.WORST} for other, runs in (*like.items(), (recipe, by_arm))}
        if is_check[recipe] and any(count(runs) > count(by_arm) for runs in like.values()):
            continue  # it is in that one's check
        yield recipe, by_arm, {other.lr: runs for other, runs in like.items() if is_check[other] and count(runs) < count(by_arm)}


def together(rows):
    """(dataset, recipes, {arm: {(recipe, seed): row}}) of each dataset that several networks learn: their pairs as one network's."""
    by_dataset = {}
    for recipe, by_arm, _ in groups(rows):
        if not recipe.high:
            by_dataset.setdefault(recipe.dataset, {})[recipe] = by_arm
    for dataset, found in by_dataset.items():
        if len({recipe.model for recipe in found}) > 1:
            merged = {}
            for recipe, by_arm in found.items():
                for arm, by_seed in by_arm.items():
                    merged.setdefault(arm, {}).update({(recipe, seed): row for seed, row in by_seed.items()})
            yield dataset, list(found), merged


def title_of(recipe):
    title = f"{recipe.model} on {recipe.dataset}, {recipe.epochs:g} epoch{'s' * (recipe.epochs != 1)}, peak learning rate {recipe.lr:g}"
    return title + (f", all high: {', '.join(recipe.high)}" if recipe.high else "")


def network_line(recipe):
    network = model.MODELS.get(recipe.model)
    if not network:
        return ""
    return f"{network.says[0].upper()}{network.says[1:]}; {'AdamW' if network.adam else 'SGD'}, batches of {network.batch}."


def section(directory, recipe, by_arm, by_rate):
    """The text of one recipe, and its images: a table, and what follows from it."""
    kind, title, stem = sees(recipe), title_of(recipe), recipe.recipe_name
    summaries = summarise(by_arm, kind)
    rates = rates_table({recipe.lr: by_arm, **by_rate}, kind) if by_rate else ""
    parts = [f"## {title}", network_line(recipe), table(summaries, kind), verdicts(summaries, recipe, kind),
             steering_table(by_arm, kind), rates]
    images = []
    for name, drawn in (("differences", lambda path: plot_differences(summaries, title, path, kind)),
                        ("losses", lambda path: plot_losses(curves_of(directory, recipe, by_arm), title, path))):
        if drawn(directory / f"{name}-{stem}.svg"):
            images.append(f"![{name}, {title}]({name}-{stem}.svg)")
    return "\n\n".join(filter(None, parts)), images


def section_together(dataset, found, by_arm):
    """The text of what several networks say together."""
    kind, names = sees(found[0]), [recipe.model for recipe in found]
    says = (f"Pairs of {', '.join(names[:-1])} and {names[-1]} as if of one network. That assumes that an arm costs each of them the same;\n"
            "where it does not, the interval is wider for it.")
    parts = [f"## Networks on {dataset} together", says, table(summarise(by_arm, kind), kind, apart=False), steering_table(by_arm, kind)]
    return "\n\n".join(filter(None, parts))


def write(directory):
    """Writes the report of a study beside its CSV: report.md and plots. Returns the tables' text."""
    rows = read_rows(directory / "runs.csv")
    if not rows:
        raise StudyError(f"{directory / 'runs.csv'} holds no finished run yet; make accuracy or make study makes them")
    ratios = snr.read(directory / "snr.csv")
    parts, images = [], []
    for group in groups(rows):
        text, drawn = section(directory, *group)
        parts.append(text)
        images += drawn
    parts += [section_together(*several) for several in together(rows)]
    forks = read_forks(directory / "forks.csv")
    if forks:
        first = forks[0]
        parts.append(f"## A jump\n\n`{first['arm']}`, seed {first['seed']}, from its weights of some steps on in other arithmetic: the largest "
                     f"training loss of {len(first['losses'])} steps (`make accuracy-fork`)\n\n{fork_table(forks)}")
    if ratios:
        parts.append("## Signal to noise\n\nOf the GEMMs of ResNet-18's training, dB, median over the layers\n\n" + snr_table(ratios))
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
