"""The main job: a network trained on Fashion-MNIST on the simulated array (`make run`).

Every product of matrices of the training, forward and backward, runs through the Verilated array of an emitted directory, and
daatb holds every result against the golden model bit for bit. The same training with one stream, in the same formats, says
what the second stream is worth. Every figure comes from a command of this project: daagen emits, daatb simulates, daagemm
gives the arithmetic of arrays that are not simulated, `make area` measures the cells.
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


def command(words, log, answer=None):
    """Runs a command with what it says in LOG, and its standard output in ANSWER if that is given.

    A failure is told by a line of LOG."""
    words = [str(word) for word in words]
    with open(log, "wb") as said, open(answer or os.devnull, "wb") as out:
        try:
            child = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out if answer else said, stderr=said)
        except OSError as error:
            raise Failed(f"{words[0]} cannot be run ({error.strerror})") from None
        try:
            status = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if status:
        said = [line for line in log.read_text(errors="replace").split("\n") if line.strip()]
        told = [line for line in said if not re.match(r"make(\[\d+\])?: ", line)]
        # A compiler goes on after its error, a command of ours ends with it.
        errors = [line for line in told if "error" in line.lower()]
        line = (errors or told or said or [f"{words[0]} failed with status {status}"])[-1]
        raise Failed(f"{line} (all of it: {log})")


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
        self.tally = Tally()

    def log(self, what):
        return self.job.out / f"{self.name}-{what}.log"

    def emit(self):
        """daagen leaves files as they are where they would be the same, so that what was built stays up to date."""
        command([self.job.daagen, *self.arguments, "-o", self.directory], self.log("emit"))
        self.options = json.loads((self.directory / "daa.json").read_text())["options"]
        self.rows, self.columns, self.streams = (int(self.options[name]) for name in ("rows", "cols", "streams"))

    def make(self, target, *words, answer=None):
        command(["make", "--no-print-directory", target, f"DIR={self.directory}", f"BUILD={self.job.build}", *words],
                self.log(target), answer)

    def product(self, program, a, b, c0, *words):
        given = []
        for option, matrix in ("a", a), ("b", b), ("c", c0):
            if matrix is not None:
                save(self.job.scratch / f"{option}.npy", matrix)
                given += [f"--{option}", self.job.scratch / f"{option}.npy"]
        command([*program, *given, "-o", self.job.scratch / "result.npy", *words], self.log("product"))
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

    def area(self):
        tables = self.job.out / f"{self.name}-area.txt"
        self.make("area", f"LIBERTY={self.job.liberty}", answer=tables)
        self.area_report = json.loads((self.directory / "area.json").read_text())

    def figures(self):
        told = self.tally.figures()
        peak = self.rows * self.columns * self.streams
        figures = {"rows": self.rows, "cols": self.columns, "streams": self.streams, "options": self.options, **told,
                   "utilization": told["macs_per_cycle"] / peak}
        if self.job.liberty:
            figures.update(pe_um2=self.area_report["pe_um2"], array_um2=self.area_report["array_um2"],
                           macs_per_cycle_per_mm2=1e6 * told["macs_per_cycle"] / self.area_report["array_um2"])
        return figures


# What the 1-stream rival shares with the array: the same work, in the same numbers.
SHARED = ("rows", "cols", "a-format", "b-format", "acc-format", "out-format", "specials", "pipeline")


def option_words(options, names):
    return [word for name in names for word in (f"--{name}", str(options[name]))]


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
        with steps.step(f"emitting {self.config} and its 1-stream rival"):
            array = Array(self, self.name(), ["--config", self.config])
            array.emit()
            rival = Array(self, f"{array.name}-1stream", ["--config", "baseline", *option_words(array.options, SHARED)])
            rival.emit()
        if self.liberty:  # before what takes long, in case the library is none
            with steps.step("area of both"):
                array.area()
                rival.area()
        with steps.step("verilating both"):
            array.make("tb")
            rival.make("tb")
        with steps.step("training on the array", lambda: self.said):
            net, losses = self.trained(array.simulated, self.steps)
        training = array.tally.figures()
        with steps.step("test images through the array", lambda: self.said):
            correct = {"rtl": self.correct(net, array.simulated)}
        with steps.step("the same with 1 stream, and in float32", lambda: self.said):
            self.trained(rival.simulated, 1)
            net, _ = self.trained(rival.emulated, self.steps)
            correct["rival"] = self.correct(net, rival.emulated, 10000)
            net, exact_losses = self.trained(network.exact, self.steps)
            correct["float32"] = self.correct(net, network.exact, 10000)
            self.said = ""
            self.leave_operands(net)
        return self.result(array, rival, training, losses, exact_losses, correct)

    def result(self, array, rival, training, losses, exact_losses, correct):
        """One step's cycles on either array: all steps are alike."""
        a_step = training["cycles"] / self.steps
        return {
            "config": self.config,
            "layers": [self.train.images.shape[1], HIDDEN, OUTPUTS],
            "steps": self.steps, "batch": self.batch, "tested": self.tested,
            "loss": {"first": losses[0], "last": float(np.mean(losses[-10:])), "last_float32": float(np.mean(exact_losses[-10:]))},
            "correct": correct,
            "array": {**array.figures(), "training": training, "cycles_a_step": a_step},
            "rival": {**rival.figures(), "cycles_a_step": rival.tally.figures()["cycles"]},
            "speedup": rival.tally.figures()["cycles"] / a_step,
            "library": array.area_report["library"] if self.liberty else None,
        }


def pixels(images):
    """Of mean zero and deviation one."""
    return ((images / 255 - MEAN) / DEVIATION).astype(np.float32)


def read_arguments():
    parser = Parser(prog="run", description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=100, help="of the training (default 100)")
    parser.add_argument("--batch", type=int, default=64, help="images a step (default 64)")
    parser.add_argument("--test", type=int, default=10000, help="test images, from the first (default 10000)")
    parser.add_argument("--config", default="paper", help="named configuration or daa.json (default paper)")
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
