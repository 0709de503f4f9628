"""A tile whose K is cut, its state carried, gives the bits of the uncut one: what the core's sums rest on."""
import json
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rtl"))
import arrays  # noqa: E402

CONFIGS = ["--config tiny", "--rows 3 --cols 2 --out-format bf16 --accumulator rounded", "--rows 1 --cols 3 --streams 4 --policy rotate --pipeline 3 --accumulator rounded",
           "--rows 2 --cols 3 --accumulator anchored", "--rows 3 --cols 1 --accumulator anchored --acc-bits 8 --acc-step 1 --format e8m3",
           "--rows 2 --cols 2 --streams 4 --accumulator anchored --acc-bits 16 --acc-step 8 --specials off --out-format bf16 --pipeline 4",
           "--config fp8 --rows 2 --cols 2 --accumulator anchored --acc-bits 64 --pipeline 2"]


def verilate(array):
    state_bits = json.loads((array / "daa.json").read_text())["derived"]["state_bits"]
    # The array's ports are signals whose widths the bench takes from daa_config.h.
    return arrays.model(array / "obj", "daa_array", "Vdut", ["-F", array / "daa.f"], arrays.ROOT / "tests/core/check_partials.cpp",
                        arrays.BUILD / "obj/sim/pack.o", arrays.BUILD / "libdaa.a", "-ljansson",
                        defines=[f"-I{array}", f"-I{arrays.ROOT}", f"-DSTATE_BITS={state_bits}"])


@pytest.mark.parametrize("options", CONFIGS)
def test_cut_tiles_are_whole_ones(options, tmp_path, seed):
    array = arrays.emit(tmp_path / "array", "--core", "on", *options.split())
    done = arrays.run(verilate(array), seed, 400)
    print(done.stdout)
    rows, states, whole = map(int, re.findall(r"\d+", done.stdout))
    assert rows > 2000 and states > 1000 and whole > 20
