"""What daagen emits has no lint message, in Verilator -Wall, in Icarus -g2005 -Wall, and where `make tools` was in slang and Verible."""
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


TOOLS = arrays.ROOT / "build/tools/bin"
# slang, as its own command is; a shift by all bits of a word is meant.
SLANG = """
import shlex, sys
from pyslang.driver import Driver
slang = Driver()
slang.addStandardArgs()
good = slang.parseCommandLine(shlex.join(["slang", "--std=1364-2005", "-Wno-shift-count-overflow", *sys.argv[1:]]))
good = good and slang.processOptions() and slang.parseAllSources()
if good:
    slang.reportCompilation(slang.createCompilation(), True)
sys.exit(0 if slang.reportDiagnostics(True) and good else 1)
"""
OTHERS = ["--config paper", "--config safe2 --core on", "--config fp8 --core on --rows 4 --cols 2", "--config safe4 --clock-gating on --rows 2 --cols 2",
          "--streams 8 --rows 2 --cols 2 --policy rotate --pipeline 3", "--rows 1 --cols 1 --streams 1 --core on --bus-bits 64 --block-m 1 --block-n 1"]


@pytest.mark.parametrize("options", OTHERS)
def test_slang_and_verible(options, tmp_path):
    """Readers of SystemVerilog take it, the bench too; slang as Verilog-2005, in which a name is declared before it is used."""
    if not (TOOLS / "verible-verilog-syntax").exists():
        pytest.skip("there is no Verible; make tools installs it")
    array = arrays.emit(tmp_path / "array", *options.split())
    files = [array / line for line in (array / "daa.f").read_text().split()]
    bench = array / "tb/daa_tb.v"
    assert arrays.run(TOOLS / "verible-verilog-syntax", *files, bench).stdout == ""
    for module, sources in ("daa_core" if "--core" in options else top(array), files), ("daa_tb", [*files, bench]):
        done = arrays.run(TOOLS / "python3", "-c", SLANG, "--top", module, *sources)
        assert done.stdout + done.stderr == ""


@pytest.mark.long
@pytest.mark.parametrize("options", NAMED + ["--config quad --rows 32 --cols 32".split()], ids=" ".join)
def test_lint_at_full_size(options, tmp_path):
    lint_in_verilator(arrays.emit(tmp_path / "array", *options))
