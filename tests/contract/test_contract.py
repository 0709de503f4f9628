"""The golden model against an independent oracle, exact by arbitrary precision."""
import re

import pytest


def check(run, root, build, seed, *more):
    made = run("make", "--no-print-directory", f"BUILD={build.relative_to(root)}", build.relative_to(root) / "check-contract")
    assert made.returncode == 0, made.stderr
    result = run(build / "check-contract", "--seed", seed, *more)
    assert result.returncode == 0, result.stderr
    counts = [int(count) for count in re.findall(r"(\d+) cases,", result.stdout)]
    assert len(counts) == 12 and min(counts) > 0, result.stdout
    print(result.stdout)


def test_short(run, root, build, seed):
    check(run, root, build, seed)


@pytest.mark.long
def test_long(run, root, build, seed):
    check(run, root, build, seed, "--long")


def test_what_is_not_understood_is_refused(refused, run, root, build):
    run("make", "--no-print-directory", f"BUILD={build.relative_to(root)}", build.relative_to(root) / "check-contract")
    refused(build / "check-contract", "--frobnicate", status=2, text="'--frobnicate' is not understood")
    refused(build / "check-contract", "--only", "nothing", status=2, text="no section is called 'nothing'")
