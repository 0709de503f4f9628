"""Every engine of libdaa against the golden model, bit for bit."""
import fcntl
import os
import re
import subprocess

import pytest

ENGINES = ["auto", "golden", "portable", "avx2", "avx512", "avx512bf16"]


@pytest.fixture(scope="session")
def program(root, build):
    """An instrumented build (BUILD=...) takes the program that is instrumented too."""
    path = root / ("build/check-engine" if build == root / "build" else "build/asan/check-engine")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w") as lock:  # several workers, one make
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        made = subprocess.run(["make", "-s", path.relative_to(root)], cwd=root, env=clean, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return path


def check(run, program, engine, *options):
    result = run(program, "--only", engine, *options)
    assert result.returncode == 0, result.stderr
    if "this processor does not have it" in result.stdout:
        assert engine not in ("auto", "golden", "portable")
        pytest.skip(result.stdout.strip())
    cases, steps = map(int, re.search(r"(\d+) results of (\d+) steps", result.stdout).groups())
    assert cases > 100000 and steps > 1000000, result.stdout
    print(result.stdout)


@pytest.mark.parametrize("engine", ENGINES)
def test_short(run, program, seed, engine):
    check(run, program, engine, "--seed", seed)


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_long(run, program, seed, engine):
    check(run, program, engine, "--seed", seed, "--long")


def test_what_is_not_understood_is_refused(refused, program):
    refused(program, "--only", "mmx", status=2, text="'--only' is not understood")
