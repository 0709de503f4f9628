"""Every engine of libdaa against the golden model, bit for bit."""
import json
import fcntl
import os
import re
import subprocess

import pytest

ENGINES = ["auto", "golden", "portable", "avx2", "avx512", "avx512bf16"]


def make(root, build, name):
    """An instrumented build (BUILD=...) takes the program that is instrumented too."""
    path = root / ("build" if build == root / "build" else "build/asan") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(root / "build/make.lock", "w") as lock:  # several workers, one make: what they make shares objects
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        made = subprocess.run(["make", "-s", path.relative_to(root)], cwd=root, env=clean, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return path


@pytest.fixture(scope="session")
def program(root, build):
    return make(root, build, "check-engine")


@pytest.fixture(scope="session")
def counter(root, build):
    return make(root, build, "check-counts")


def check(run, program, engine, *options):
    result = run(program, "--only", engine, *options)
    assert result.returncode == 0, result.stderr
    if "this processor does not have it" in result.stdout:
        assert engine not in ("auto", "golden", "portable")
        pytest.skip(result.stdout.strip())
    cases, steps = map(int, re.search(r"(\d+) results of (\d+) steps", result.stdout).groups())
    assert cases > 100000 and steps > 1000000, result.stdout
    print(result.stdout)


@pytest.mark.parametrize("engine", ENGINES)
def test_short(run, program, seed, engine):
    check(run, program, engine, "--seed", seed)


def flags(cpuinfo="/proc/cpuinfo"):
    try:
        with open(cpuinfo, encoding="ascii") as lines:
            return set(next((line for line in lines if line.startswith("flags")), "").split())
    except OSError:
        return set()


@pytest.mark.early
@pytest.mark.skipif(not {"avx2", "fma", "bmi2"} <= flags(), reason="the emulation needs AVX2")
@pytest.mark.parametrize("engine", ["avx512", "avx512bf16"])
def test_emulated(run, root, build, seed, engine):
    """The AVX-512 engines without AVX-512: their bits are checked wherever the tests run."""
    if build != root / "build":
        pytest.skip("one build of it is enough")
    result = run(make(root, build, "emulated/check-engine"), "--only", engine, "--seed", seed)
    assert result.returncode == 0, result.stderr
    assert "as the golden model has them" in result.stdout, result.stdout


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_long(run, program, seed, engine):
    check(run, program, engine, "--seed", seed, "--long")


def test_what_is_not_understood_is_refused(refused, program, counter):
    refused(program, "--only", "mmx", status=2, text="'--only' is not understood")
    refused(counter, "--only", status=2, text="'--only' is not understood")


def count(run, counter, *options):
    result = run(counter, *options)
    assert result.returncode == 0, result.stderr
    print(result.stdout)
    numbers = r"of (\d+) products .* high (\d+), low (\d+), zero (\d+), dropped (\d+), special (\d+)"
    met = re.search(numbers, result.stdout)
    products, *fates = map(int, met.groups())
    assert products > 1000000 and products == sum(fates) and min(fates) > 100000


def test_counts_are_the_golden_models(run, counter, seed):
    count(run, counter, "--seed", seed)


@pytest.mark.long
def test_counts_are_the_golden_models_long(run, counter, seed):
    count(run, counter, "--seed", seed, "--long")


@pytest.mark.early
def test_arguments_that_cannot_be(run, root):
    """Under the sanitizers: what is refused is not read either."""
    done = run(make(root, root / "build", "asan/check-arguments"))
    assert done.returncode == 0 and re.search(r"[1-9]\d cases, 0 faults", done.stdout), done.stdout + done.stderr


def test_products_side_by_side(run, root, build, seed):
    """Grouped convolutions have the golden model's bits and, as the sanitizers see, read no further than their operands."""
    done = run(make(root, build, "check-beside"), "--seed", seed)
    assert done.returncode == 0, done.stderr
    if "this processor does not have it" in done.stdout:
        pytest.skip(done.stdout.strip())
    results, cases = map(int, re.search(r"(\d+) results of (\d+) cases", done.stdout).groups())
    assert results > 10000 and cases > 200, done.stdout
    print(done.stdout)


@pytest.fixture
def operands(tmp_path, seed):
    numpy = pytest.importorskip("numpy")
    random = numpy.random.default_rng(seed)
    numpy.save(tmp_path / "a.npy", random.standard_normal((37, 70)).astype("float32"))
    numpy.save(tmp_path / "b.npy", random.standard_normal((70, 41)).astype("float32"))
    return ["--a", tmp_path / "a.npy", "--b", tmp_path / "b.npy"]


@pytest.mark.parametrize("options", [[], ["--config", "paper"], ["--config", "quad"], ["--streams", 4], ["--streams", 8], ["--policy", "static"], ["--policy", "magnitude"],
                                     ["--config", "fp8"], ["--format", "e4m3"], ["--format", "fp16"]])
def test_daagemm_gives_the_same_file_with_every_engine(run, daagemm, operands, tmp_path, options):
    files = {}
    for engine in ENGINES:
        done = run(daagemm, *operands, *options, "--engine", engine, "-o", tmp_path / f"{engine}.npy")
        if "this processor does not have the engine" in done.stderr:
            assert done.returncode == 1
            continue
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("\n") <= 1  # why another engine ran, once
        files[engine] = (tmp_path / f"{engine}.npy").read_bytes()
    assert {"auto", "golden", "portable"} <= files.keys() and len(set(files.values())) == 1


@pytest.mark.parametrize("options", [[], ["--config", "quad"], ["--streams", 4], ["--streams", 8], ["--config", "paper", "--policy", "rotate"], ["--format", "e4m3"], ["--format", "fp16"]])
def test_daagemm_counts_the_same_with_every_engine(run, daagemm, operands, tmp_path, options):
    found = []
    for engine in "golden", "auto":
        stats = tmp_path / f"{engine}.json"
        done = run(daagemm, *operands, *options, "--engine", engine, "-o", tmp_path / "c.npy", "--stats", stats)
        assert done.returncode == 0, done.stderr
        assert "golden" not in done.stderr or {"avx2", "fma", "bmi2"} - flags()  # vectors know all of these formats
        found.append(json.loads(stats.read_text()))
        assert found[-1].pop("engine") == engine or engine == "auto"
    assert found[0] == found[1]


def test_daagemm_says_which_engine_ran_instead(run, daagemm, operands, tmp_path):
    done = run(daagemm, *operands, "--config", "paper", "--format", "fp16", "--engine", "portable", "-o", tmp_path / "c.npy")
    assert done.returncode == 0
    assert done.stderr == "daagemm: engine golden: operands of more than 7 fraction bits take the golden model\n"


def test_daagemm_refuses_an_unknown_engine(refused, daagemm, operands, tmp_path):
    refused(daagemm, *operands, "--engine", "mmx", "-o", tmp_path / "c.npy", status=2, text="engine is 'mmx'; it must be auto")
