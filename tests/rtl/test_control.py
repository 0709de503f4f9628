"""The control of an array under hostile timing: check_control.c on the Verilated array."""
import re

import pytest

import arrays

# Shapes with one row or column, the least buffers, and buffers that tiles of Rows steps just fill.
CONFIGS = ["--config tiny", "--rows 1 --cols 1 --pipeline 1 --accumulator rounded", "--rows 1 --cols 4 --pipeline 3 --c0-rows 1 --result-rows 1",
           "--rows 4 --cols 1 --pipeline 1 --c0-rows 4 --result-rows 4 --accumulator rounded", "--rows 5 --cols 3 --streams 1 --result-rows 6",
           "--rows 3 --cols 4 --streams 4 --policy rotate --c0-rows 4 --out-format bf16"]


@pytest.mark.parametrize("options", CONFIGS)
def test_control(options, tmp_path, seed):
    array = arrays.emit(tmp_path / "array", *options.split())
    arrays.verilate(array)
    arrays.make(f"DIR={array}", "OPT=-O0", array / "check-control")
    done = arrays.run(array / "check-control", seed, 300)
    print(done.stdout)
    tiles, rows, resets, errors, stalled = map(int, re.findall(r"\d+(?= tiles| rows| resets| framing| offers)", done.stdout))
    assert tiles > 500 and rows > tiles and resets > 10 and errors > 10 and stalled > 1000
