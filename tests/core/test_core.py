"""The core: random jobs against the golden model and, where nothing is random, the cycle model; daacore, the command."""
import json
import re
import sys

import numpy
import pytest

import cores

sys.path.insert(0, str(cores.arrays.ROOT / "python"))
import daa  # noqa: E402
from daa import core  # noqa: E402


def configs():
    """name, marks, sessions, options"""
    lines = (cores.HERE / "configs.txt").read_text().splitlines()
    for name, tier, sessions, options in ([word.strip() for word in line.split("|")] for line in lines if not line.startswith("#")):
        yield pytest.param(int(sessions), options.split(), id=name, marks=[pytest.mark.long] * (tier == "long"))


@pytest.mark.early
@pytest.mark.parametrize("sessions, options", configs())
def test_random_jobs(sessions, options, seed, tmp_path):
    """Any shape, order, kind and place, queued, under any memory; bus errors, impossible jobs, resets."""
    emitted = cores.emit(tmp_path / "core", *options)
    done = cores.arrays.run(cores.program(emitted, "check-core"), seed, sessions)
    print(done.stdout)
    jobs, timed = int(done.stdout.split()[0]), int(re.search(r"(\d+) timed", done.stdout)[1])
    assert jobs > 5 * sessions and timed > sessions // 2 and "all right" in done.stdout


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    core = cores.emit(tmp_path_factory.mktemp("tiny") / "core", "--config", "tiny")
    cores.program(core, "daacore")
    return core


def operands(core, rng, m, n, k, c0=True):
    random = numpy.random.default_rng(rng.getrandbits(32))
    words = []
    for name, shape in ("a", (m, k)), ("b", (k, n)), ("c", (m, n)):
        numpy.save(core / f"{name}.npy", random.standard_normal(shape).astype(numpy.float32))
        words += [f"--{name}", core / f"{name}.npy"]
    return words if c0 else words[:4]


CASES = [
    "", "--a-order columns --b-order columns --float32", "--in-place --pad 3 --shift 5", "--batch 4 --stall 0.4 --reorder --latency 20",
    "--c-as-a --c0-as-a --in-place --bandwidth 3.5", "--jobs 5",
]


@pytest.mark.xdist_group("daacore")
def test_daacore(tiny, rng, run, daagemm):
    """Each way to lay out a job gives what daagemm gives."""
    for case in CASES:
        batch = 4 if "batch" in case else 1
        words = operands(tiny, rng, 12, 9, 20, c0="jobs" not in case)
        if batch > 1:  # one below the other
            numpy.save(tiny / "a.npy", numpy.load(tiny / "a.npy")[:, :5])
        done = run(tiny / "daacore", *words, "-o", tiny / "got.npy", "--stats", tiny / "stats.json", *case.split())
        assert done.returncode == 0 and "equal to the golden model" in done.stdout, done.stderr
        stats = json.loads((tiny / "stats.json").read_text())
        jobs, k = 5 if "jobs" in case else 1, 5 if batch > 1 else 20
        assert stats["macs"] == stats["counters"]["macs"] == jobs * 12 * 9 * k and stats["cycles"] == stats["counters"]["busy"]
        assert 0 < stats["utilization"] < 1 and stats.get("predicted_cycles", stats["cycles"]) == stats["cycles"]
        assert ("predicted_cycles" in stats) == ("stall" not in case)
        if batch == 1 and "as-a" not in case:
            golden = run(daagemm, "--config", "tiny", *words, "-o", tiny / "want.npy")
            assert golden.returncode == 0, golden.stderr
            assert (tiny / "got.npy").read_bytes() == (tiny / "want.npy").read_bytes()


@pytest.mark.xdist_group("daacore")
def test_cycles_from_python(tiny, rng, run):
    """The model says what the core takes."""
    for m, n, k, a_columns, b_columns, latency in (20, 30, 40, False, True, 1), (17, 3, 90, True, False, 25):
        words = operands(tiny, rng, m, n, k, c0=False)
        lies = ["--a-order", "columns"] * a_columns + ["--b-order", "columns"] * b_columns
        done = run(tiny / "daacore", *words, "-o", tiny / "got.npy", "--stats", tiny / "stats.json", "--latency", latency, *lies)
        assert done.returncode == 0, done.stderr
        stats = json.loads((tiny / "stats.json").read_text())
        counts = core.Model(daa.Config("tiny"), latency).run(
            core.job(m, n, k, a_columns=a_columns, b_columns=b_columns))
        assert counts["busy"] == stats["cycles"] and counts["read_beats"] * 16 == stats["counters"]["read_bytes"]


@pytest.mark.xdist_group("daacore")
def test_jobs_from_python(tiny, rng):
    """Products of the Verilated core are those of the golden model, and what cannot be is refused."""
    random = numpy.random.default_rng(rng.getrandbits(32))
    verilated = core.Core(tiny)
    for batch, bordered in ((), True), ((2, 3), False):
        a, b, c0 = (random.standard_normal((*batch, *shape)).astype(numpy.float32) for shape in ((5, 9), (9, 7), (5, 7)))
        c, stats = verilated.gemm(a, b, c0, latency=3, seed=2, **({"a_order": "columns", "shift": 1} if bordered else {}))
        want = daa.gemm(a, b, c0, config=verilated.config, engine="golden")
        assert c.tobytes() == numpy.asarray(want).tobytes() and stats["cycles"] == stats["predicted_cycles"] > 0
    with pytest.raises(daa.Error, match="they must be matrices, or the same batch"):
        verilated.gemm(a, b[0])
    with pytest.raises(daa.Error, match="--stall is '2'"):
        verilated.gemm(a, b, stall=2)
    with pytest.raises(daa.Error, match="make core DIR="):
        core.Core(tiny / "rtl")
    with pytest.raises(daa.Error, match="the second above 0"):
        core.Model("tiny", bandwidth=0)


@pytest.mark.xdist_group("daacore")
def test_the_example(tiny, run, root, tmp_path):
    """Two jobs by the driver, worked out by hand; and the same source for a target without an operating system."""
    done = run(cores.program(tiny, "example-core"))
    assert done.returncode == 0 and done.stdout == "ok\n36 24 27\n12 13 31\n"
    cores.arrays.run("gcc", "-std=c99", "-ffreestanding", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DREGISTERS=0x40000000",
                     "-c", root / "examples/core.c", "-o", tmp_path / "core.o")


REFUSED = [
    ("--latency 0", "--latency is '0'; it must be a whole number from 1 to 1000000"),
    ("--bandwidth 17", "--bandwidth is '17'; it must be above 0 and at most 16"),
    ("--stall 1", "--stall is '1'"), ("--a-order diagonal", "--a-order is 'diagonal'; it must be rows or columns"),
    ("--in-place --c-as-a", "--in-place is given and a number of C takes other bytes"),
    ("--in-place --jobs 2", "--in-place is given and --jobs is 2; it must be 1"), ("--batch 0", "--batch is '0'"),
]


@pytest.mark.xdist_group("daacore")
def test_daacore_refuses(tiny, rng, refused):
    words = operands(tiny, rng, 4, 4, 4)
    (tiny / "got.npy").unlink(missing_ok=True)
    for case, text in REFUSED:
        refused(tiny / "daacore", *words, "-o", tiny / "got.npy", *case.split(), status=2, text=text)
    refused(tiny / "daacore", *words, "-o", tiny / "got.npy", "--batch", 3, status=1, text="with --batch 3 both must be multiples")
    refused(tiny / "daacore", *words[:4], "-o", tiny / "got.npy", "--in-place", status=2, text="--c is not")
    refused(tiny / "daacore", *words[:2], "--b", tiny / "nothing.npy", "-o", tiny / "got.npy", status=1, text="cannot be read")
    assert not (tiny / "got.npy").exists()


def test_an_array_without_a_core(tmp_path, run):
    array = cores.arrays.emit(tmp_path / "array", "--config", "tiny")
    done = run("make", "-s", "core", f"DIR={array}")
    assert done.returncode != 0 and "has an array without a core; daagen --core on writes one" in done.stderr
