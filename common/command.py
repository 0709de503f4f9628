"""What the project's Python commands share: failing in one line, saying what is done, files written whole."""
import argparse
import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where `./daa --cells` leaves the standard cells that areas are in unless another library is named.
LIBERTY = ROOT / "build/cells/usr/share/qflow/tech/osu018/osu018_stdcells.lib"


_serial = itertools.count()


class Failed(Exception):
    """The job cannot go on; the text is one line."""

    status = 1


class Usage(Failed):
    """The job was asked for wrongly."""

    status = 2


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Usage(message)


def run(*words):
    """A command of the project, from its root; its last words become the failure."""
    done = subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failed(said[-1] if said else f"{words[0]} failed with status {done.returncode}")


def interrupted(_number, _frame):
    raise KeyboardInterrupt


def one_line(text):
    """The text without what would break its line or a terminal."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", str(text))


def main(name, job):
    """Runs JOB; its failures become one line on stderr and the exit status."""
    for number in signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, interrupted)
    status, said = 0, None
    try:
        job()
        sys.stdout.flush()
    except Failed as error:
        status, said = error.status, error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        status, said = 1, None if isinstance(error, BrokenPipeError) else f"{place}{error.strerror}"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is not yet written would fail again
    except KeyboardInterrupt:
        status, said = 130, "interrupted; what was there is kept"
    if said is not None:
        print(f"{name}: {one_line(said)}", file=sys.stderr)
    return status


@contextlib.contextmanager
def step(text):
    """Says on stderr what is being done, and how long it took."""
    print(f"{text} ...", end="", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print(file=sys.stderr)
        raise
    print(f" {time.monotonic() - start:.1f} s", file=sys.stderr)


@contextlib.contextmanager
def written_beside(path):
    """A temporary name in the folder of PATH, renamed to PATH at the end and removed on any failure. PATH is a plain file, or
    new; links are followed."""
    place = path.resolve()
    if place.exists() and not place.is_file():
        raise Failed(f"{path} cannot be written (it is not a plain file); give a path that can")
    beside = place.with_name(f".daa-tmp.{os.getpid()}.{next(_serial)}")
    try:
        yield beside
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path, content):
    """The file with these bytes, or as it was, whatever happens to the machine."""
    with written_beside(path) as beside, open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def save_json(path, value):
    write_whole(path, (json.dumps(value, indent=2) + "\n").encode())
