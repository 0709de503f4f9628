"""Every array of configs.txt agrees with the golden model bit for bit, on every shape, with and without stalls."""
import json

import numpy
import pytest

import arrays

CONFIGS = arrays.configs()


def tiered(choose):
    """The names that CHOOSE takes, the long ones marked so."""
    return [
        pytest.param(name, marks=pytest.mark.long) if tier == "long" else name
        for name, (tier, icarus, options) in CONFIGS.items() if choose(icarus)
    ]


def test_the_lists_are_not_empty():
    assert len(CONFIGS) > 40 and len(arrays.shapes()) > 10
    assert sum(icarus for _, icarus, _ in CONFIGS.values()) > 10


@pytest.mark.parametrize("name", tiered(lambda icarus: True))
def test_verilator(name, tmp_path, rng):
    array = arrays.emit(tmp_path / "array", *CONFIGS[name][2])
    daatb = arrays.verilate(array)
    random = numpy.random.default_rng(rng.getrandbits(64))
    runs = products = 0
    for m, n, k, c0 in arrays.shapes():
        for stall, wild in (0, True), (0, False), (0.2, True), (0.7, False):
            words = arrays.operands(random, array, m, n, k, c0, wild)
            seed = random.integers(0, 2**32)
            arrays.run(daatb, *words, "-o", array / "out.npy", "--stats", array / "stats.json", "--stall", stall,
                       "--seed", seed)
            stats = json.loads((array / "stats.json").read_text())
            assert numpy.load(array / "out.npy").shape == (m, n)
            assert stats["compared"] and stats["macs"] == m * n * k
            assert sum(map(sum, stats["products"].values())) == m * n * k
            runs += 1
            products += m * n * k
    assert runs == 4 * len(arrays.shapes()) and products > 0


@pytest.mark.parametrize("name", tiered(lambda icarus: icarus))
def test_icarus(name, tmp_path, rng):
    array = arrays.emit(tmp_path / "array", *CONFIGS[name][2])
    random = numpy.random.default_rng(rng.getrandbits(64))
    for m, n, k, c0, stall in (5, 7, 1, True, 0), (9, 6, 11, True, 0.4), (11, 7, 13, False, 0):
        words = arrays.operands(random, array, m, n, k, c0)
        done = arrays.icarus(array, words, stall, random.integers(0, 2**31))
        assert done.stdout.startswith("make icarus: PASS")


def test_icarus_at_an_odd_shape(tmp_path, rng):
    array = arrays.emit(tmp_path / "array", "--config", "paper", "--rows", 4, "--cols", 4)
    random = numpy.random.default_rng(rng.getrandbits(64))
    words = arrays.operands(random, array, 31, 32, 31, True)
    assert "31 x 32 x 31, 64 tiles" in arrays.icarus(array, words, 0.3).stdout


def cycles(daatb, array, m, n, k, c0):
    random = numpy.random.default_rng(1)
    arrays.run(daatb, *arrays.operands(random, array, m, n, k, c0), "-o", array / "out.npy", "--stats",
               array / "stats.json")
    return json.loads((array / "stats.json").read_text())


@pytest.mark.parametrize("c0", [False, True])
@pytest.mark.parametrize("accumulator, pipeline, foot", [("rounded", 1, 0), ("rounded", 3, 0), ("anchored", 3, 3)])
def test_tiles_lose_no_cycle(tmp_path, accumulator, pipeline, foot, c0):
    """T tiles of at least Rows steps take T * steps cycles and a constant; shorter ones are spaced to Rows. The first
    tile's rows of C0 must all be in before it starts."""
    rows, cols, streams = 5, 3, 2
    array = arrays.emit(tmp_path / "array", "--rows", rows, "--cols", cols, "--streams", streams, "--pipeline", pipeline,
                        "--accumulator", accumulator)
    daatb = arrays.verilate(array)
    for steps in 1, rows - 1, rows, rows + 1, 3 * rows:
        took = {t: cycles(daatb, array, t * rows, cols, steps * streams, c0) for t in (1, 2, 7)}
        assert [took[t]["tiles"] for t in took] == [1, 2, 7]
        apart = max(steps, rows)
        assert took[2]["cycles"] - took[1]["cycles"] == apart
        assert took[7]["cycles"] - took[1]["cycles"] == 6 * apart
        latency = json.loads((array / "daa.json").read_text())["latency"]["result_cycles"]
        assert took[1]["cycles"] == steps - 1 + latency + rows + (rows - 1 if c0 else 0)
        assert took[1]["reset_cycles"] == rows + cols + pipeline + 4 + foot


@pytest.mark.parametrize("options", ["--config tiny", "--config safe4", "--streams 4 --policy rotate"])
def test_a_model_has_one_elements_code(options, tmp_path):
    """tb/share.vlt names every input that keeps elements alike: those inside the array share what Verilator writes."""
    sizes = {}
    for side in 2, 4:
        array = arrays.emit(tmp_path / str(side), *options.split(), "--rows", side, "--cols", side)
        arrays.run("verilator", "--cc", "-O3", "--no-timing", "--noassert", "--prefix", "Vdut", "--Mdir", array / "model", "--top-module", "daa_array",
                   "tb/share.vlt", "-F", array / "daa.f")
        sizes[side] = sum(len(path.read_text()) for path in (array / "model").glob("Vdut_*_pe_*.cpp"))
    assert 0 < sizes[4] < 1.5 * sizes[2], sizes


OVERRIDES = [
    ("--config tiny", "--config tiny --rows 3 --cols 5"),
    ("--config quad", "--config quad --rows 2 --cols 3"),
    ("--config low2 --pipeline 3", "--config low2 --pipeline 3 --rows 1 --cols 2"),
    ("--config quad --policy rotate", "--config quad --policy rotate --rows 3 --cols 2"),
    ("--config fp8", "--config fp8 --rows 1 --cols 1"),
]


@pytest.mark.parametrize("emitted, wanted", OVERRIDES)
def test_parameters_overridden_at_instantiation(emitted, wanted, tmp_path, rng):
    """Verilog emitted for one array, instantiated with the parameters of another, is that other one."""
    source = arrays.emit(tmp_path / "source", *emitted.split())
    array = arrays.emit(tmp_path / "array", *wanted.split())
    options = json.loads((array / "daa.json").read_text())["options"]
    for file in (array / "rtl").iterdir():
        file.unlink()
    for file in (source / "rtl").iterdir():
        (array / "rtl" / file.name).write_bytes(file.read_bytes())
    (array / "daa.f").write_bytes((source / "daa.f").read_bytes())
    flags = " ".join(f"-G{name.capitalize()}={options[name]}" for name in ("rows", "cols"))
    daatb = arrays.verilate(array, f"VFLAGS={flags}")
    random = numpy.random.default_rng(rng.getrandbits(64))
    for m, n, k, c0 in arrays.shapes():
        words = arrays.operands(random, array, m, n, k, c0)
        arrays.run(daatb, *words, "-o", array / "out.npy", "--stall", 0.3, "--seed", rng.getrandbits(32))
