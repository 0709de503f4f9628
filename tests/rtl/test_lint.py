"""What daagen emits has no lint message, in Verilator -Wall and in Icarus -g2005 -Wall."""
import pytest

import arrays

NAMED = [["--config", name] for name in ("baseline", "paper", "quad", "high2", "low2", "fp8", "tiny")]
SMALL = ["--rows", "2", "--cols", "3"]
LISTED = [options for tier, _, options in arrays.configs().values() if tier == "short" and options != NAMED[1]]


def top(array):
    return next(line.split('"')[1] for line in (array / "daa_config.h").read_text().splitlines() if "DAA_TOP" in line)


def lint_in_verilator(array, *defines):
    done = arrays.run("verilator", "--lint-only", "-Wall", *defines, "--top-module", top(array), "-F", array / "daa.f")
    # Later versions end with a report, in lines that begin with a dash.
    assert [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("- ")] == []


def lint_in_icarus(array, *defines):
    files = [array / line for line in (array / "daa.f").read_text().split()]
    done = arrays.run("iverilog", "-g2005", "-Wall", *defines, "-t", "null", "-s", top(array), *files)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("options", LISTED + [options + SMALL for options in NAMED], ids=" ".join)
def test_lint(options, tmp_path):
    array = arrays.emit(tmp_path / "array", *options)
    for defines in [[], ["-DDAA_CLOCK_GATES"]] if "--clock-gating" in options else [[]]:
        lint_in_verilator(array, *defines)
        lint_in_icarus(array, *defines)


@pytest.mark.long
@pytest.mark.parametrize("options", NAMED + ["--config quad --rows 32 --cols 32".split()], ids=" ".join)
def test_lint_at_full_size(options, tmp_path):
    lint_in_verilator(arrays.emit(tmp_path / "array", *options))
