"""The core has no lint message either, whatever its formats, streams, blocks and bus, and Yosys reads it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rtl"))
import arrays  # noqa: E402

CONFIGS = [
    "--rows 4 --cols 4", "--config tiny --bus-bits 512", "--rows 3 --cols 5 --bus-bits 64 --accumulator anchored",
    "--rows 1 --cols 1 --streams 1 --bus-bits 64 --block-m 1 --block-n 1", "--config fp8 --rows 4 --cols 2",
    "--rows 2 --cols 2 --format tf32 --streams 8 --bus-bits 64 --accumulator rounded", "--rows 17 --cols 2 --config quad --outstanding 16 --axi-id-bits 2",
    "--rows 2 --cols 3 --format e2m1 --specials off --bus-bits 256 --out-format bf16 --policy rotate",
    "--rows 2 --cols 2 --format fp16 --acc-format e5m12 --out-format fp16 --prefix my --accumulator rounded",
]


@pytest.mark.parametrize("options", CONFIGS)
def test_lint(options, tmp_path):
    array = arrays.emit(tmp_path / "core", "--core", "on", *options.split())
    top = ("my" if "my" in options else "daa") + "_core"
    done = arrays.run("verilator", "--lint-only", "-Wall", "--top-module", top, "-F", array / "daa.f")
    assert [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("- ")] == []
    files = [array / line for line in (array / "daa.f").read_text().split()]
    done = arrays.run("iverilog", "-g2005", "-Wall", "-t", "null", "-s", top, *files)
    assert done.stdout + done.stderr == ""
    arrays.run("yosys", "-q", "-p", "".join(f"read_verilog {file}; " for file in files) + f"hierarchy -check -top {top}")
