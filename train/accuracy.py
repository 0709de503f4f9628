"""The accuracy study: trains every arm on every seed, some runs at a time, and keeps one line of CSV for each.
`python -m train.accuracy --help`.

Interrupted at any point and started again, it goes on where it was: finished runs are in the CSV, the others have
checkpoints."""
import argparse
import fcntl
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

from train import StudyError, arms, report
from train.run import Run, add_recipe, command, discard, positive, recipe, words
from train.table import KEY, append_row, key_of, read_rows

def lock(directory):
    """Holds the directory until this process ends, however it ends."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StudyError(f"{directory} is in use by another study; wait for its end, or stop it") from None


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
        words = ["--arm", run.arm, "--seed", run.seed, "--data", options.data, "--model", run.model, "--epochs", run.epochs,
                 "--lr", run.lr, "--high", ",".join(run.high), "--work", options.work, "--curve", self.curve(run)]
        # A session of its own: Ctrl-C reaches the scheduler only, which then ends its runs.
        said = tempfile.TemporaryFile("w+")
        process = subprocess.Popen([sys.executable, "-m", "train.run", *map(str, words)], stdout=subprocess.PIPE,
                                   stderr=said, text=True, start_new_session=True, env=environment())
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
        progress = Progress(len(self.waiting))
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.jobs:
                self.start(self.waiting.pop(0))
            run, event = self.events.get()
            if isinstance(event, tuple):
                del self.running[run]
                error, status = event
                if error:
                    print(f"{run.name}: {error.splitlines()[-1]}", file=sys.stderr, flush=True)
                if status:
                    self.failed.append(run)
                    progress.drop(run)
            elif event.startswith("{"):
                result = json.loads(event)
                append_row(self.table, run, result)
                discard(run, self.options.work)
                progress.finished(run)
                print(f"{run.name}: accuracy {result['test_accuracy']:.2f}%, training loss {result['train_loss']:.4f}, "
                      f"{result['seconds'] / 60:.1f} min; {progress}", flush=True)
            else:
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
    """How far the study is and how long it will still take, by the share of runs done since it started."""

    def __init__(self, runs):
        self.runs, self.done, self.began = runs, 0, time.monotonic()
        self.share, self.first = {}, {}  # of each run in progress: its share now, and when it started here
        self.worked = 0.0  # runs' worth of work done here
        self.shown = 0.0

    def step(self, run, step, steps):
        self.first.setdefault(run, (step - 1) / steps)
        self.share[run] = step / steps

    def finished(self, run):
        self.worked += 1 - self.first.pop(run, 0)
        self.share.pop(run, None)
        self.done += 1

    def drop(self, run):
        self.first.pop(run, None)
        self.share.pop(run, None)
        self.runs -= 1

    def __str__(self):
        worked = self.worked + sum(share - self.first[run] for run, share in self.share.items())
        left = self.runs - self.done - sum(self.share.values())
        seconds = (time.monotonic() - self.began) * left / worked if worked else 0
        return f"{self.done} of {self.runs} runs done, {duration(seconds) if worked else 'time unknown'} left"

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


def environment():
    """PyTorch's own float32 kernels held to AVX2, so that a run gives the same bits on any newer x86 processor."""
    held = {}
    try:
        if " avx2 " in pathlib.Path("/proc/cpuinfo").read_text():
            held = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    except OSError:
        pass
    return {**os.environ, **held, "OMP_NUM_THREADS": "1"}


def arm_names(text):
    names = words(text)
    unknown = [name for name in names if name not in arms.ARMS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"there is no arm '{' '.join(unknown)}'; the arms are {', '.join(arms.ARMS)}")
    return names


def seed_list(text):
    try:
        return tuple(int(word) for word in words(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of seeds such as 0,1,2") from None


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.accuracy", description="Train every arm of the study on every seed. Runs "
                                     "that the output already holds are left out; Ctrl-C keeps what is done.")
    add_recipe(parser)
    parser.add_argument("--arms", type=arm_names, default=tuple(arms.ARMS), metavar="ARM,...",
                        help=f"of {', '.join(arms.ARMS)}; default: all")
    parser.add_argument("--seeds", type=seed_list, metavar="N,...", help="default: those of the study, by arm")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/accuracy"), metavar="DIR",
                        help="where runs.csv, curves and the report go; default %(default)s")
    parser.add_argument("--jobs", type=positive(int), default=os.cpu_count(), metavar="N",
                        help="runs at a time, one thread each; default: the processors, %(default)s")
    options = parser.parse_args(arguments)

    def interrupted(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    with command("train.accuracy"):
        lock(options.output)
        if options.work.resolve() != options.output.resolve():
            lock(options.work)
        done = [{name: row[name] for name in KEY} for row in read_rows(options.output / "runs.csv")]
        runs = [run for run in plan(options.arms, options.seeds, recipe(options)) if key_of(run) not in done]
        scheduler = Scheduler(runs, options.jobs, options)
        try:
            scheduler.loop()
        except KeyboardInterrupt:
            print("\nstopping; the same command goes on from here", flush=True)
            scheduler.stop()
            sys.exit(130)
        except BaseException:
            scheduler.stop()
            raise
        print(report.write(options.output), flush=True)
        if scheduler.failed:
            raise StudyError(f"{len(scheduler.failed)} runs failed: {', '.join(run.name for run in scheduler.failed)}")


if __name__ == "__main__":
    main()
