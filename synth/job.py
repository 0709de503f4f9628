"""What the commands of this room share: failing in one line, files written whole, Yosys run and stopped cleanly."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent


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
    done = subprocess.run([str(word) for word in words], cwd=ROOT.parent, capture_output=True, text=True)
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


@contextlib.contextmanager
def scratch(directory):
    """A directory inside DIRECTORY that is gone afterwards, whatever happens."""
    try:
        place = tempfile.TemporaryDirectory(dir=directory, prefix=".synth-")
    except OSError as error:
        raise Failed(f"{directory} cannot be written ({error.strerror}); DIR must be a directory that can") from None
    with place as name:
        yield pathlib.Path(name)


class Emitted:
    """What daagen wrote into a directory."""

    def __init__(self, directory):
        self.directory = directory
        manifest = directory / "daa.json"
        try:
            self.manifest = json.loads(manifest.read_text())
            self.hash = self.manifest["hash"]
            self.options = self.manifest["options"]
            self.prefix = self.options["prefix"]
            self.files = (directory / "daa.f").read_text().split()
        except (OSError, ValueError, KeyError, TypeError):
            raise Usage(f"{directory} is not a directory that daagen wrote; make it with build/daagen -o {directory}") from None
        missing = [name for name in self.files if not (directory / name).is_file()]
        if missing:
            raise Usage(f"{directory / missing[0]} is missing; make it again with build/daagen -o {directory}")
        self.top = f"{self.prefix}_array"


def base_name(module):
    """A module's name in the source: `$paramod$HASH\\name`, `$paramod\\name\\Width=...`, `\\name` are all `name`."""
    match = re.match(r"(?:\$paramod(?:\$[0-9a-f]+)?)?\\?([^\\]+)", module)
    return match.group(1)


def keep_only(modules):
    """Commands that delete all other modules."""
    return ["select -none", *(f"select -add {module}" for module in modules), "select -set kept %", "select -clear",
            "delete * @kept %d"]


class Yosys:
    """Runs Yosys scripts in a directory, its scratch files in WORK below it."""

    def __init__(self, directory, work):
        self.directory = directory
        self.work = work
        self.version = self.said_version()

    def place(self, name):
        """A scratch file's name in a script: relative, so that no character of DIR can upset it."""
        return f"{self.work.name}/{name}"

    def said_version(self):
        try:
            said = subprocess.run(["yosys", "-V"], capture_output=True, text=True, check=True).stdout
        except FileNotFoundError:
            raise Failed("there is no yosys; ./daa --need run installs it") from None
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failed(f"yosys cannot be run ({error})") from None
        match = re.match(r"Yosys (\S+)", said)
        return match.group(1) if match else "unknown"

    def run(self, lines):
        """The log of a script; a failure is told by Yosys's last error line."""
        (self.work / "script.ys").write_text("\n".join(lines) + "\n")
        log = self.work / "log.txt"
        words = ["yosys", "-q", "-l", self.place("log.txt"), "-s", self.place("script.ys")]
        environment = {**os.environ, "TMPDIR": str(self.work.resolve())}
        child = subprocess.Popen(words, cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                                 start_new_session=True)
        try:
            said = child.communicate()[1]
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        if child.returncode:
            errors = [line for line in said.split("\n") if line.startswith("ERROR: ")]
            told = errors[-1][len("ERROR: "):] if errors else f"status {child.returncode}"
            raise Failed(f"yosys failed: {told}")
        return log.read_text(errors="replace")

    def stat(self, name):
        """The command that writes what `modules` reads."""
        return f"tee -q -o {self.place(name)} stat -json"

    def modules(self, name):
        """What `stat` wrote to the scratch file NAME: per module its numbers of cells by type.

        Only the part that is JSON is read: Yosys 0.23 writes text or a comma too many after it."""
        text = (self.work / name).read_text()
        mark = '"modules": '
        found, _ = json.JSONDecoder().raw_decode(text, text.index(mark) + len(mark))
        return {module.removeprefix("\\"): figures for module, figures in found.items()}
