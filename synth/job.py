"""What the commands of this room share: what daagen wrote, Yosys run and stopped cleanly."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent / "common"))
from command import LIBERTY, Failed, Parser, Usage, main, run, save_json, step, written_beside  # noqa: E402, F401


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


def tool(words, directory, work):
    """Runs a tool in DIRECTORY, its temporary files in WORK; its status, what it printed, its complaints. None outlives us."""
    environment = {**os.environ, "TMPDIR": str(work.resolve())}
    child = subprocess.Popen(words, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
    try:
        said, complaints = child.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    return child.returncode, said, complaints


class Yosys:
    """Runs scripts of a PROGRAM that is Yosys in a directory, its scratch files in WORK below it."""

    def __init__(self, directory, work, program="yosys"):
        self.directory = directory
        self.work = work
        self.program = program
        self.version = self.said_version()

    def place(self, name):
        """A scratch file's name in a script: relative, so that no character of DIR can upset it."""
        return f"{self.work.name}/{name}"

    def said_version(self):
        try:
            said = subprocess.run([self.program, "-V"], capture_output=True, text=True, check=True).stdout
        except FileNotFoundError:
            installs = "./daa --need run" if self.program == "yosys" else "make tools"
            raise Failed(f"there is no {self.program}; {installs} installs it") from None
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failed(f"{self.program} cannot be run ({error})") from None
        match = re.match(r"Yosys (\S+)", said)
        return match.group(1) if match else "unknown"

    def run(self, lines):
        """The log of a script; a failure is told by Yosys's last error line."""
        (self.work / "script.ys").write_text("\n".join(lines) + "\n")
        log = self.work / "log.txt"
        words = [self.program, "-q", "-l", self.place("log.txt"), "-s", self.place("script.ys")]
        status, _, said = tool(words, self.directory, self.work)
        if status:
            errors = [line for line in said.split("\n") if line.startswith("ERROR: ")]
            told = errors[-1][len("ERROR: "):] if errors else f"status {status}"
            raise Failed(f"yosys failed: {told}")
        return log.read_text(errors="replace")

    def stat(self, name):
        """The command that writes what `modules` reads."""
        return f"tee -q -o {self.place(name)} stat -json"

    def modules(self, name):
        """What `stat` wrote to the scratch file NAME: per module its numbers of cells by type.

        Only the part that is JSON is read: Yosys 0.23 writes text or a comma too many after it. What later ones leave in
        place of a flattened module, $scopeinfo, is no hardware."""
        text = (self.work / name).read_text()
        mark = '"modules": '
        found, _ = json.JSONDecoder().raw_decode(text, text.index(mark) + len(mark))
        for figures in found.values():
            figures["num_cells_by_type"].pop("$scopeinfo", None)
        return {module.removeprefix("\\"): figures for module, figures in found.items()}
