"""The accuracy study: trains every arm on every seed, some runs at a time, and keeps one line of CSV for each.
`python -m train.accuracy --help`.

Interrupted at any point and started again, it goes on where it was: finished runs are in the CSV, the others have
checkpoints."""
import argparse
import contextlib
import fcntl
import json
import math
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

from train import StudyError, arms, data, model, report, studies
from train.run import Run, add_device, add_recipe, command, discard, positive, recipe, require, words
from train.table import KEY, append_row, key_of, read_rows

RUN = (sys.executable, "-m", "train.run")  # the command of one run
GPU_JOBS = 4  # runs at a time on a GPU, which one alone leaves idle most of the time


@contextlib.contextmanager
def locked(directory):
    """Holds the directory against other studies; the system lets it go when this process ends, however it ends."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StudyError(f"{directory} is in use by another study; wait for its end, or stop it") from None
    finally:
        os.close(handle)


def plan(names, seeds, shared):
    """The runs, seed by seed; SEEDS: those to run, or None for each arm's own number."""
    last = max(arms.ARMS[name].seeds for name in names) if seeds is None else 0
    for seed in range(last) if seeds is None else seeds:
        for name in names:
            if seeds is not None or seed < arms.ARMS[name].seeds:
                yield Run(name, seed, **shared)


class Scheduler:
    """Runs one process for each run, JOBS at a time, and follows what they print."""

    def __init__(self, runs, jobs, options):
        self.waiting, self.jobs, self.options = list(runs), jobs, options
        self.running = {}  # run: process
        self.events = queue.Queue()
        self.table = options.output / "runs.csv"
        self.failed = []

    def curve(self, run):
        return self.options.output / "curves" / f"{run.name}.npy"

    def start(self, run):
        options = self.options
        source = options.text if options.networks and run.network.length else options.data
        words = ["--arm", run.arm, "--seed", run.seed, "--data", source, "--model", run.model, "--epochs", run.epochs, "--lr",
                 run.lr, "--high", ",".join(run.high), "--device", options.device, "--work", options.work, "--curve", self.curve(run)]
        # A session of its own: Ctrl-C reaches the scheduler only, which then ends its runs.
        said = tempfile.TemporaryFile("w+")
        process = subprocess.Popen([*RUN, *map(str, words)], stdout=subprocess.PIPE, stderr=said,
                                   text=True, start_new_session=True)
        self.running[run] = process
        threading.Thread(target=self.follow, args=(run, process, said), daemon=True).start()

    def follow(self, run, process, said):
        """What a run prints, line by line, then what it said on stderr and its status."""
        for line in process.stdout:
            self.events.put((run, line.strip()))
        status = process.wait()
        said.seek(0)
        self.events.put((run, (said.read().strip(), status)))

    def loop(self):
        progress = Progress(self.waiting)
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.jobs:
                self.start(self.waiting.pop(0))
            run, event = self.events.get()
            if isinstance(event, tuple):
                del self.running[run]
                error, status = event
                if error:
                    print(f"{run.name}: {error}", file=sys.stderr, flush=True)
                if status:
                    self.failed.append(run)
                    progress.failed(run)
            elif event.startswith("{"):
                result = json.loads(event)
                append_row(self.table, run, result)
                discard(run, self.options.work)
                progress.finished(run)
                print(f"{run.name}: accuracy {result['test_accuracy']:.2f}%, test loss {result['test_loss']:.4f}, training loss "
                      f"{result['train_loss']:.4f}, {result['seconds'] / 60:.1f} min; {progress}", flush=True)
            elif event.startswith("step "):
                _, place, loss = event.split()
                progress.step(run, *map(int, place.split("/")))
                progress.show(f"{run.name} {place} loss {loss}; {progress}")

    def stop(self):
        """Ends the runs; each writes its checkpoint first."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait()


class Progress:
    """How far the study is and how long it will still take, from the speed of this scheduler's own work so far. Work is
    counted in runs of the reference (arms.cost)."""

    KNOWN = 0.05  # of a run: work before there is an estimate

    def __init__(self, runs):
        self.left = {run: self.cost(run) for run in runs}
        self.seen = set()  # runs that have said where they are: a resumed one begins in its middle
        self.runs, self.done, self.worked = len(runs), 0, 0.0
        self.began, self.shown = time.monotonic(), -math.inf

    @staticmethod
    def cost(run):
        return arms.cost(run.arm) * studies.minutes(run.model)

    def step(self, run, step, steps):
        left = self.cost(run) * (1 - step / steps)
        if run in self.seen:
            self.worked += self.left[run] - left
        self.seen.add(run)
        self.left[run] = left

    def finished(self, run):
        del self.left[run]
        self.done += 1

    def failed(self, run):
        del self.left[run]
        self.runs -= 1

    def __str__(self):
        known = self.worked > self.KNOWN
        time_left = duration((time.monotonic() - self.began) * sum(self.left.values()) / self.worked) if known else "time unknown"
        return f"{self.done} of {self.runs} runs done, {time_left} left"

    def show(self, text):
        """A line that the next one overwrites on a terminal; one a minute elsewhere."""
        if sys.stdout.isatty():
            print(f"\r{text[:110]:110}", end="\r", flush=True)
        elif time.monotonic() - self.shown > 60:
            print(text, flush=True)
            self.shown = time.monotonic()


def duration(seconds):
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def arm_names(text):
    names = words(text)
    unknown = [name for name in names if name not in arms.ARMS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"there is no arm '{' '.join(unknown)}'; the arms are {', '.join(arms.ARMS)}")
    return names


def network_list(text):
    found = [study for word in words(text) for study in studies.named(word)]
    unknown = [word for word in words(text) if not studies.named(word)]
    if unknown or not found:
        raise argparse.ArgumentTypeError(f"there is no network '{' '.join(unknown)}' in the study; there are "
                                         f"{', '.join(study.model for study in studies.SHORT + studies.FULL)}, and the forms "
                                         f"{' and '.join(studies.FORMS)}")
    return tuple(dict.fromkeys(found))


def seed_list(text):
    try:
        return tuple(int(word) for word in words(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of seeds such as 0,1,2") from None


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.accuracy", description="Train every arm of the study on every seed. Runs "
                                     "that the output already holds are left out; Ctrl-C keeps what is done.")
    add_recipe(parser)
    add_device(parser)
    parser.add_argument("--arms", type=arm_names, default=arms.ORDER, metavar="ARM,...",
                        help=f"of {', '.join(arms.ARMS)}; default: all")
    parser.add_argument("--seeds", type=seed_list, metavar="N,...", help="default: those of the study, by arm")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/accuracy"), metavar="DIR",
                        help="where runs.csv, curves and the report go; default %(default)s")
    parser.add_argument("--jobs", type=positive(int), metavar="N", help="runs at a time, one thread each; default: the "
                        f"processors, {os.cpu_count()}; {GPU_JOBS} on a GPU")
    hard = parser.add_argument_group("the study where it is hard")
    hard.add_argument("--networks", type=network_list, metavar="NAME,...", help="instead of one model, with lengths and learning "
                      f"rates of their own: {', '.join(study.model for study in studies.SHORT)} (or: short), "
                      f"{', '.join(study.model for study in studies.FULL)} (or: full)")
    hard.add_argument("--text", type=pathlib.Path, metavar="FILE", help="what the language models among them read")
    hard.add_argument("--check-lr", action="store_true", help=f"run {arms.REFERENCE} and {arms.WORST} at "
                      f"{' and '.join(f'{factor:g}' for factor in studies.RATES)} times the learning rate instead, for one seed")
    options = parser.parse_args(arguments)
    own = [name for name in ("model", "epochs", "lr", "high") if getattr(options, name) != parser.get_default(name)]
    if options.networks and own:
        parser.error(f"--networks have a {own[0]} of their own; give --{own[0]} without it")
    if options.check_lr and not options.networks:
        parser.error("--check-lr is of --networks; give both")
    if options.networks and not options.text and any(model.MODELS[study.model].length for study in options.networks):
        parser.error("a language model needs a text; give --text FILE, or --networks without it")
    options.jobs = options.jobs or (GPU_JOBS if options.device == "cuda" else os.cpu_count())

    with command("train.accuracy"), contextlib.ExitStack() as locks:
        for directory in sorted({options.output.resolve(), options.work.resolve()}):
            locks.enter_context(locked(directory))
        study(options)


def hard_plan(options):
    """The runs of the study where it is hard; only the data that they need is looked at."""
    kinds = {model.MODELS[study.model].sees for study in options.networks}
    datasets = {"images": lambda: data.detect(options.data), "text": lambda: data.find_text(options.text).stem}
    datasets = {kind: datasets[kind]() for kind in sorted(kinds)}
    if options.check_lr:
        return studies.check_rates(options.networks, datasets, options.seeds or studies.SEEDS[:1])
    names = tuple(name for group in arms.HARD for name in group) if options.arms == arms.ORDER else options.arms
    return studies.plan(options.networks, datasets, names, options.seeds or studies.SEEDS)


def study(options):
    """Runs what is not in the CSV yet, then writes the report."""
    require(options.device)
    wanted = hard_plan(options) if options.networks else plan(options.arms, options.seeds, recipe(options))
    done = [{name: row[name] for name in KEY} for row in read_rows(options.output / "runs.csv")]
    runs = [run for run in wanted if key_of(run) not in done]
    scheduler = Scheduler(runs, options.jobs, options)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        scheduler.loop()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("\nstopping; the same command goes on from here", flush=True)
        sys.exit(130)
    finally:
        scheduler.stop()
        signal.signal(signal.SIGTERM, before)
    print(report.write(options.output), flush=True)
    if scheduler.failed:
        raise StudyError(f"{len(scheduler.failed)} runs failed: {', '.join(run.name for run in scheduler.failed)}")


if __name__ == "__main__":
    main()
