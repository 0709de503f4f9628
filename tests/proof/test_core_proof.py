"""The core's modules against assertions, by ABC; the whole list for a bus of 512 bits and other depths in the long tier."""
import re

import pytest

NAMES = ("job", "addresses", "tiles", "feed", "sums", "queue", "bursts", "load", "store", "regs")


@pytest.fixture
def prove(run, build):
    return lambda *words: run("/usr/bin/python3", "proof/core.py", "--build", build.resolve(), *words)


@pytest.mark.parametrize("name", NAMES)
def test_module(prove, name):
    done = prove("--only", name)
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"(\d+) assertions hold", done.stdout)[1]) > 3


@pytest.mark.long
@pytest.mark.parametrize("options", ["--bus-bits 512 --block-k 64", "--bus-bits 64 --queue 3 --rows 3 --cols 5 --accumulator rounded", "--queue 1 --streams 1 --format e8m5"])
def test_other_cores(prove, run, daagen, tmp_path, options):
    assert run(daagen, "--rows", 2, "--cols", 2, *options.split(), "--core", "on", "-o", tmp_path / "core").returncode == 0
    done = prove(tmp_path / "core/daa.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("assertions hold") == len(NAMES)


def test_unknown_names(refused, build):
    words = "/usr/bin/python3", "proof/core.py", "--build", build.resolve()
    refused(*words, "--only", "nothing", status=2, text="there is no proof 'nothing'; there are job, addresses, tiles, feed, sums, queue, bursts, load, store, regs")
