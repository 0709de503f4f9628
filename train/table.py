"""runs.csv: one line for each finished run. forks.csv: one for each continuation of a run in some arithmetic."""
import csv
import io

from train import StudyError
from train.run import Run, write_whole

KEY = ("dataset", "model", "epochs", "lr", "high", "arm", "seed")
RESULT = ("steps", "train_loss", "test_accuracy", "test_loss", "seconds", "engine", "daa", "torch", "config")
FORKS = ("arm", "seed", "step", "continued", "losses")
DIGITS = {"train_loss": 5, "test_accuracy": 2, "test_loss": 5, "seconds": 0}


def key_of(run: Run):
    """The columns that name a run, as text."""
    return dict(dataset=run.dataset, model=run.model, epochs=f"{run.epochs:g}", lr=f"{run.lr:g}", high=" ".join(run.high),
                arm=run.arm, seed=str(run.seed))


def read_rows(path):
    """The finished runs, as dictionaries of text; none without a file."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        text = ""
    rows = list(csv.DictReader(io.StringIO(text)))
    if not (text.endswith("\n") and all(set(row) == {*KEY, *RESULT} and None not in row.values() for row in rows)):
        raise StudyError(f"{path} is not a table of runs; its header must be {','.join(KEY + RESULT)}, every line whole")
    return rows


def append_row(path, run, result):
    """Adds a finished run; the file is whole at every moment."""
    rounded = {name: f"{value:.{DIGITS[name]}f}" if name in DIGITS else value for name, value in result.items()}
    out = io.StringIO()
    writer = csv.DictWriter(out, KEY + RESULT, lineterminator="\n")
    writer.writeheader()
    writer.writerows([*read_rows(path), {**key_of(run), **rounded}])
    write_whole(path, out.getvalue().encode())


def read_forks(path):
    """The rows of a forks.csv as dictionaries, losses as floats; none without a file."""
    if not path.exists():
        return []
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    if any(set(row) != set(FORKS) or not row["losses"] for row in rows):
        raise StudyError(f"{path} is not a table of continuations; make accuracy-fork writes it")
    return [dict(row, losses=[float(loss) for loss in row["losses"].split()]) for row in rows]
