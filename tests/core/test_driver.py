"""The driver without a core behind it: what it refuses, what it writes, what it says of jobs that have ended."""
import pytest

import cores

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]


def test_freestanding(root, tmp_path):
    """C99 without an operating system; it needs nothing from outside."""
    for flags in (["-O0"], ["-O2"], ["-Os"]):
        cores.arrays.run("gcc", "-std=c99", "-ffreestanding", *STRICT, *flags, "-c", root / "driver/daa_core.c", "-o", tmp_path / "core.o")
        assert cores.arrays.run("nm", "-u", tmp_path / "core.o").stdout.split() in ([], ["U", "_GLOBAL_OFFSET_TABLE_"])
    cores.arrays.run("g++", "-std=c++11", *STRICT, "-fsyntax-only", "-x", "c++", root / "driver/daa_core.h")


@pytest.mark.parametrize("jobs", [20000, pytest.param(400000, marks=pytest.mark.long)])
def test_rules(root, seed, tmp_path, jobs):
    cores.arrays.run("gcc", "-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *STRICT,
                     root / "tests/core/check_driver.c", root / "driver/daa_core.c", "-o", tmp_path / "check")
    done = cores.arrays.run(tmp_path / "check", seed, jobs)
    print(done.stdout)
    assert "49 rules: all right" in done.stdout
