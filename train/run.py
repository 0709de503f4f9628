"""One run: one network trained once through one arm's arithmetic, then tested once. `python -m train.run --help`.

The seed fixes the initial weights, the order of the images and the flips, the same in every arm. A run is a function of
its parameters: interrupted and resumed from its checkpoint, it gives the same bytes. One whose loss is no number any more ends
there; the figures of its row are nan."""
import argparse
import contextlib
import hashlib
import io
import json
import math
import os
import pathlib
import signal
import sys
import time
from typing import NamedTuple, Tuple

import numpy as np
import torch
from torch.nn import functional

from common.command import one_line, write_whole
from train import StudyError, arms, data, model

TEST_BATCH = 250
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4  # of SGD
BETAS, ADAM_DECAY = (0.9, 0.95), 0.05  # of AdamW; its weight decay is of matrices alone
WARM_UP = 0.1  # of the steps, with a rising learning rate; then it falls to 0, both in a straight line
LAST_LOSSES = 100  # the final training loss is the mean of so many steps
CHECKPOINT_SECONDS = 120
PROGRESS_SECONDS = 5


class Run(NamedTuple):
    """What decides a run's numbers, beside the data and the versions of the software."""

    arm: str
    seed: int
    dataset: str = "fashion-mnist"
    model: str = "resnet18"
    epochs: float = 2.0
    lr: float = 0.05
    high: Tuple[str, ...] = ()

    @property
    def recipe_name(self):
        return "-".join([self.dataset, self.model, f"{self.epochs:g}ep", f"lr{self.lr:g}", *self.high])

    @property
    def name(self):
        return f"{self.recipe_name}-{self.arm}-seed{self.seed}"

    @property
    def network(self):
        return model.MODELS[self.model]

    def steps(self, examples):
        """Steps of one batch; the last batch of an epoch may be smaller."""
        return max(1, round(self.epochs * math.ceil(examples / self.network.batch)))


class Stopped(Exception):
    """A signal asked for an end; the checkpoint is written."""


# ---- checkpoints: a SHA-256 digest, then what torch.save() wrote ----

def save_checkpoint(path, state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_whole(path, hashlib.sha256(buffer.getbuffer()).digest() + buffer.getvalue())


def load_checkpoint(path):
    """The state, or None without a file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != digest:
        raise StudyError(f"the checkpoint {path} is damaged; delete it, and the run starts again")
    return torch.load(io.BytesIO(body), map_location="cpu")


# ---- training ----

def learning_rate(peak, step, steps):
    warm = max(1, round(WARM_UP * steps))
    return peak * min((step + 1) / warm, (steps - step) / max(1, steps - warm))


def optimizer_of(network, run):
    if not run.network.adam:
        return torch.optim.SGD(network.parameters(), run.lr, MOMENTUM, weight_decay=WEIGHT_DECAY)
    matrices, others = ([p for p in network.parameters() if (p.dim() > 1) == wanted] for wanted in (True, False))
    return torch.optim.AdamW([dict(params=matrices, weight_decay=ADAM_DECAY), dict(params=others, weight_decay=0.0)],
                             run.lr, BETAS)


def loss_of(scores, labels, **options):
    """Cross entropy, of each character where there are several."""
    return functional.cross_entropy(scores.flatten(0, -2), labels.flatten(), **options)


def test(network, dataset, stop, device):
    """Accuracy in percent and mean loss over the test set, in the same arithmetic."""
    network.eval()
    correct, count, loss = 0, 0, 0.0
    with torch.no_grad():
        for batch in dataset.test_batches(TEST_BATCH):
            if stop():
                raise Stopped
            x, y = (part.to(device) for part in batch)
            scores = network(x)
            correct += int((scores.argmax(-1) == y).sum())
            count += y.numel()
            loss += loss_of(scores, y, reduction="sum").item()
    return 100 * correct / count, loss / count


class Dump(NamedTuple):
    """Operand matrices to write: directory/step<N>/<layer>.<gemm>.<a|b>.npy."""

    directory: pathlib.Path
    steps: Tuple[int, ...]
    layers: Tuple[str, ...]  # none: all
    gemms: Tuple[str, ...]

    def place(self, step):
        return self.directory / f"step{step}"

    def at(self, network, step):
        if step not in self.steps:
            return contextlib.nullcontext()
        import daa.torch

        return daa.torch.dump(network, self.place(step), layers=self.layers or None, gemms=self.gemms)


def execute(run, dataset, work, stop=lambda: False, progress=lambda step, steps, loss: None, dump=None,
            device="cpu"):
    """Trains and tests: a row of the study without its key, and the loss of every step. The checkpoint in WORK is
    there until discard(). Stopped: stop() became true."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network = arms.convert(model.build(run.model, dataset.inputs, run.seed).to(device), run.arm, run.high)
    optimizer = optimizer_of(network, run)
    steps = run.steps(dataset.examples)
    software = str(torch.__version__) + ("" if device == "cpu" else f" {device}")
    key = dict(run=run.name, steps=steps, config=arms.describe(run.arm), torch=software)
    path = work / f"{run.name}.checkpoint"
    losses, seconds = [], 0.0
    state = load_checkpoint(path)
    if state is not None:
        other = next((f"{name} {state['key'].get(name)}" for name in key if state["key"].get(name) != key[name]), None)
        if other:
            raise StudyError(f"the checkpoint {path} is of another run ({other}); delete it, and the run starts again")
        network.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        losses, seconds = state["losses"].tolist(), state["seconds"]
    missed = [step for step in dump.steps if step < len(losses) and not dump.place(step).exists()] if dump else []
    if missed:
        raise StudyError(f"the checkpoint {path} is past step {missed[0]}, which cannot be dumped; delete it to start again")
    started, saved, shown = time.monotonic(), time.monotonic(), 0.0

    def save():
        total = seconds + time.monotonic() - started
        state = dict(key=key, model=network.state_dict(), optimizer=optimizer.state_dict(), seconds=total)
        save_checkpoint(path, dict(state, losses=torch.tensor(losses, dtype=torch.float64)))

    network.train()
    for step in range(len(losses), steps):
        if losses and not math.isfinite(losses[-1]):
            break
        if stop():
            save()
            raise Stopped
        x, y = (part.to(device) for part in dataset.train_batch(run.seed, step, run.network.batch))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.lr, step, steps)
        optimizer.zero_grad()
        with dump.at(network, step) if dump else contextlib.nullcontext():
            loss = loss_of(network(x), y)
            loss.backward()
        optimizer.step()
        losses.append(loss.item())
        now = time.monotonic()
        if now - shown > PROGRESS_SECONDS:
            progress(step + 1, steps, losses[-1])
            shown = now
        if now - saved > CHECKPOINT_SECONDS or step + 1 == steps:
            save()
            saved = time.monotonic()
    progress(steps, steps, losses[-1])
    whole = math.isfinite(losses[-1])
    accuracy, test_loss = test(network, dataset, stop, device) if whole else (math.nan, math.nan)
    row = dict(steps=steps, train_loss=float(np.mean(losses[-LAST_LOSSES:])) if whole else math.nan, test_accuracy=accuracy,
               test_loss=test_loss, seconds=seconds + time.monotonic() - started, torch=key["torch"], config=key["config"],
               **_software(run, device))
    return row, np.array(losses, "<f4")


def _software(run, device):
    if arms.is_float32(run.arm):
        return dict(engine="torch", daa="")
    import daa

    return dict(engine=daa.engines()[-1] if device == "cpu" else "gpu", daa=daa.version())


def discard(run, work):
    (work / f"{run.name}.checkpoint").unlink(missing_ok=True)


# ---- command ----

def add_recipe(parser):
    """The options that every run of a study shares."""
    parser.add_argument("--data", type=pathlib.Path, default=data.DIRECTORY, metavar="DIR", help="directory of Fashion-MNIST "
                        "(gzipped IDX files) or of CIFAR-10 (binary or Python version, or folders of images), or a text for a "
                        "language model; default %(default)s")
    parser.add_argument("--model", choices=model.MODELS, default="resnet18", help="default %(default)s")
    parser.add_argument("--epochs", type=positive(float), default=2.0, help="may be a fraction; default %(default)g")
    parser.add_argument("--lr", type=positive(float), default=0.05, help="peak learning rate; default %(default)g")
    parser.add_argument("--high", type=words, default=(), metavar="LAYER,...", help="layers computed with every product "
                        "high, such as conv1,fc (exploration; none in the study)")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/study"), metavar="DIR",
                        help="where checkpoints go; default %(default)s")


def add_device(parser):
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where tensors are; default %(default)s")


def recipe(options):
    return dict(dataset=model.MODELS[options.model].detect(options.data), model=options.model, epochs=options.epochs, lr=options.lr, high=options.high)


def require(device):
    if device == "cuda" and not torch.cuda.is_available():
        raise StudyError("there is no NVIDIA GPU that PyTorch can use here; --device cpu is the other choice")


def positive(kind):
    def parse(text):
        value = kind(text)
        if not 0 < value < math.inf:
            raise ValueError
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def words(text):
    return tuple(word for word in text.split(",") if word)


def numbers(text):
    return tuple(int(word) for word in words(text))


@contextlib.contextmanager
def command(name):
    """Errors of a command as one line on stderr, and the exit status."""
    try:
        yield
    except (StudyError, OSError, ImportError) as error:
        sys.exit(f"{name}: {one_line(error)}")
    except ValueError as error:  # daa.Error: a configuration, layer or shape that cannot be
        if type(error).__module__.split(".")[0] != "daa":
            raise
        sys.exit(f"{name}: {one_line(error)}")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.run", description="Train once and test once.",
                                     epilog="Prints `step N/STEPS LOSS` lines, then the result as JSON.")
    parser.add_argument("--arm", choices=arms.ARMS, required=True)
    parser.add_argument("--seed", type=int, default=0, help="default %(default)s")
    add_recipe(parser)
    add_device(parser)
    parser.add_argument("--curve", type=pathlib.Path, metavar="FILE", help="write the loss of every step here (.npy, float32)")
    parser.add_argument("--dump", type=pathlib.Path, metavar="DIR", help="write operand matrices of the GEMMs here (.npy)")
    parser.add_argument("--dump-steps", type=numbers, default=(0,), metavar="N,...", help="counted from 0; default 0")
    parser.add_argument("--dump-layers", type=words, default=(), metavar="LAYER,...", help="default: all")
    parser.add_argument("--dump-gemms", type=words, default=arms.GEMMS, metavar="GEMM,...",
                        help=f"default: {','.join(arms.GEMMS)}")
    options = parser.parse_args(arguments)
    unknown = set(options.dump_gemms) - set(arms.GEMMS)
    if unknown:
        parser.error(f"there is no GEMM '{min(unknown)}'; they are {', '.join(arms.GEMMS)}")
    if options.dump and arms.is_float32(options.arm):
        parser.error(f"arm {options.arm} does not go through the GEMMs of daa, so it has nothing to dump")
    dump = None
    if options.dump:
        dump = Dump(options.dump, options.dump_steps, options.dump_layers, options.dump_gemms)

    received = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: received.append(number))
    with command("train.run"):
        run = Run(options.arm, options.seed, **recipe(options))
        require(options.device)
        options.work.mkdir(parents=True, exist_ok=True)
        try:
            row, losses = execute(run, run.network.load(options.data), options.work, lambda: bool(received),
                                  lambda step, steps, loss: print(f"step {step}/{steps} {loss:.4f}", flush=True), dump, options.device)
        except Stopped:
            sys.exit(128 + received[0])
        if options.curve:
            buffer = io.BytesIO()
            np.save(buffer, losses)
            options.curve.parent.mkdir(parents=True, exist_ok=True)
            write_whole(options.curve, buffer.getvalue())
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
