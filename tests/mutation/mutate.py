"""The mutation check: mutate.py [--jobs N] [--list] [NAME]...

Applies one deliberate fault of mutants.txt at a time to a copy of the tree, and demands that a test fails which passes
without it. All mutants, or the ones named. Exit status: 0 every mutant is caught; 1 one survives, or cannot be tried.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import fnmatch
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FIELDS = ("breaks", "file", "old", "new", "by")
Mutant = collections.namedtuple("Mutant", ("name",) + FIELDS)

# What the list calls short, and the test it stands for.
SHORT = {
    "bench": "tests/cli/test_daagen.py::test_the_emitted_bench_passes[{}]",
    "array": "tests/rtl/test_arrays.py::test_verilator[{}]",
    "edges": "tests/rtl/test_edges.py::test_edges[{}]",
    "proof": "tests/proof/test_proof.py::test_short[{}]",
    "rules": "tests/proof/test_core_proof.py::test_module[{}]",
    "contract": "tests/contract/test_contract.py::test_short",
    "core": "tests/core/test_core.py::test_random_jobs[{}]",
    "regs": "tests/core/test_regs.py::test_random_masters[{}]",
    "driver": "tests/core/test_driver.py::test_rules[20000]",
}
# A mutant of the hardware must still be Verilog in these, so that no test fails only because nothing runs.
EMITTED = [options.split() for options in (
    "--config tiny", "--config baseline", "--config quad", "--config high2", "--config low2", "--config fp8",
    "--config tiny --core on", "--streams 4 --policy static --specials off", "--streams 4 --groups 2", "--policy rotate --accumulator rounded --pipeline 3 --out-format fp16")]
PATIENCE = 600  # seconds for one mutant's tests


class Broken(Exception):
    """A mutant that cannot be tried."""


def load(path=HERE / "mutants.txt"):
    """The list: a line [name], then a line for each field, `by` more than once. In old and new \\n is a new line."""
    mutants, entry = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        head = re.fullmatch(r"\[([a-z0-9-]+)\]", line)
        field = re.fullmatch(r"(\w+):(?: (.*))?", line)
        if head:
            entry = {"name": head[1], "by": []}
            mutants.append(entry)
        elif field and entry and field[1] == "by":
            short, _, of = field[2].partition(" ")
            entry["by"].append(SHORT[short].format(of) if short in SHORT else field[2])
        elif field and entry and field[1] in FIELDS and field[1] not in entry:
            entry[field[1]] = (field[2] or "").replace("\\n", "\n")
        elif line and not line.startswith("#"):
            raise ValueError(f"{path.name}:{number}: '{line}' is not expected")
    return [Mutant(**entry) for entry in mutants]


def mutated(root, mutant):
    """The text of the mutant's file with its fault in."""
    text = (root / mutant.file).read_text()
    count = text.count(mutant.old)
    if count != 1:
        raise Broken(f"its old text is {count} times in {mutant.file}; it must be there once")
    if mutant.old == mutant.new or not mutant.by:
        raise Broken("it changes nothing, or no test is named")
    return text.replace(mutant.old, mutant.new)


def environment():
    """Not that of a make or a pytest around this one."""
    names = ("MAKE", "MFLAGS", "PYTEST", "BUILD", "SEED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


RUNNING = set()


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(root, *words, patience=PATIENCE):
    """One command with all that it starts in a group of its own, so that a hang ends with it."""
    with subprocess.Popen([str(word) for word in words], cwd=root, env=environment(), text=True, start_new_session=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        RUNNING.add(process)
        try:
            output, _ = process.communicate(timeout=patience)
        except BaseException:
            kill(process)
            raise
        finally:
            RUNNING.discard(process)
    return process.returncode, output


def build(root):
    # Objects only where something changed, so this is quick.
    status, output = run(root, "make", "-s", "all", "build/check-contract")
    if status != 0:
        raise Broken(f"it does not compile:\n{output[-2000:]}")


def emit_all(root):
    for options in EMITTED:
        with tempfile.TemporaryDirectory(dir=root) as directory:
            status, output = run(root, "build/daagen", *options, "--rows", 2, "--cols", 2, "-o", directory)
            if status == 0:
                files = sorted(pathlib.Path(directory, "rtl").iterdir())
                status, output = run(root, "iverilog", "-g2005", "-t", "null", "-s", "daa_array", *files)
        if status != 0:
            raise Broken(f"it is not Verilog any more ({' '.join(options)}):\n{output[-2000:]}")


def passes(root, tests, patience=PATIENCE):
    """Whether all TESTS pass, and the output. That they cannot be run, or Verilator refuses the array, is neither."""
    status, output = run(root, sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--seed", 1,
                         f"--basetemp={root}/pytest", *tests, patience=patience)
    ran = re.search(r"^\d+ (passed|failed)", output, re.MULTILINE)
    if status not in (0, 1) or not ran or re.search(r"\d+ error|%(Error|Warning)", output):
        raise Broken(f"its tests do not run:\n{output[-2000:]}")
    return status == 0, output


def reason(output):
    """What the failed test says is wrong: pytest shows it in lines that start with E."""
    lines = [line[1:].strip() for line in output.splitlines() if line.startswith("E ")] + ["?"]
    said = [line for line in lines if re.search(r"daatb: |FAIL: |check: ", line)]
    return re.sub(r".*(daatb: |FAIL: |check: |session |cycle |wrong: )", r"\1", (said or lines)[0])[:110]


def attempt(root, mutant):
    """Which of its tests catches the mutant, and how; or None."""
    path = root / mutant.file
    right = path.read_text()
    try:
        path.write_text(mutated(root, mutant))
        build(root)
        if mutant.file.startswith("gen/template/"):
            emit_all(root)
        for test in mutant.by:
            good, output = passes(root, [test])
            if not good:
                return f"{test}: {reason(output)}"
        return None
    finally:
        path.write_text(right)


def prepare(target, mutants, jobs):
    """A built copy of the tree, in which every test that is to catch something passes."""
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".git", "build", "__pycache__", ".pytest_cache"))
    build(target)
    status, output = run(target, "make", "-s", "verilated")
    if status != 0:
        raise Broken(f"Verilator's library does not compile:\n{output[-2000:]}")
    tests = sorted({test for mutant in mutants for test in mutant.by})
    good, output = passes(target, ["-n", jobs, *tests], PATIENCE * len(tests))
    if not good:
        raise Broken(f"a test fails without a mutant:\n{output[-4000:]}")


def take(trees, mutant):
    """Tries one mutant in a tree that is free."""
    tree, start = trees.pop(), time.monotonic()
    try:
        caught = attempt(tree, mutant)
        verdict, fault = (f"caught by {caught}", False) if caught else (f"SURVIVES: {mutant.breaks}", True)
    except Broken as broken:
        verdict, fault = f"BROKEN: {broken}", True
    except subprocess.TimeoutExpired:
        verdict, fault = f"BROKEN: its tests take more than {PATIENCE} s", True
    finally:
        trees.append(tree)
    print(f"{mutant.name:24} {time.monotonic() - start:4.0f} s  {verdict}", flush=True)
    return fault


def check(mutants, jobs):
    with tempfile.TemporaryDirectory(prefix="daa-mutation.") as directory:
        trees = [pathlib.Path(directory, f"tree{i}") for i in range(jobs)]
        prepare(trees[0], mutants, jobs)
        for tree in trees[1:]:
            shutil.copytree(trees[0], tree, symlinks=True)
        pool = concurrent.futures.ThreadPoolExecutor(jobs)
        try:
            return sum(pool.map(lambda mutant: take(trees, mutant), mutants))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                kill(process)
            raise
        finally:
            pool.shutdown()


def choose(mutants, names):
    for name in names:
        if not any(fnmatch.fnmatchcase(mutant.name, name) for mutant in mutants):
            sys.exit(f"mutate.py: there is no mutant '{name}'; --list names them")
    return [mutant for mutant in mutants if not names or any(fnmatch.fnmatchcase(mutant.name, name) for name in names)]


def main():
    parser = argparse.ArgumentParser(description="Demands that the tests catch every deliberate fault of mutants.txt.")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="mutants tried at a time (default 2)")
    parser.add_argument("--list", action="store_true", help="the mutants, and what each breaks")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutants; * and ? stand for letters")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    mutants = choose(load(), arguments.names)
    if arguments.list:
        print("\n".join(f"{mutant.name:24} {mutant.breaks}" for mutant in mutants))
        return
    try:
        faults = check(mutants, arguments.jobs)
    except Broken as broken:
        sys.exit(f"mutate.py: {broken}")
    except KeyboardInterrupt:
        sys.exit("mutate.py: interrupted")
    print(f"{len(mutants)} mutants, {len(mutants) - faults} caught")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
