"""The golden model against an independent oracle, exact by arbitrary precision."""
import fcntl
import os
import re
import subprocess

import pytest


@pytest.fixture(scope="session")
def program(root, build):
    """An instrumented build (BUILD=...) takes the program that is instrumented too."""
    path = root / ("build/check-contract" if build == root / "build" else "build/asan/check-contract")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w") as lock:  # several workers, one make
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        made = subprocess.run(["make", "-s", path.relative_to(root)], cwd=root, env=clean, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return path


def check(run, program, seed, *more):
    result = run(program, "--seed", seed, *more)
    assert result.returncode == 0, result.stderr
    counts = [int(count) for count in re.findall(r"(\d+) cases,", result.stdout)]
    assert len(counts) == 15 and min(counts) > 0, result.stdout
    print(result.stdout)


@pytest.mark.early
def test_short(run, program, seed):
    check(run, program, seed)


@pytest.mark.long
def test_long(run, program, seed):
    check(run, program, seed, "--long")


def test_what_is_not_understood_is_refused(refused, program):
    refused(program, "--frobnicate", status=2, text="'--frobnicate' is not understood")
    refused(program, "--only", "nothing", status=2, text="no section is called 'nothing'")
