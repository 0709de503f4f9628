"""The main job: Fashion-MNIST by nearest class mean, through an emitted, Verilated array (`make run`).

Every figure comes from a command of this project: daagen emits the array and its 1-stream rival, daagemm is the golden
model, daatb the hardware, `make area` the cells. Here they are called, compared and summed up.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

import numpy as np

import fashion_mnist
import nearest_mean
import summary

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "common"))
from command import Failed, Parser, Usage, main, save_json, written_beside  # noqa: E402


class Steps:
    """Says on stderr what is being done, and how long it took; on a terminal the seconds run."""

    def __init__(self, count):
        self.count = count
        self.index = 0
        self.terminal = sys.stderr.isatty()

    @contextlib.contextmanager
    def step(self, text):
        self.index += 1
        line = f"[{self.index}/{self.count}] {text} ..."
        print(line, end="", file=sys.stderr, flush=True)
        start = time.monotonic()
        ended = threading.Event()

        def run_seconds():
            while not ended.wait(1):
                print(f"\r{line} {time.monotonic() - start:.0f} s", end="", file=sys.stderr, flush=True)

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
        print(f"{again} {time.monotonic() - start:.1f} s", file=sys.stderr)


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


class Array:
    """One emitted array in its directory, and what became of it."""

    def __init__(self, job, name, arguments):
        self.job = job
        self.name = name
        self.arguments = arguments
        self.directory = job.out / name

    def log(self, what):
        return self.job.out / f"{self.name}-{what}.log"

    def emit(self):
        """daagen leaves files as they are where they would be the same, so that what was built stays up to date."""
        command([self.job.daagen, *self.arguments, "-o", self.directory], self.log("emit"))
        self.options = json.loads((self.directory / "daa.json").read_text())["options"]

    def make(self, target, answer=None):
        command(["make", "--no-print-directory", target, f"DIR={self.directory}", f"BUILD={self.job.build}"],
                self.log(target), answer)

    def golden(self):
        result = self.job.out / f"{self.name}-golden.npy"
        command([self.job.daagemm, "--config", self.directory / "daa.json", *self.job.operands, "-o", result],
                self.log("golden"))
        self.golden_scores = np.load(result)

    def rtl(self):
        result, stats = self.job.out / f"{self.name}-rtl.npy", self.job.out / f"{self.name}-stats.json"
        command([self.directory / "daatb", *self.job.operands, "-o", result, "--stats", stats], self.log("rtl"))
        self.rtl_scores = np.load(result)
        self.stats = json.loads(stats.read_text())

    def area(self):
        tables = self.job.out / f"{self.name}-area.txt"
        self.make("area", tables)
        self.area_tables = tables.read_text()
        self.area_report = json.loads((self.directory / "area.json").read_text())

    def equal_elements(self):
        """Elements with the same bits in the golden model and the hardware."""
        return int((self.golden_scores.view(np.uint32) == self.rtl_scores.view(np.uint32)).sum())

    def figures(self):
        rows, columns, streams = (int(self.options[name]) for name in ("rows", "cols", "streams"))
        square_mm = self.area_report["array_um2"] / 1e6
        return {
            "rows": rows, "cols": columns, "streams": streams,
            "cycles": self.stats["cycles"],
            "macs_per_cycle": self.stats["macs_per_cycle"],
            "utilization": self.stats["utilization"],
            "peak_macs_per_cycle": rows * columns * streams,
            "pe_um2": self.area_report["pe_um2"],
            "array_um2": self.area_report["array_um2"],
            "peak_macs_per_cycle_per_mm2": rows * columns * streams / square_mm,
            "macs_per_cycle_per_mm2": self.stats["macs_per_cycle"] / square_mm,
            "elements": int(self.rtl_scores.size),
            "elements_equal": self.equal_elements(),
        }


# What the 1-stream rival shares with the array: the same work, in the same numbers.
SHARED = ("rows", "cols", "a-format", "b-format", "acc-format", "out-format", "specials", "pipeline")


def option_words(options, names):
    return [word for name in names for word in (f"--{name}", str(options[name]))]


class Job:
    def __init__(self, arguments):
        self.build = arguments.build.resolve()
        self.out = self.build / "run"
        self.daagen, self.daagemm = self.build / "daagen", self.build / "daagemm"
        self.config = arguments.config
        self.images = arguments.images
        self.data = arguments.data
        self.operands = ["--a", self.out / "A.npy", "--b", self.out / "B.npy", "--c", self.out / "C0.npy"]

    def name(self):
        """The directory's name: the configuration's, or for a file that of its directory (DIR/daa.json) or its own."""
        path = pathlib.Path(self.config)
        return path.resolve().parent.name if path.name == "daa.json" else path.stem

    def prepare(self):
        try:
            train, test = fashion_mnist.load(self.data)
        except fashion_mnist.DataError as error:
            raise Failed(error) from None
        if not 1 <= self.images <= len(test.images):
            raise Usage(f"IMAGES is {self.images}; it must be 1 to {len(test.images)}")
        try:
            means = nearest_mean.class_means(*train, fashion_mnist.CLASSES)
        except ValueError as error:
            raise Failed(f"{self.data}: {error}") from None
        a, b, c0 = nearest_mean.operands(test.images[: self.images], means)
        for name, operand in ("A", a), ("B", b), ("C0", c0):
            save(self.out / f"{name}.npy", np.ascontiguousarray(operand, np.float32))
        self.labels = test.labels[: self.images]
        self.scores = a @ b + c0

    def run(self):
        self.out.mkdir(parents=True, exist_ok=True)
        steps = Steps(6)
        with steps.step(f"class means and {self.images} test images from {self.data}"):
            self.prepare()
        with steps.step(f"emitting {self.config} and its 1-stream rival"):
            array = Array(self, self.name(), ["--config", self.config])
            array.emit()
            rival = Array(self, f"{array.name}-1stream", ["--config", "baseline", *option_words(array.options, SHARED)])
            rival.emit()
        with steps.step("verilating both"):
            array.make("tb")
            rival.make("tb")
        with steps.step("golden model"):
            array.golden()
            rival.golden()
        with steps.step("hardware, simulated"):
            array.rtl()
            rival.rtl()
        with steps.step("area of both"):
            array.area()
            rival.area()
        return self.result(array, rival)

    def result(self, array, rival):
        figures, rival_figures = array.figures(), rival.figures()
        return {
            "images": self.images,
            "pixels": int(np.load(self.out / "A.npy", mmap_mode="r").shape[1]),
            "classes": fashion_mnist.CLASSES,
            "config": self.config,
            "options": array.options,
            "correct": {
                "float64": nearest_mean.correct(self.scores, self.labels),
                "golden": nearest_mean.correct(array.golden_scores, self.labels),
                "rtl": nearest_mean.correct(array.rtl_scores, self.labels),
                "rival": nearest_mean.correct(rival.rtl_scores, self.labels),
            },
            "array": figures,
            "rival": rival_figures,
            "speedup": rival_figures["cycles"] / figures["cycles"],
            "library": array.area_report["library"],
            "area_tables": array.area_tables,
        }


def read_arguments():
    parser = Parser(prog="run", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=256, help="test images, from the first (default 256)")
    parser.add_argument("--config", default="paper", help="named configuration or daa.json (default paper)")
    parser.add_argument("--data", type=pathlib.Path, default=fashion_mnist.DIRECTORY, help="directory of the data set")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where the commands are")
    return parser.parse_args()


def run():
    """Does the job, writes its summary.json, prints the summary."""
    job = Job(read_arguments())
    result = job.run()
    save_json(job.out / "summary.json", result)
    print("\n".join(summary.lines(result)))
    print(f"\n{result['area_tables']}", end="")
    bad = sum(result[which]["elements"] - result[which]["elements_equal"] for which in ("array", "rival"))
    if bad:
        raise Failed(f"{bad} elements differ between golden model and hardware; there must be none")


if __name__ == "__main__":
    sys.exit(main("run", run))
