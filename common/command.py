"""What the project's Python commands share: failing in one line, saying what is done, files written whole."""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where `./daa --cells` leaves the standard cells that areas are in unless another library is named.
LIBERTY = ROOT / "build/cells/usr/share/qflow/tech/osu018/osu018_stdcells.lib"


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


def main(name, job):
    """Runs JOB; its failures become one line on stderr and the exit status."""
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        job()
        sys.stdout.flush()
    except Failed as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"{name}: {place}{error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted; what was there is kept", file=sys.stderr)
        return 130
    return 0


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
    """A temporary name next to PATH, renamed to PATH at the end and removed on any failure."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def save_json(path, value):
    with written_beside(path) as beside:
        beside.write_text(json.dumps(value, indent=2) + "\n")
