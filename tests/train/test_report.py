"""The report against figures worked out by hand."""
import math

import numpy as np
import pytest

from training import ROOT  # noqa: F401
from train import StudyError, arms, report, snr
from train.run import Run
from train.table import append_row

RESULT = dict(steps=100, train_loss=0.25, test_loss=0.3, seconds=90.0, engine="avx2", daa="0.1.0", torch="1.13", config="c")


def fill(directory, accuracies, **options):
    directory.mkdir(exist_ok=True)
    for arm, values in accuracies.items():
        for seed, accuracy in values.items():
            run = Run(arm, seed, **options)
            append_row(directory / "runs.csv", run, dict(RESULT, test_accuracy=accuracy))
            (directory / "curves").mkdir(exist_ok=True)
            np.save(directory / "curves" / f"{run.name}.npy", np.linspace(2, 0.3, 100, dtype="f4") + seed / 100)


def test_interval_by_hand():
    """Differences -0.1, -0.3, 0.1: mean -0.1, deviation 0.2, t(2 degrees, 97.5%) = 4.302653."""
    found = report.paired({0: 89.9, 1: 89.2, 2: 90.6, 9: 50.0}, {0: 90.0, 1: 89.5, 2: 90.5, 7: 99.0})
    assert found.pairs == 3
    assert found.mean == pytest.approx(-0.1)
    assert found.half == pytest.approx(4.302653 * 0.2 / math.sqrt(3), rel=1e-6)


def test_one_pair_has_no_interval_and_none_no_difference():
    assert report.paired({0: 89.0}, {0: 90.0}) == report.Difference(1, -1.0, math.inf)
    assert report.paired({0: 89.0}, {1: 90.0}) is None


def test_tables(tmp_path):
    fill(tmp_path, {"s2-t4": {0: 89.9, 1: 89.2, 2: 90.6}, "bf16": {0: 90.0, 1: 89.5, 2: 90.5}, "fp32": {0: 90.5}})
    fill(tmp_path, {"s2-t4": {0: 70.0}}, model="vgg7")
    text = report.write(tmp_path)
    assert "| `fp32` | float32 by PyTorch | 1 |  | 90.50 | +0.50 |  | 1 |  | 0.0000 | 0.0000 | 0.2500 |" in text
    assert "| `bf16` | bf16 products, fp32 accumulation: the reference of the pairs | 3 |  | 90.00 |  |  |  |  |  |  | 0.2500 |" in text
    assert "| `s2-t4` | 2 streams, 4 low bits | 3 |  | 89.90 | -0.10 | -0.60 to +0.40 | 3 | mean | 0.0000 ± 0.0000 | 0.0000 ± 0.0000 | 0.2500 |" in text
    # Without its reference an arm has no difference, and networks do not mix.
    assert "| `s2-t4` | 2 streams, 4 low bits | 1 |  | 70.00 |  |  |  |  |  |  | 0.2500 |" in text
    assert text.index("`fp32`") < text.index("`bf16`") < text.index("`s2-t4`") < text.index("vgg7 on")


@pytest.mark.parametrize("arm, mean, half, meets", [
    ("s2-t4", 0.0, 0.1, "yes"), ("s2-t4", 0.0, 0.11, "mean"), ("s2-t4", -0.11, 0.0, "no"), ("s4-t3", -0.2, 0.09, "yes"),
    ("fp32", -0.5, 0.1, ""), ("only-forward", -0.5, 0.1, ""), ("s2-t1", math.nan, math.nan, "no"),
])
def test_targets(arm, mean, half, meets):
    difference = report.Difference(3, mean, half)
    assert report.Summary(arm, "images", 3, 0, 90.0, 0.2, 1.0, difference, difference, difference).meets == meets


def test_same_numbers_same_bytes(tmp_path):
    pairs = {"s2-t4": {0: 89.9, 1: 89.2}, "bf16": {0: 90.0, 1: 89.5}, "s4-t4": {0: 89.0}}
    rng = np.random.default_rng(0)
    rows = [dict(step=step, layer=layer, gemm=gemm, m=1, n=1, k=1, **{arm: rng.normal(30, 3) for arm in ("bf16", "high")})
            for step in (1, 9) for layer in "ab" for gemm in arms.GEMMS]
    made = []
    for name in ("one", "two"):
        fill(tmp_path / name, pairs)
        snr.write(tmp_path / name / "snr.csv", rows)
        report.write(tmp_path / name)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.is_file()})
    assert made[0] == made[1]
    plots = sorted(name for name in made[0] if name.endswith(".svg"))
    stem = Run("", 0).recipe_name
    assert plots == [f"differences-{stem}.svg", f"losses-{stem}.svg", "snr.svg"]
    for name in plots:
        assert f"({name})".encode() in made[0]["report.md"]


def test_median_ratio(tmp_path):
    rows = [dict(step=3, layer=layer, gemm="forward", m=1, n=1, k=1, bf16=value) for layer, value in zip("abc", (10, 60, 20))]
    snr.write(tmp_path / "snr.csv", rows)
    assert "| `bf16` | 20.0 |" in report.snr_table(snr.read(tmp_path / "snr.csv"))


def test_verdicts(tmp_path):
    reference = {seed: 90.0 for seed in range(5)}
    fill(tmp_path, {"bf16": reference, "safe2": {seed: 89.95 for seed in reference}, "safe4": {0: 89.9, 1: 89.4},
                    "lean2": {0: 88.0}, "s2-t4": reference})
    text = report.write(tmp_path)
    assert "- `safe2`: -0.05 points over 5 pairs: loses no more than 0.1 points, with its whole interval.\n" in text
    assert "- `safe4`: -0.35 points over 2 pairs: not within 0.3 points; 3 of the 5 pairs are still to be run.\n" in text
    assert "- `lean2`: -2.00 points over 1 pair: one pair decides nothing about 0.1 points; 2 of the 3" in text
    assert "- No pair yet: `alike2`, `alike2-4`, `lean4`, `alike4`, `alike4-4`.\n" in text and "- `s2-t4`" not in text


def test_no_runs(tmp_path):
    with pytest.raises(StudyError, match="runs.csv holds no finished run yet; make accuracy"):
        report.write(tmp_path)


@pytest.mark.parametrize("spoil", [lambda text: text[:-5], lambda text: text.replace("seed", "sead", 1), lambda text: text + "x\n"])
def test_damaged_table(tmp_path, spoil):
    fill(tmp_path, {"bf16": {0: 90.0}})
    path = tmp_path / "runs.csv"
    path.write_text(spoil(path.read_text()))
    with pytest.raises(StudyError, match="runs.csv is not a table of runs"):
        report.write(tmp_path)


GPT = dict(dataset="plays", model="gpt-small", epochs=1.2, lr=3e-3)


def fill_text(directory, losses, train_loss=1.9, **options):
    directory.mkdir(exist_ok=True)
    for arm, values in losses.items():
        for seed, loss in values.items():
            append_row(directory / "runs.csv", Run(arm, seed, **{**GPT, **options}),
                       dict(RESULT, train_loss=train_loss, test_loss=loss, test_accuracy=40.0))


def test_a_language_model_is_judged_in_nats(tmp_path):
    fill_text(tmp_path, {"bf16": {0: 2.0, 1: 2.1, 2: 1.9}, "safe2": {0: 2.005, 1: 2.106, 2: 1.904}, "safe4": {0: 2.02, 1: 2.12, 2: 1.92},
                         "lean2": {0: 1.9, 1: 2.2, 2: 1.9}})
    text = report.write(tmp_path)
    assert "anchored | 3 |  | 2.0050 | +0.0050 | +0.0025 to +0.0075 | 3 | yes | 0.00 ± 0.00 | 0.0000 ± 0.0000 | 1.9000 |" in text
    assert "- `safe2`: +0.0050 nats over 3 pairs: loses no more than 0.01 nats, with its whole interval.\n" in text
    assert "- `safe4`: +0.0200 nats over 3 pairs: not within 0.01 nats.\n" in text
    assert "- `lean2`: 0.0000 nats over 3 pairs: in the mean loses no more than 0.01 nats; its interval reaches further.\n" in text
    assert "`make study-hard NETWORKS=gpt-small` runs what is missing" in text
    assert "test loss minus bf16, nats" in (tmp_path / f"differences-{Run('', 0, **GPT).recipe_name}.svg").read_text()


def test_diverged_runs_are_counted(tmp_path):
    fill(tmp_path, {"bf16": {0: 90.0, 1: 90.2}, "safe2": {0: 90.0}})
    for seed, loss in ((1, math.nan), (2, 2.31)):  # the other is no better than a guess
        append_row(tmp_path / "runs.csv", Run("safe2", seed), dict(RESULT, test_accuracy=10.0, train_loss=loss))
    fill_text(tmp_path, {"safe2": {0: math.nan}}, train_loss=math.inf)
    text = report.write(tmp_path)
    assert "anchored | 3 | 2 | 90.00 | 0.00 |  | 1 | no |" in text
    assert "- `safe2`: 0.00 points over 1 pair: not within 0.1 points; 2 of 3 runs diverged; 2 of the 5 pairs are still to be run.\n" in text
    assert "- `safe2`: not within 0.01 nats; 1 of 1 runs diverged; 2 of the 3 pairs are still to be run.\n" in text
    assert "anchored | 1 | 1 | nan |  |  |  | no |  |  | nan |" in text


def test_steering_beside_its_rivals(tmp_path):
    fill(tmp_path, {"s2-3-1": {0: 60.0, 1: 61.0, 2: 59.0}, "alike2-2": {0: 58.0, 1: 59.1, 2: 57.1}, "static2-3-1": {0: 59.0, 1: 62.0, 2: 60.0},
                    "low2-3-1": {0: 70.0}})
    fill_text(tmp_path, {"s2-3-1": {0: 2.0, 1: 2.1}, "alike2-2": {0: 2.2, 1: 2.31}})
    text = report.write(tmp_path)
    assert "| `s2-3-1` | `alike2-2` | 3 | +1.93 | +1.79 to +2.08 | steering | 0.0000 ± 0.0000 | 0.0000 ± 0.0000 |" in text
    assert "| `s2-3-1` | `static2-3-1` | 3 | -0.33 | -3.20 to +2.54 | cannot be told |" in text
    assert "| `s2-3-1` | `low2-3-1` | 1 | -10.00 |  |  |" in text
    assert "| `s2-3-1` | `alike2-2` | 2 | -0.2050 | -0.2685 to -0.1415 | steering |" in text


def test_networks_on_one_dataset_together(tmp_path):
    """Differences -1, -2 of one, -3 of the other: mean -2, deviation 1, t(2 degrees, 97.5%) = 4.302653. No figure is a mean over networks."""
    fill(tmp_path, {"bf16": {0: 60.0, 1: 61.0}, "s2-3-1": {0: 59.0, 1: 59.0}, "alike2-2": {0: 58.0}}, model="resnet20")
    fill(tmp_path, {"bf16": {0: 40.0}, "s2-3-1": {0: 37.0}, "alike2-2": {0: 36.0}}, model="vit")
    fill_text(tmp_path, {"bf16": {0: 2.0}, "s2-3-1": {0: 2.5}})
    text = report.write(tmp_path)
    found = text[text.index("## Networks on fashion-mnist together"):]
    assert "Pairs of resnet20 and vit as if" in found and "`bf16`" not in found
    assert "| `s2-3-1` | 2 streams of 3 bits, 1 low bit, anchored | 3 |  | -2.00 | -4.48 to +0.48 | 3 | no | 0.0000 ± 0.0000 | 0.0000 ± 0.0000 |\n" in found
    assert "| `s2-3-1` | `alike2-2` | 2 | +1.00 | +1.00 to +1.00 | steering |" in found
    assert text.count("together\n") == 1


def test_other_learning_rates(tmp_path):
    fill(tmp_path, {"bf16": {0: 60.0, 1: 62.0}, "alike2-2": {0: 58.0, 1: 59.0}, "safe2": {0: 60.0}}, lr=0.1)
    fill(tmp_path, {"bf16": {0: 57.0}, "alike2-2": {0: 54.5}}, lr=0.03)
    fill(tmp_path, {"bf16": {0: 51.0}}, lr=0.3)
    append_row(tmp_path / "runs.csv", Run("alike2-2", 0, lr=0.3), dict(RESULT, test_accuracy=10.0, train_loss=math.nan))
    fill(tmp_path, {"s2-t4": {0: 50.0}}, lr=0.5)  # no check of the others: a table of its own
    text = report.write(tmp_path)
    assert "| 0.03 | 57.00 | 54.50 | -2.50 |\n| 0.1 | 60.00 | 58.00 | -2.00 |\n| 0.3 | 51.00 | diverged |  |" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        f"## resnet18 on fashion-mnist, 2 epochs, peak learning rate {rate}" for rate in ("0.1", "0.5")]
