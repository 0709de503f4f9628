"""The study where it is hard: its networks, in a short form for two CPU cores and an evening and in a full one for a GPU."""
from typing import NamedTuple

from train import arms, model
from train.run import Run


class Study(NamedTuple):
    """One network, and how long it learns."""

    model: str
    epochs: float
    lr: float  # the peak
    minutes: float  # of one processor core, the reference's run; with 2 or 4 streams and the anchored accumulator about 3.5 times that


# The short forms are cut so that a run takes 1 to 6 minutes of one core (docs/training.md).
SHORT = (
    Study("resnet20-stride", 1, 0.1, 1.5),
    Study("resnet18-narrow", 1, 0.1, 1.5),
    Study("vit-small", 1, 1e-3, 1.5),
    Study("gpt-small", 0.8, 3e-3, 1.2),
)
FULL = (
    Study("resnet20", 12, 0.1, 100),
    Study("resnet18-cifar", 8, 0.1, 400),
    Study("vit", 12, 1e-3, 400),
    Study("gpt", 8, 1e-3, 400),
)
FORMS = {"short": SHORT, "full": FULL}
SEEDS = (0, 1, 2)
RATES = (0.3, 3)  # times the learning rate, where it is checked


def named(word):
    """The studies that a word names: a network's, or those of a form; none for other words."""
    return FORMS.get(word) or tuple(study for study in SHORT + FULL if study.model == word)


def minutes(name):
    """Of the reference's run, roughly; a network without a study counts as one."""
    return next((study.minutes for study in SHORT + FULL if study.model == name), 1)


def _runs(studies, datasets, names, seeds, factor=1):
    for seed in seeds:
        for arm in names:
            for study in studies:
                yield Run(arm, seed, datasets[model.MODELS[study.model].sees], study.model, study.epochs, float(f"{study.lr * factor:g}"))


def plan(studies, datasets, names, seeds):
    """The runs, the pairs that say most first. DATASETS: the names of those of images and of text. NAMES: of arms."""
    others = [name for name in names if not any(name in group for group in arms.HARD)]
    for group in (*arms.HARD, others):
        yield from _runs(studies, datasets, [name for name in group if name in names], seeds)


def check_rates(studies, datasets, seeds):
    """Runs of the reference and of the worst arm at other learning rates."""
    for factor in RATES:
        yield from _runs(studies, datasets, (arms.REFERENCE, arms.WORST), seeds, factor)
