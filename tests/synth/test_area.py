"""Area reports: their shape, their sums, their counts against arrays synthesised in full, FPGA targets, the netlist, refusals."""
import collections
import gzip
import json
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
import area  # noqa: E402
import job  # noqa: E402
import liberty  # noqa: E402
import structure  # noqa: E402
import targets  # noqa: E402

OSU = job.LIBERTY
# Few cells, no delays: quickly mapped.
SMALL = """library(small) {
  cell(INV) { area : 1; pin(A) { direction : input; } pin(Y) { direction : output; function : "A'"; } }
  cell(NAND2) { area : 1.5; pin(A) { direction : input; } pin(B) { direction : input; }
    pin(Y) { direction : output; function : "(A B)'"; } }
  cell(CHEAP) { area : 0.5; dont_use : true; pin(A) { direction : input; } pin(B) { direction : input; }
    pin(Y) { direction : output; function : "(A B)'"; } }
  cell(DFF) { area : 6; ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    pin(C) { direction : input; clock : true; } pin(D) { direction : input; } pin(Q) { direction : output; function : "IQ"; } }
}
"""
SMALL_MODELS = """
module INV (input A, output Y); assign Y = ~A; endmodule
module NAND2 (input A, input B, output Y); assign Y = ~(A & B); endmodule
module DFF (input C, input D, output reg Q); always @(posedge C) Q <= D; endmodule
"""

# The smallest elements there are, mapped in no time.
TOY = ("--format", "e2m1", "--acc-format", "e5m7", "--lo-bits", 1, "--window", 2, "--c0-rows", 2, "--result-rows", 2)
LEAST = ("--streams", 1, "--rows", 1, "--cols", 1, "--c0-rows", 1, "--result-rows", 1, "--specials", "off")


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.lib"
    path.write_text(SMALL)
    return path


@pytest.fixture
def make(run, build):
    def call(*words, **options):
        return run("make", "-s", "--no-print-directory", f"BUILD={build}", *words, **options)

    return call


@pytest.fixture
def report(run, root):
    """Runs area.py on a directory; its JSON."""

    def call(directory, *words, name="area.json"):
        done = run("/usr/bin/python3", root / "synth/area.py", directory, *words)
        assert done.returncode == 0, done.stderr
        return json.loads((directory / name).read_text()), done.stdout

    return call


@pytest.fixture
def refuse(refused, root):
    def call(directory, *words, status, text):
        return refused("/usr/bin/python3", root / "synth/area.py", directory, *words, status=status, text=text)

    return call


def sums_up(found, measures=("um2", "flip_flops")):
    for total, part in ((found, found), (found["pe"], found["pe"])):
        for measure in measures:
            want = total.get("array_um2", total.get(measure)) if measure == "um2" and total is found else total[measure]
            assert math.isclose(sum(block[measure] for block in part["blocks"].values()), want, rel_tol=1e-9), measure
        assert math.isclose(sum(block["share"] for block in part["blocks"].values()), 1, abs_tol=1e-3)


def expected_counts(rows, cols, streams, pipeline):
    """Instances by the architecture, not by the tool."""
    elements = rows * cols
    skew = sum(range(rows)) + sum(range(cols))                   # A; B
    skew += pipeline - 1 + pipeline + 3                          # column 0's turns
    control = 1 + 4 * cols                                       # with where the buffers are written and read
    control += rows - 1 + cols - 1 + rows * (cols - 1) + cols    # on to the next row, column; the reset's wave; C0 is there
    return {"decoder": streams * (rows + cols), "skew": skew, "high multipliers": elements, "drain": cols,
            "column head": cols, "column foot": cols, "control": control, "buffers": 2 * cols,
            "accumulator": elements, "sum": 2 * elements, "align": streams * elements,
            **({"steering": elements, "low multipliers": elements * (streams - 1)} if streams > 1 else {})}


@pytest.mark.parametrize("rows, cols, streams, pipeline", [(2, 2, 2, 1), (3, 5, 1, 2), (1, 4, 4, 3), (16, 1, 2, 1), (32, 32, 2, 1)])
def test_counts(emit, rows, cols, streams, pipeline):
    array = emit("paper", "--rows", rows, "--cols", cols, "--streams", streams, "--pipeline", pipeline)
    with job.scratch(array) as work:
        shape = structure.Structure(job.Emitted(array), job.Yosys(array, work))
        parts = shape.element_parts()
    assert shape.elements == rows * cols
    found = collections.Counter()
    for (role, _), number in shape.units.items():
        found[role] += number
    for (role, _), number in parts.items():
        found[role] += number * shape.elements
    for block, count in expected_counts(rows, cols, streams, pipeline).items():
        assert found[block] == count, block


def test_an_array_with_the_least_buffers(emit):
    """The arrays of other sizes that a flow looks at have room for their rows."""
    array = emit("tiny", *TOY, *LEAST)
    with job.scratch(array) as work:
        for size, elements in (None, 1), ((2, 2), 4), ((3, 3), 9):
            assert structure.Structure(job.Emitted(array), job.Yosys(array, work), size).elements == elements


@pytest.mark.early
def test_report_on_osu(emit, report):
    array = emit("tiny", *TOY)
    found, table = report(array)
    manifest = json.loads((array / "daa.json").read_text())
    assert found["library"] == "osu018_stdcells"
    assert found["nand2_um2"] == 24
    assert found["hash"] == manifest["hash"] and found["options"] == manifest["options"]
    assert re.fullmatch(r"[\w.+]+", found["yosys"])
    sums_up(found)
    for figures in (found["pe"], found):
        for block in figures["blocks"].values():
            assert set(block) == {"count", "um2", "flip_flops", "nand2", "share"}
            assert block["nand2"] == pytest.approx(block["um2"] / 24, abs=0.51)
    # The element is what it is in the array, and what its parts are apart.
    assert found["pe"]["um2"] == found["pe_um2"] > 0
    assert found["pe_split_um2"] == pytest.approx(found["pe_um2"] - found["pe"]["blocks"]["across blocks"]["um2"])
    # An element of so few bits gains much across its blocks; one of bf16 less than a tenth.
    assert abs(found["pe_split_um2"] / found["pe_um2"] - 1) < 0.25
    edges = sum(unit["um2"] * unit["count"] for unit in found["units"] if unit["role"] not in ("element", "buffers"))
    assert found["array_um2"] == pytest.approx(edges + 4 * found["pe_um2"])
    # The buffers beside it: a row of C0 and of results for each place, accumulators and results as wide as e5m7.
    memory = sum(unit["um2"] * unit["count"] for unit in found["units"] if unit["role"] == "buffers")
    held = manifest["derived"]["c0_rows"] + manifest["derived"]["result_rows"]
    assert found["buffers"]["bits"] == 13 * 2 * held
    assert found["buffers"]["count"] == 4 and found["buffers"]["um2"] == pytest.approx(memory) and memory > 0
    assert found["buffers"]["flip_flops"] >= found["buffers"]["bits"]
    assert f"Not in it: 4 buffers, {found['buffers']['bits']:,} bits" in table
    # Only cells that belong in a netlist.
    used = {cell for unit in found["units"] for cell in unit["cells"]}
    assert not used & {"LATCH", "TBUFX1", "TBUFX2", "CLKBUF1", "CLKBUF2", "CLKBUF3"}
    assert {"DFFPOSX1", "NAND2X1"} <= used
    # The table says what the JSON says.
    assert f"{found['array_um2']:,.0f}" in table and f"{found['pe_um2']:,.0f}" in table
    for block in found["blocks"]:
        assert f"\n{block} " in table
    # Nothing is left behind, and asking again is quick and changes nothing.
    assert not [name for name in os.listdir(array) if name.startswith(".")]
    before = (array / "area.json").stat().st_mtime_ns
    start = time.monotonic()
    again, same = report(array)
    assert (again, same) == (found, table)
    assert (array / "area.json").stat().st_mtime_ns == before
    assert time.monotonic() - start < 5


@pytest.mark.early
def test_same_again_by_make_from_gzip(emit, small, report, make, tmp_path):
    one, two = (emit("tiny", *TOY, *LEAST, name=name) for name in ("one", "two"))
    plain, _ = report(one, "--liberty", small)
    packed = tmp_path / "small.lib.gz"
    packed.write_bytes(gzip.compress(SMALL.encode(), mtime=0))
    done = make("area", f"DIR={two}", f"LIBERTY={packed}")
    assert done.returncode == 0, done.stderr
    assert "/" not in (two / "area.json").read_text()
    zipped = json.loads((two / "area.json").read_text())
    for key in ("library_sha256", "key"):
        assert plain.pop(key) != zipped.pop(key)
    assert plain == zipped
    assert {cell for unit in plain["units"] for cell in unit["cells"]} <= {"INV", "NAND2", "DFF"}


def units_of(modules):
    """Of hierarchical module names, the units: the first u_ name on the way down that is not a delay line."""
    for module in modules:
        parts = module.split(".")
        named = [i for i, part in enumerate(parts)
                 if part.startswith("u_") and not part.startswith("u_skew") and not part.endswith("_buffer")]
        if named and named[0] == len(parts) - 1:
            yield module


def in_full(directory, work, library, recipe):
    """The array with every instance synthesised by itself: nothing counted, nothing multiplied."""
    emitted = job.Emitted(directory)
    yosys = job.Yosys(directory, work)
    target = targets.Cells(library, None)
    target.recipes = recipe
    target.prepare(work)
    elaborate = [*(f"read_verilog {name}" for name in emitted.files), f"hierarchy -check -top {emitted.top}", "uniquify", "proc"]
    yosys.run([*elaborate, yosys.stat("names.json"), f"write_rtlil {yosys.place('full.il')}"])
    units = list(units_of(yosys.modules("names.json")))
    figures = target.synthesize(yosys, ["read_rtlil " + yosys.place("full.il"), *(f"flatten {unit}" for unit in units)], units)
    return len(units), sum(figure["um2"] for figure in figures.values()), sum(figure["flip_flops"] for figure in figures.values())


def counted(directory, work, library, recipe):
    emitted = job.Emitted(directory)
    yosys = job.Yosys(directory, work)
    target = targets.Cells(library, None)
    target.recipes = recipe
    target.prepare(work)
    shape = structure.Structure(emitted, yosys)
    whole = target.whole(yosys, shape.unit_modules())
    figures = [(whole[module], number) for (_, module), number in shape.units.items()]
    return (sum(number for _, number in figures), sum(figure["um2"] * number for figure, number in figures),
            sum(figure["flip_flops"] * number for figure, number in figures))


def compare_with_full(directory):
    library = liberty.load(OSU)
    recipe = targets.AREA_RECIPES[:1]
    with job.scratch(directory) as work:
        want = in_full(directory, work, library, recipe)
    with job.scratch(directory) as work:
        got = counted(directory, work, library, recipe)
    assert got[0] == want[0]  # instances
    # Yosys merges the additions of an exponent into one or leaves them two, by the order of internal names; what is merged
    # may free a bit of a register.
    assert got[2] == pytest.approx(want[2], rel=1e-2)  # flip-flops
    # Equal instances do not come out to the last gate alike: the order in which Yosys meets them is another.
    assert got[1] == pytest.approx(want[1], rel=2e-2)


@pytest.mark.early
def test_counted_is_what_full_synthesis_gives(emit):
    compare_with_full(emit("tiny", *TOY))


@pytest.mark.long
@pytest.mark.parametrize("config, words", [("tiny", ()), ("paper", ("--rows", 3, "--cols", 5)), ("quad", ("--rows", 3, "--cols", 5))])
def test_counted_is_what_full_synthesis_gives_long(emit, config, words):
    compare_with_full(emit(config, *words))


def simulate(netlist, models, array, make, tmp_path, rng, **words):
    """The netlist under the Icarus bench, against the golden model."""
    gates = tmp_path / "gates"
    gates.mkdir(exist_ok=True)
    for name in ("daa.json", "daa_config.h", "daa_dut.vh"):
        (gates / name).write_text((array / name).read_text())
    (gates / "netlist.v").write_text(netlist)
    (gates / "models.v").write_text(models)
    (gates / "daa.f").write_text("models.v\nnetlist.v\n")
    random = numpy.random.default_rng(rng.getrandbits(32))
    for name, shape in (("A", (5, 37)), ("B", (37, 3)), ("C0", (5, 3))):
        values = random.standard_normal(shape) * 2.0 ** random.integers(-6, 7, shape)
        numpy.save(gates / f"{name}.npy", numpy.where(random.random(shape) < 0.2, 0, values).astype(numpy.float32))
    return make("icarus", f"DIR={gates}", *(f"{name}={gates / name}.npy" for name in ("A", "B", "C0")), "STALL=0.2",
                f"SEED={rng.randrange(1, 1000)}", **words)


@pytest.mark.early
def test_netlist_of_a_library_without_delays(emit, run, root, small, make, tmp_path, rng):
    array = emit("tiny", *TOY)
    done = run("/usr/bin/python3", root / "synth/netlist.py", array, "--liberty", small)
    assert done.returncode == 0, done.stderr
    netlist = (array / "netlist.v").read_text()
    assert len(re.findall(r"^module ", netlist, re.M)) == 1 and "\nmodule daa_array(" in netlist
    assert not re.search(r"^ +(always|reg)\b", netlist, re.M)
    done = simulate(netlist, SMALL_MODELS, array, make, tmp_path, rng)
    assert done.returncode == 0 and "PASS" in done.stdout, done.stdout + done.stderr[-2000:]
    # A bench that could not fail would say nothing: a gate exchanged must show.
    broken = SMALL_MODELS.replace("~(A & B)", "~(A | B)")
    assert simulate(netlist, broken, array, make, tmp_path, rng).returncode != 0


@pytest.mark.early
def test_ice40(emit, report):
    found, table = report(emit("tiny", *TOY, "--rows", 1), "--target", "ice40", name="area-ice40.json")
    assert found["dsp"] == "no" and found["dsps"] == 0 and found["brams"] == 0
    assert found["luts"] > 2 * found["pe"]["luts"] > 0
    sums_up(found, targets.Fpga.measures)
    assert "synth_ice40" in table and f"{found['luts']:,}" in table


@pytest.mark.long
@pytest.mark.parametrize("name, dsps", [("ice40", {"no": 0, "yes": 2}), ("ecp5", {"no": 0, "yes": 2}), ("xilinx", {"no": 0, "yes": 2})])
def test_fpgas(emit, report, name, dsps):
    array = emit("tiny", "--streams", 1, "--rows", 1)
    for dsp, want in dsps.items():
        found, _ = report(array, "--target", name, "--dsp", dsp, name=f"area-{name}.json")
        assert (found["dsp"], found["dsps"]) == (dsp, want)
        sums_up(found, targets.Fpga.measures)


@pytest.mark.long
def test_clock_target(emit, report):
    array = emit("tiny", "--streams", 1)
    free, _ = report(array)
    clock = int(free["pe_delay_ps"] * 0.7)
    met, table = report(array, "--clock-ps", clock)
    assert met["pe_delay_ps"] <= clock and met["pe_um2"] > free["pe_um2"]
    assert f"target {clock} ps, met" in table
    _, table = report(array, "--clock-ps", 10)
    assert "target 10 ps, missed" in table


@pytest.mark.long
def test_large_arrays_take_hardly_longer(emit, report):
    times = {}
    for size in (16, 64):
        array = emit("paper", "--rows", size, "--cols", size, name=f"paper{size}")
        start = time.monotonic()
        found, _ = report(array)
        times[size] = time.monotonic() - start
        assert found["elements"] == size * size
    assert times[16] < 120 and times[64] < 2 * times[16] + 30, times


def test_refusals(refuse, emit, small, tmp_path):
    array = emit("tiny")
    refuse(tmp_path / "nowhere", status=2, text="is not a directory that daagen wrote")
    refuse(tmp_path, status=2, text="is not a directory that daagen wrote")
    refuse(array, "--target", "asic", status=2, text="TARGET is 'asic'; it must be cells, ice40, ecp5, xilinx")
    refuse(array, "--target", "ice40", "--dsp", "maybe", status=2, text="DSP is 'maybe'; it must be yes or no")
    refuse(array, "--dsp", "yes", status=2, text="DSP is for FPGAs")
    refuse(array, "--clock-ps", 0, status=2, text="CLOCK_PS is 0; it must be 1 or more")
    refuse(array, "--clock-ps", "fast", status=2, text="fast")
    refuse(array, "--target", "ecp5", "--clock-ps", 900, status=2, text="CLOCK_PS is for standard cells")
    refuse(array, "--clock-ps", 900, "--liberty", small, status=1, text="library small has gates without delays")
    refuse(array, "--liberty", tmp_path / "none.lib", status=1, text="none.lib: No such file")
    broken = tmp_path / "broken.lib"
    broken.write_text(SMALL.rstrip()[:-1])
    refuse(array, "--liberty", broken, status=1, text="never closed")
    (array / "rtl" / "daa_pe.v").unlink()
    refuse(array, status=2, text="daa_pe.v is missing")
    assert not (array / "area.json").exists()
    assert not [name for name in os.listdir(array) if name.startswith(".")]


def test_missing_yosys(refuse, emit, monkeypatch, tmp_path):
    array = emit("tiny")
    monkeypatch.setenv("PATH", str(tmp_path))
    refuse(array, status=1, text="there is no yosys; ./daa --need run installs it")


def test_broken_verilog_is_told_in_one_line(run, root, emit):
    array = emit("tiny")
    (array / "rtl" / "daa_mul.v").write_text("module daa_mul; wire = ; endmodule\n")
    done = run("/usr/bin/python3", root / "synth/area.py", array)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.strip().split("\n")[-1].startswith("area: yosys failed: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_nothing(root, emit, number):
    array = emit("tiny")
    (array / "area.json").write_text("{}\n")
    child = subprocess.Popen(["/usr/bin/python3", root / "synth/area.py", array], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(array.glob(".synth-*/yosys-abc-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(number)
    said = child.communicate(timeout=30)[1]
    assert child.returncode == 130
    assert said.strip().split("\n")[-1] == "area: interrupted; what was there is kept"
    assert not [name for name in os.listdir(array) if name.startswith(".")]
    assert (array / "area.json").read_text() == "{}\n"


def test_make_without_a_directory(make, build):
    for target in ("area", "netlist"):
        done = make(target)
        assert done.returncode == 2
        assert f"make {target}: DIR is not set" in done.stderr.split("\n")[0]
