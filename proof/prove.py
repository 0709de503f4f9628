"""`make proof`: the emitted element against specifications written from the contract, over all inputs, by the ABC that comes with Yosys.

prove.py [--short] [--only WORD] [CONFIG]... emits each configuration, cuts what a proof is about out of its netlist at the ports of
modules, and has abc show that it equals the specification in this directory, case by case. What was proved is kept in
BUILD/proof/proved and not done again while netlist, specification and case are the same.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
sys.path.insert(0, str(TOP / "common"))
from command import Failed, Parser, Usage, main, run, write_whole  # noqa: E402

import netlist  # noqa: E402
import obligations  # noqa: E402

CONFIGS = ("baseline", "paper", "quad", "safe2", "lean2", "alike2", "safe4", "lean4", "alike4", "high2", "low2", "fp8", "tiny", "safe2-core", "safe4-core")
CORE = "-core"  # behind a name: its array as it is in a core
PATIENCE = 1800  # seconds for one case


class Children:
    """Processes that end when this one does."""

    def __init__(self):
        self.running = set()
        self.lock = threading.Lock()

    def run(self, words, directory, seconds):
        with subprocess.Popen(words, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", start_new_session=True) as child:
            with self.lock:
                self.running.add(child)
            try:
                return child.communicate(timeout=seconds)[0], child.returncode
            except BaseException:
                self.kill(child)
                raise
            finally:
                with self.lock:
                    self.running.discard(child)

    @staticmethod
    def kill(child):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def kill_all(self):
        with self.lock:
            for child in self.running:
                self.kill(child)


CHILDREN = Children()


def yosys(work, commands):
    (work / "script.ys").write_text("\n".join(commands) + "\n")
    said, status = CHILDREN.run(["yosys", "-q", "-s", "script.ys"], work, PATIENCE)
    if status:
        errors = [line for line in said.splitlines() if "ERROR" in line] or [f"status {status}"]
        raise Failed(f"yosys failed: {errors[-1]}")


def abc(work, commands, seconds=PATIENCE):
    return CHILDREN.run(["yosys-abc", "-c", "; ".join(commands)], work, seconds)[0]


class Library:
    """What was proved already, by the hash of netlist, specification and case."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def find(self, key):
        with contextlib.suppress(OSError, ValueError):
            return float((self.directory / key).read_text())
        return None

    def add(self, key, seconds):
        write_whole(self.directory / key, f"{seconds:.2f}\n".encode())


class Proof:
    """One obligation of one configuration: a netlist with an output that must always be one, and its cases."""

    def __init__(self, config, name, work, inputs, cases, interleaved):
        self.config, self.name, self.work, self.cases, self.interleaved = config, name, work, cases, interleaved
        self.inputs = sorted(inputs, key=lambda net: netlist.split(net)[1] % interleaved) if interleaved else inputs
        lines = (work / "all.blif").read_text().replace("\\\n", " ").split("\n")
        self.lines = [line for line in lines if not re.match(r"\.(model|inputs|outputs|end)\b|#", line)]
        self.hash = hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def constants(self, case):
        """Input of the netlist -> its value in the case, whose words are whole (3) or by bits ({4: 1})."""
        found = {}
        for name, value in case.items():
            for net in self.inputs:
                port, bit = netlist.split(net)
                if port == f"c:{name}":
                    if not isinstance(value, dict):
                        found[net] = value >> bit & 1
                    elif bit in value:
                        found[net] = value[bit]
        return found

    def key(self, case):
        return hashlib.sha256((self.hash + json.dumps(case, sort_keys=True)).encode()).hexdigest()[:32]

    def try_case(self, name, case):
        """Seconds. A case that fails is told with its inputs."""
        constants = self.constants(case)
        free = [net for net in self.inputs if net not in constants]
        stem = re.sub(r"[^a-z0-9-]", "_", name)
        fixed = [line for net, value in constants.items() for line in netlist.gate([net], ["1"] if value else [])]
        start = time.monotonic()
        try:
            netlist.write(self.work / f"{stem}.blif", free, "c:ok", self.lines + fixed)
            netlist.write(self.work / f"{stem}.one.blif", free, "c:ok", netlist.gate(["c:ok"], ["1"]))
            shorter = ["collapse -r", "strash"] if self.interleaved else []
            for merged in [], ["fraig"]:  # some netlists trip ABC's own rewriting, unless like nodes are merged first
                said = abc(self.work, [f"read {stem}.blif", "strash", *shorter, *merged, f"cec {stem}.one.blif"])
                if "EQUIVALENT" in said.upper():
                    break
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.config}: {self.name}, {name}: not decided in {PATIENCE} s") from None
        finally:
            for end in ".blif", ".one.blif":
                (self.work / f"{stem}{end}").unlink(missing_ok=True)
        if "are equivalent" in said:
            return time.monotonic() - start
        if "NOT EQUIVALENT" not in said:
            raise Failed(f"{self.config}: {self.name}, {name}: ABC says {(said.strip().splitlines() or ['nothing'])[-1]}")
        raise Failed(f"{self.config}: {self.name}, {name}: not what the contract says, for example with "
                     f"{self.example(said, constants)}")

    def example(self, said, constants):
        values = {**{net: int(bit) for net, bit in re.findall(r"(\S+)=([01])", said)}, **constants}
        words = {}
        for net in self.inputs:
            if net.startswith("c:"):
                name, bit = netlist.split(net[2:])
                words[name] = words.get(name, 0) | values.get(net, 0) << bit
        return " ".join(f"{name}={value:x}" for name, value in words.items())


def built(config, emitted, obligation, place):
    """The proof of an obligation, its netlists made."""
    work = place / obligation.name
    work.mkdir(parents=True, exist_ok=True)
    macros = " ".join(f"-D{name}={value}" for name, value in {**emitted.macros, **obligation.macros(emitted)}.items())
    small = ["opt -full", "techmap", "opt", "dfflegalize -cell $_DFF_P_ x", "abc -g AND", "opt_clean -purge"]
    yosys(work, [*obligation.dut(emitted, macros, work), "proc", "flatten", "select -assert-none t:$*latch*",
                 *small, "write_blif -cname dut.blif"])
    yosys(work, [f"read_verilog {macros} {HERE / 'nearest.v'} {HERE / obligation.specification}", "hierarchy -top check",
                 "proc", "flatten", *small, "write_blif check.blif"])
    dut, check = netlist.Netlist(work / "dut.blif"), netlist.Netlist(work / "check.blif")
    lines, inputs = netlist.joined(dut, check, obligation.frames, *obligation.wires(dut), obligation.state)
    netlist.write(work / "joined.blif", inputs, "c:ok", lines)
    abc(work, ["read joined.blif", "strash", "write_blif all.blif"])
    return Proof(config, obligation.name, work, inputs, obligation.cases(emitted), obligation.interleaved(emitted))


class Progress:
    """A line of progress where a person looks on."""

    def __init__(self):
        self.shown = sys.stderr.isatty()

    def say(self, text):
        if self.shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def end(self):
        self.say("")


def prove(proof, library, pool, progress, short):
    """(cases, seconds of abc, the longest, how many were known)."""
    cases = {name: case for name, case in proof.cases.items() if not short or short(name)}
    times, known, todo = [], 0, {}
    for name, case in cases.items():
        seconds = library.find(proof.key(case))
        if seconds is None:
            todo[name] = case
        else:
            times.append(seconds)
            known += 1
    futures = {pool.submit(proof.try_case, name, case): (name, case) for name, case in todo.items()}
    try:
        for done in concurrent.futures.as_completed(futures):
            seconds = done.result()
            library.add(proof.key(futures[done][1]), seconds)
            times.append(seconds)
            progress.say(f"{proof.config}: {proof.name}: {len(times)} of {len(cases)} cases")
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return len(cases), sum(times), max(times, default=0), known


def tools():
    for command in "yosys", "yosys-abc":
        if not shutil.which(command):
            raise Failed(f"there is no {command}; ./daa --need run installs yosys, which has it")


@contextlib.contextmanager
def alone(place):
    """Waits for another command that is at work in PLACE."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def job():
    parser = Parser(prog="proof", description=__doc__.split("\n")[0])
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help=f"default: {' '.join(CONFIGS)}")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (default 2)")
    parser.add_argument("--only", metavar="NAME", help="only this one: key, step, sum, addend, start, loop, head or foot")
    parser.add_argument("--short", action="store_true", help="a few cases of each, in seconds")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        raise Usage("--jobs must be 1 or more")
    tools()
    build = arguments.build.resolve()
    library = Library(build / "proof/proved")
    progress = Progress()
    print(f"{'configuration':14} {'proof':6} {'cases':>6} {'of abc, s':>10} {'longest':>8}", flush=True)
    total, whole, start = 0, 0.0, time.monotonic()
    pool = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
    try:
        for config in arguments.configs or CONFIGS:
            name = config.removesuffix(CORE)
            emit = build / "daagen", "--config", name, *(["--core", "on"] if name != config else []), "-o"
            with tempfile.TemporaryDirectory() as nowhere:  # a name that daagen refuses leaves nothing behind
                run(*emit, nowhere)
            place = build / "proof" / config.replace("/", "_")
            with alone(place):
                run(*emit, place / "emitted")
                emitted = obligations.Emitted(place / "emitted", place, yosys)
                chosen = [one for one in obligations.all_of(emitted) if arguments.only in (None, one.name)]
                if not chosen:
                    raise Usage(f"there is no proof '{arguments.only}'; there are "
                                f"{', '.join(one.name for one in obligations.all_of(emitted))}")
                for obligation in chosen:
                    progress.say(f"{config}: {obligation.name}")
                    proof = built(config, emitted, obligation, place)
                    cases, seconds, longest, known = prove(proof, library, pool, progress, obligation.short if arguments.short else None)
                    progress.end()
                    told = "" if not known else " known before" if known == cases else f" {known} known before"
                    print(f"{config:14} {obligation.name:6} {cases:6} {seconds:10.1f} {longest:8.1f}{told}", flush=True)
                    total, whole = total + cases, whole + seconds
    except BaseException:
        progress.end()
        CHILDREN.kill_all()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    print(f"{total} cases hold, {whole:.0f} s of abc; {time.monotonic() - start:.0f} s here")


if __name__ == "__main__":
    sys.exit(main("proof", job))
