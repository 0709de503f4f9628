"""The main job: a network trained on Fashion-MNIST on the simulated array (`make run`).

Every product of matrices of the training, forward and backward, runs through the Verilated array of an emitted directory, and
daatb holds every result against the golden model bit for bit. Beside it stand the conventional array and the paper's, one step of
the same training on each in RTL, all of it in the same arithmetic in software. Every figure comes from a command of this project:
daagen emits, daatb simulates, daagemm gives the arithmetic of arrays that are not simulated, `make area` measures the cells, and
what would take too long here, clock and energy, is quoted from what `make compare` left.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

import fashion_mnist
import network
import summary

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "common"))
from command import LIBERTY, Failed, Parser, Usage, main, save_json, written_beside  # noqa: E402

# The network: its outputs fill a row of columns, ten of them are classes.
HIDDEN, OUTPUTS = 64, 16
RATE = 0.02
SEED = 0
MEAN, DEVIATION = 0.286, 0.353  # of the training set's pixels, from 0 to 1


class Steps:
    """Says on stderr what is being done, and how long it took; on a terminal the seconds run, after what STATE says."""

    def __init__(self, count):
        self.count = count
        self.index = 0
        self.terminal = sys.stderr.isatty()

    @contextlib.contextmanager
    def step(self, text, state=lambda: ""):
        self.index += 1
        line = f"[{self.index}/{self.count}] {text} ..."
        print(line, end="", file=sys.stderr, flush=True)
        start = time.monotonic()
        ended = threading.Event()

        def run_seconds():
            while not ended.wait(1):
                print(f"\r{line} {state()}{time.monotonic() - start:.0f} s\033[K", end="", file=sys.stderr, flush=True)

        clock = threading.Thread(target=run_seconds, daemon=True)
        if self.terminal:
            clock.start()
        try:
            yield
        except BaseException:
            print(file=sys.stderr)
            raise
        finally:
            ended.set()
            if self.terminal:
                clock.join()
        again = f"\r{line}" if self.terminal else ""
        print(f"{again} {state()}{time.monotonic() - start:.1f} s{chr(27) + '[K' if self.terminal else ''}", file=sys.stderr)


def started(words, log, answer):
    """A command with what it says in LOG, and its standard output in ANSWER if that is given."""
    with open(log, "wb") as said, open(answer or os.devnull, "wb") as out:
        try:
            return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out if answer else said, stderr=said)
        except OSError as error:
            raise Failed(f"{words[0]} cannot be run ({error.strerror})") from None


def commands(jobs):
    """Runs commands side by side; each is words, a log, and a file for its answer or None. A failure is told by a line of its log."""
    jobs = [([str(word) for word in words], log, answer) for words, log, answer in jobs]
    children = []
    try:
        for job in jobs:
            children.append(started(*job))
        for child in children:
            child.wait()
    except BaseException:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()
        raise
    for (words, log, _), child in zip(jobs, children):
        if child.returncode:
            raise Failed(f"{told(log) or f'{words[0]} failed with status {child.returncode}'} (all of it: {log})")


def told(log):
    """The line of LOG that says what went wrong."""
    said = [line for line in log.read_text(errors="replace").split("\n") if line.strip()]
    own = [line for line in said if not re.match(r"make(\[\d+\])?: ", line)]
    # A compiler goes on after its error, a command of ours ends with it.
    errors = [line for line in own if "error" in line.lower()]
    return (errors or own or said or [None])[-1]


def save(path, array):
    with written_beside(path) as beside:
        with open(beside, "wb") as file:
            np.save(file, array)


class Tally:
    """What an array did, summed over products, a kind of GEMM each."""

    def __init__(self):
        self.products = 0
        self.results = 0
        self.cycles = dict.fromkeys(network.GEMMS, 0)
        self.macs = dict.fromkeys(network.GEMMS, 0)

    def figures(self):
        cycles, macs = sum(self.cycles.values()), sum(self.macs.values())
        return {"products": self.products, "results": self.results, "cycles": cycles, "macs": macs,
                "macs_per_cycle": macs / cycles, "cycles_of": dict(self.cycles), "macs_of": dict(self.macs)}


class Array:
    """One emitted array in its directory, and what became of it."""

    def __init__(self, job, name, arguments):
        self.job = job
        self.name = name
        self.arguments = arguments
        self.directory = job.out / name
        self.quoted = CONVENTIONAL if arguments[1] == "baseline" else arguments[1]
        self.tally = Tally()

    def log(self, what):
        return self.job.out / f"{self.name}-{what}.log"

    def emit(self):
        """daagen leaves files as they are where they would be the same, so that what was built stays up to date."""
        commands([([self.job.daagen, *self.arguments, "-o", self.directory], self.log("emit"), None)])
        self.options = json.loads((self.directory / "daa.json").read_text())["options"]
        self.rows, self.columns, self.streams = (int(self.options[name]) for name in ("rows", "cols", "streams"))

    def make(self, target, *words):
        """A target of the Makefile on the directory, for commands()."""
        return (["make", "--no-print-directory", target, f"DIR={self.directory}", f"BUILD={self.job.build}", *words],
                self.log(target), self.job.out / f"{self.name}-{target}.txt")

    def product(self, program, a, b, c0, *words):
        given = []
        for option, matrix in ("a", a), ("b", b), ("c", c0):
            if matrix is not None:
                save(self.job.scratch / f"{option}.npy", matrix)
                given += [f"--{option}", self.job.scratch / f"{option}.npy"]
        commands([([*program, *given, "-o", self.job.scratch / "result.npy", *words], self.log("product"), None)])
        return np.load(self.job.scratch / "result.npy")

    def simulated(self, kind, a, b, c0=None):
        """Through the Verilated hardware; daatb fails where a bit is not the golden model's."""
        stats = self.job.scratch / "stats.json"
        result = self.product([self.directory / "daatb"], a, b, c0, "--stats", stats)
        told = json.loads(stats.read_text())
        self.tally.products += 1
        self.tally.results += result.size
        self.tally.cycles[kind] += told["cycles"]
        self.tally.macs[kind] += told["macs"]
        return result

    def emulated(self, kind, a, b, c0=None):
        """The same bits by the fastest engine of libdaa."""
        return self.product([self.job.daagemm, "--config", self.directory / "daa.json"], a, b, c0)

    def figures(self):
        told = self.tally.figures()
        peak = self.rows * self.columns * self.streams
        figures = {"rows": self.rows, "cols": self.columns, "streams": self.streams, "options": self.options, **told,
                   "utilization": told["macs_per_cycle"] / peak}
        if self.job.liberty:
            report = json.loads((self.directory / "area.json").read_text())
            figures.update(library=report["library"], array_mm2=report["array_um2"] / 1e6)
        figures["quoted"] = QUOTED.get(self.quoted)
        return figures


# The arrays that stand beside the one that is trained: what a reader compares with.
RIVALS = ("baseline", "paper")
# What `make compare` measured, by its own names.
COMPARED = "docs/results/compare.json"
QUOTED = json.loads((ROOT / COMPARED).read_text())["configurations"]
CONVENTIONAL = "conventional"


def library(named):
    """The standard cells that areas are in: those named, or the project's own where they are there, or none."""
    if named is None:
        return LIBERTY if LIBERTY.exists() else None
    if not named.exists():
        raise Usage(f"LIBERTY is {named}, which is not there; it must be a Liberty file, gzipped or not")
    return named.resolve()


class Job:
    def __init__(self, arguments):
        self.build = arguments.build.resolve()
        self.out = self.build / "run"
        self.daagen, self.daagemm = self.build / "daagen", self.build / "daagemm"
        self.config = arguments.config
        self.steps, self.batch, self.tested = arguments.steps, arguments.batch, arguments.test
        self.data = arguments.data
        self.liberty = library(arguments.liberty)
        self.said = ""

    def name(self):
        """The directory's name: the configuration's, or for a file that of its directory (DIR/daa.json) or its own."""
        path = pathlib.Path(self.config)
        return path.resolve().parent.name if path.name == "daa.json" else path.stem

    def beside(self):
        """The configurations that the array is held against."""
        return [name for name in RIVALS if name != self.config]

    def prepare(self):
        try:
            train, test = fashion_mnist.load(self.data)
        except fashion_mnist.DataError as error:
            raise Failed(error) from None
        for name, value, most in (("STEPS", self.steps, len(train.images)), ("BATCH", self.batch, len(train.images)),
                                  ("TEST", self.tested, len(test.images))):
            if not 1 <= value <= most:
                raise Usage(f"{name} is {value}; it must be 1 to {most}")
        if self.steps * self.batch > len(train.images):
            raise Usage(f"STEPS times BATCH is {self.steps * self.batch}; the training set has {len(train.images)} images")
        self.train, self.test = (fashion_mnist.Set(pixels(each.images), each.labels) for each in (train, test))

    def network(self):
        return network.Network(self.train.images.shape[1], HIDDEN, OUTPUTS, SEED)

    def trained(self, multiply, steps):
        """A network after STEPS steps, and the loss before each of them."""
        net, losses = self.network(), []
        order = np.random.default_rng(SEED).permutation(len(self.train.images))
        start = time.monotonic()
        for step in range(steps):
            chosen = order[step * self.batch : (step + 1) * self.batch]
            losses.append(net.step(self.train.images[chosen], self.train.labels[chosen], RATE, multiply))
            left = (time.monotonic() - start) / (step + 1) * (steps - step - 1)
            self.said = f"step {step + 1} of {steps}, loss {np.mean(losses[-10:]):.2f}, {left:.0f} s left, "
        self.said = f"loss {losses[0]:.2f} to {np.mean(losses[-10:]):.2f}, "
        return net, losses

    def correct(self, net, multiply, block=1000):
        """Of the test images, in blocks, so that the progress can be seen."""
        count = 0
        for at in range(0, self.tested, block):
            end = min(at + block, self.tested)
            count += net.correct(self.test.images[at:end], self.test.labels[at:end], multiply)
            self.said = f"{end} of {self.tested}, {count / end:.1%} right, "
        return count

    def leave_operands(self, net):
        """A product to try the commands with: the second layer for some test images."""
        images = self.test.images[: min(self.tested, 256)]
        _, hidden, _ = net.forward(images, network.exact)
        for name, matrix in ("A", hidden), ("B", net.weights[1]), ("C0", np.tile(net.biases[1], (len(images), 1))):
            save(self.out / f"{name}.npy", matrix)

    def run(self):
        self.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.out, prefix=".products-") as place:
            self.scratch = pathlib.Path(place)
            return self.measured()

    def measured(self):
        steps = Steps(7 if self.liberty else 6)
        with steps.step(f"images from {self.data}"):
            self.prepare()
        with steps.step(f"emitting {self.config}, and {' and '.join(self.beside())} beside it"):
            array = Array(self, self.name(), ["--config", self.config])
            array.emit()
            size = ["--rows", array.rows, "--cols", array.columns]
            rivals = {name: Array(self, f"{array.name}-beside-{name}", ["--config", name, *size]) for name in self.beside()}
            for rival in rivals.values():
                rival.emit()
        arrays = [array, *rivals.values()]
        if self.liberty:  # before what takes long, in case the library is none
            with steps.step("area of each"):
                commands([each.make("area", f"LIBERTY={self.liberty}") for each in arrays])
        with steps.step("verilating each"):
            commands([each.make("tb") for each in arrays])
        with steps.step("training on the array", lambda: self.said):
            net, losses = self.trained(array.simulated, self.steps)
        training = array.tally.figures()
        with steps.step("test images through the array", lambda: self.said):
            correct = {"rtl": self.correct(net, array.simulated)}
        with steps.step("the same beside it, and in float32", lambda: self.said):
            for name, rival in rivals.items():
                self.trained(rival.simulated, 1)
                net, _ = self.trained(rival.emulated, self.steps)
                correct[name] = self.correct(net, rival.emulated, 10000)
            net, exact_losses = self.trained(network.exact, self.steps)
            correct["float32"] = self.correct(net, network.exact, 10000)
            self.said = ""
            self.leave_operands(net)
        return self.result(array, rivals, training, losses, exact_losses, correct)

    def result(self, array, rivals, training, losses, exact_losses, correct):
        """One step's cycles on each array: all steps are alike."""
        return {
            "config": self.config,
            "layers": [self.train.images.shape[1], HIDDEN, OUTPUTS],
            "steps": self.steps, "batch": self.batch, "tested": self.tested,
            "loss": {"first": losses[0], "last": float(np.mean(losses[-10:])), "last_float32": float(np.mean(exact_losses[-10:]))},
            "correct": correct,
            "array": {**array.figures(), "training": training, "cycles_a_step": training["cycles"] / self.steps},
            "rivals": {name: {**rival.figures(), "cycles_a_step": rival.tally.figures()["cycles"]} for name, rival in rivals.items()},
            "quoted_from": COMPARED,
        }


def pixels(images):
    """Of mean zero and deviation one."""
    return ((images / 255 - MEAN) / DEVIATION).astype(np.float32)


def read_arguments():
    parser = Parser(prog="run", description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=100, help="of the training (default 100)")
    parser.add_argument("--batch", type=int, default=64, help="images a step (default 64)")
    parser.add_argument("--test", type=int, default=10000, help="test images, from the first (default 10000)")
    parser.add_argument("--config", default="safe2", help="named configuration or daa.json (default safe2)")
    parser.add_argument("--data", type=pathlib.Path, default=fashion_mnist.DIRECTORY, help="directory of the data set")
    parser.add_argument("--liberty", type=pathlib.Path, help="standard cells, gzipped or not (default OSU 0.18 um)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where the commands are")
    return parser.parse_args()


def run():
    """Does the job, writes its summary.json, prints the summary."""
    job = Job(read_arguments())
    result = job.run()
    save_json(job.out / "summary.json", result)
    print("\n".join(summary.lines(result)))


if __name__ == "__main__":
    sys.exit(main("run", run))
