"""daatb, make tb and make icarus from outside: what they print and write, and every refusal."""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time

import numpy
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rtl"))
import arrays  # noqa: E402


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The array `tiny`, verilated."""
    array = arrays.emit(tmp_path_factory.mktemp("tiny") / "array", "--config", "tiny")
    arrays.verilate(array)
    return array


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A 1x1 array without specials, verilated."""
    array = arrays.emit(tmp_path_factory.mktemp("plain") / "array", "--rows", 1, "--cols", 1, "--specials", "off")
    arrays.verilate(array)
    return array


@pytest.fixture
def files(tmp_path):
    """Operands of 5 x 7 x 6 and a C0, and the arguments that name them."""
    random = numpy.random.default_rng(1)
    for name, shape in ("a", (5, 6)), ("b", (6, 7)), ("c0", (5, 7)):
        numpy.save(tmp_path / f"{name}.npy", random.standard_normal(shape).astype(numpy.float32))
    return ["--a", tmp_path / "a.npy", "--b", tmp_path / "b.npy", "--c", tmp_path / "c0.npy", "-o", tmp_path / "c.npy"]


def refused(done, status, text):
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("daatb: ") and done.stderr.count("\n") == 1, done.stderr
    assert text in done.stderr


def left(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_results_are_those_of_daagemm(tiny, files, run, daagemm, tmp_path):
    done = run(tiny / "daatb", *files)
    assert done.returncode == 0 and "equal to the golden model" in done.stdout and done.stderr == ""
    c = numpy.load(tmp_path / "c.npy")
    assert c.dtype == numpy.float32 and c.shape == (5, 7)
    run(daagemm, "--config", tiny / "daa.json", *files[:-1], tmp_path / "golden.npy")
    assert (tmp_path / "c.npy").read_bytes() == (tmp_path / "golden.npy").read_bytes()
    run(tiny / "daatb", *files, "--raw")
    raw = numpy.load(tmp_path / "c.npy")
    assert raw.dtype == numpy.uint32 and (raw.view(numpy.float32) == c).all()


def test_stats(tiny, files, run, daagemm, tmp_path):
    run(tiny / "daatb", *files, "--stats", tmp_path / "s.json", "--no-check", "--stall", 0.25, "--seed", 7)
    stats = json.loads((tmp_path / "s.json").read_text())
    assert (stats["m"], stats["n"], stats["k"], stats["tiles"], stats["macs"]) == (5, 7, 6, 12, 210)
    assert stats["stall"] == 0.25 and stats["seed"] == 7 and stats["compared"] is False
    assert stats["macs_per_cycle"] == pytest.approx(210 / stats["cycles"])
    assert stats["utilization"] == pytest.approx(210 / stats["cycles"] / 8)
    assert stats["options"]["rows"] == 2 and stats["options"]["policy"] == "exponent"
    run(daagemm, "--config", tiny / "daa.json", *files[:-1], tmp_path / "golden.npy", "--stats", tmp_path / "golden.json")
    golden = json.loads((tmp_path / "golden.json").read_text())
    assert stats["products"] == golden["products"] and sum(map(sum, golden["products"].values())) == 210
    assert min(golden["products"]["high"] + golden["products"]["low"]) > 0
    assert [stats[name] for name in ("a", "b", "c0")] == [golden[name] for name in ("a", "b", "c0")]
    assert stats["macs_per_second"] == pytest.approx(210 / stats["seconds"])


def test_same_seed_same_cycles(tiny, files, run, tmp_path):
    def cycles(seed):
        run(tiny / "daatb", *files, "--stats", tmp_path / "s.json", "--stall", 0.5, "--seed", seed)
        return json.loads((tmp_path / "s.json").read_text())["cycles"]

    counts = [cycles(seed) for seed in (1, 2, 3, 1, 2, 3)]
    assert counts[:3] == counts[3:] and len(set(counts)) > 1


def test_trace(tiny, files, run, tmp_path):
    done = run(tiny / "daatb", *files, "--trace", tmp_path / "waves.fst")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "waves.fst").stat().st_size > 1000
    assert left(tmp_path) == ["a.npy", "b.npy", "c.npy", "c0.npy", "waves.fst"]


def test_trace_replaces_only_plain_files(tiny, files, run, tmp_path):
    """A device stays one, a FIFO is not waited for, a link's file is what is replaced."""
    device, fifo, link = tmp_path / "device", tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    special = [fifo]
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        special.append(device)
    except PermissionError:
        print("no right to make a device: FIFO only")
    before = {path: path.lstat() for path in special}
    for path in special:
        refused(run(tiny / "daatb", *files, "--trace", path, timeout=60), 1, "cannot be written (it is not a plain file)")
    link.symlink_to("nothing.fst")
    refused(run(tiny / "daatb", *files, "--trace", link), 1, "cannot be written (it is a symbolic link to what is not there)")
    assert all(os.path.samestat(path.lstat(), then) and path.lstat().st_mode == then.st_mode for path, then in before.items())
    (tmp_path / "nothing.fst").write_text("earlier")
    assert run(tiny / "daatb", *files, "--trace", link).returncode == 0
    assert link.is_symlink() and (tmp_path / "nothing.fst").stat().st_size > 1000
    assert "c.npy" in left(tmp_path) and not any(name.startswith(".") for name in left(tmp_path))


def test_full_standard_output(tiny, files, tmp_path):
    """The summary is part of the job: without it there are no results either."""
    for words in ["--help"], ["--version"], files:
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(word) for word in [tiny / "daatb", *words]], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert done.stderr.startswith("daatb: cannot write to standard output (No space left on device);")
    assert left(tmp_path) == ["a.npy", "b.npy", "c0.npy"]


def test_version(tiny, run, daagemm):
    assert run(tiny / "daatb", "--version").stdout == run(daagemm, "--version").stdout.replace("daagemm", "daatb")


def test_help(tiny, run):
    done = run(tiny / "daatb", "--help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("--stall", "--trace", "utilization", "macs_per_cycle", "--rows 2 --cols 2"):
        assert word in done.stdout


USAGE = [
    (["--wrong"], "there is no option '--wrong'"),
    (["--stall"], "--stall has no value; it must be --stall P"),
    (["--stall", "1"], "--stall is '1'; it must be at least 0 and less than 1"),
    (["--stall", "-0.1"], "--stall"),
    (["--stall", "nan"], "--stall"),
    (["--stall", "0.5x"], "--stall"),
    (["--seed", "-1"], "--seed is '-1'"),
    (["--seed", "1.5"], "--seed"),
    (["--seed", "18446744073709551616"], "--seed"),
    (["more"], "'more' is not expected"),
    (["--stats", "x.json", "--trace", "x.json"], "'x.json' is named for two outputs"),
]


@pytest.mark.parametrize("words, text", USAGE)
def test_wrong_usage(tiny, files, run, tmp_path, words, text):
    refused(run(tiny / "daatb", *files, *words), 2, text)
    assert left(tmp_path) == ["a.npy", "b.npy", "c0.npy"]


@pytest.mark.parametrize("option", ["--a", "--b", "-o"])
def test_missing_option(tiny, files, run, option):
    at = files.index(option)
    refused(run(tiny / "daatb", *files[:at], *files[at + 2:]), 2, option)


def test_bad_matrices(tiny, files, run, tmp_path):
    def attempt(text, **matrices):
        for name, matrix in matrices.items():
            numpy.save(tmp_path / f"{name}.npy", matrix)
        before = left(tmp_path)
        refused(run(tiny / "daatb", *files, "--stats", tmp_path / "s.json"), 1, text)
        assert left(tmp_path) == before

    good = numpy.ones((5, 6), numpy.float32)
    attempt("A is 5 x 4 and B is 6 x 7; B must have 4 rows", a=good[:, :4])
    attempt("C0 is 4 x 7; it must be 5 x 7", a=good, c0=numpy.ones((4, 7)))
    attempt("a.npy", a=numpy.ones(5))
    attempt("a.npy", a=numpy.ones((5, 6), numpy.int64))
    attempt("bits", a=numpy.full((5, 6), 0x10000, numpy.uint32))
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00")
    attempt("a.npy")
    (tmp_path / "a.npy").unlink()
    attempt("a.npy")


def test_specials_are_refused_where_they_are_off(plain, files, run, tmp_path):
    a = numpy.ones((5, 6), numpy.float32)
    a[3, 2] = numpy.inf
    numpy.save(tmp_path / "a.npy", a)
    refused(run(plain / "daatb", *files), 1, "a.npy")
    assert left(tmp_path) == ["a.npy", "b.npy", "c0.npy"]


def test_places_that_cannot_be_written(tiny, files, run, tmp_path):
    refused(run(tiny / "daatb", *files[:-1], tmp_path / "none" / "c.npy"), 1, "none/c.npy")
    refused(run(tiny / "daatb", *files[:-1], tmp_path), 1, "directory")
    refused(run(tiny / "daatb", *files, "--stats", tmp_path / "none" / "s.json"), 1, "none/s.json")
    refused(run(tiny / "daatb", *files, "--trace", tmp_path / "none" / "w.fst"), 1, "none/w.fst")
    refused(run(tiny / "daatb", *files[:-1], "/dev/full"), 1, "/dev/full")
    assert left(tmp_path) == ["a.npy", "b.npy", "c0.npy"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
@pytest.mark.parametrize("trace", [False, True])
def test_interrupted(tiny, run, tmp_path, number, trace, files):
    """No partial file, and the earlier result stays."""
    run(tiny / "daatb", *files, *(["--trace", tmp_path / "w.fst"] if trace else []))
    for name in "ab":
        numpy.save(tmp_path / f"{name}.npy", numpy.ones((1200, 1200), numpy.float32))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words = [*files[:4], *files[6:], "--stats", tmp_path / "s.json", *(["--trace", tmp_path / "w.fst"] if trace else [])]
    process = subprocess.Popen([str(word) for word in [tiny / "daatb", *words]], stderr=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any("tmp" in path.name for path in tmp_path.iterdir()):
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(number)
    try:
        assert process.wait(60) == -number
    finally:
        process.kill()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def broken(tiny, tmp_path, file, old, new):
    """A copy of the array with one fault in its Verilog, verilated."""
    array = tmp_path / "broken"
    shutil.copytree(tiny, array, symlinks=True, ignore=shutil.ignore_patterns("daatb*", "obj*"))
    source = array / "rtl" / file
    text = source.read_text()
    assert text.count(old) == 1, f"{file} has changed; it must hold '{old}' once"
    source.write_text(text.replace(old, new))
    arrays.verilate(array, "VFLAGS=-Wno-fatal -Wno-lint")
    return array / "daatb"


def replay(done, run, text):
    """The command that the report names does it again."""
    command = next(line for line in done.stderr.splitlines() if line.startswith("  again: "))[len("  again: "):]
    again = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=arrays.ROOT)
    assert again.returncode == 1 and again.stderr == done.stderr and text in again.stderr


def test_mismatch(tiny, files, run, tmp_path):
    """A wrong product bit: the element, the step, operands, got, want and the command; no file; earlier results stay."""
    daatb = broken(tiny, tmp_path, "daa_mul.v", "{1'b1, a_frac_i} * {1'b1, b_frac_i}",
                   "{1'b1, a_frac_i} * {1'b1, b_frac_i} ^ (a_frac_i == 7'h55)")
    numpy.save(tmp_path / "c.npy", numpy.zeros(3))
    before = (tmp_path / "c.npy").read_bytes()
    a = numpy.full((5, 6), 0x3F80, numpy.uint16)
    b = numpy.full((6, 7), 0x3F80, numpy.uint16)
    a[3, 4] = 0x3FD5
    numpy.save(tmp_path / "a.npy", a)
    numpy.save(tmp_path / "b.npy", b)
    done = run(daatb, *files, "--stats", tmp_path / "s.json", "--stall", 0.3, "--seed", 5)
    assert done.returncode == 1 and done.stdout == ""
    assert re.search(r"^daatb: mismatch in 7 of 35 elements; the first is C\[3\]\[0\] \(row 1, column 0 of the array\): "
                     r"got 0x[0-9a-f]{8} \(.*\), want 0x[0-9a-f]{8}", done.stderr)
    assert "right up to k = 4, wrong with step 2: a 0x3fd5 (1.6640625) * b 0x3f80 (1);" in done.stderr
    assert re.search(r"acc before 0x[0-9a-f]{8} .* got 0x[0-9a-f]{8} .* want 0x[0-9a-f]{8}", done.stderr)
    assert "--stall 0.3 --seed 5" in done.stderr
    replay(done, run, "mismatch")
    assert (tmp_path / "c.npy").read_bytes() == before and "s.json" not in left(tmp_path)
    assert run(daatb, *files, "--no-check").returncode == 0


def test_hang(tiny, files, run, tmp_path):
    """A tile that is never finished is found out, with the state of every stream."""
    daatb = broken(tiny, tmp_path, "daa_intake.v", "assign ready_o = |fill_q;", "assign ready_o = (|fill_q) & ~marks_i[0];")
    done = run(daatb, *files)
    assert done.returncode == 1 and done.stderr.startswith("daatb: cycle ")
    assert "c.npy" not in left(tmp_path)
    shutil.rmtree(tmp_path / "broken")
    daatb = broken(tiny, tmp_path, "daa_ctrl.v", "wire last_ok = ~a_last |", "wire last_ok = ~a_last &")
    done = run(daatb, *files, "--stall", 0.5)
    assert done.returncode == 1
    assert re.match(r"daatb: cycle \d+: hang: no transfer for \d+ cycles; A step 1 of 3 in tile 1 of 12 "
                    r"\(valid 1, ready 0\); B step .*; C0 row .*; C row 0 of 2 in tile 0 of 12 \(valid 0, ready \d\)",
                    done.stderr), done.stderr
    replay(done, run, "hang")


def test_broken_protocol(tiny, files, run, tmp_path):
    """Rows that come too often, or wrongly marked, are not taken for results."""
    daatb = broken(tiny, tmp_path, "daa_ctrl.v", "assign c_last_o  =", "assign c_last_o = ~")
    done = run(daatb, *files)
    assert done.returncode == 1 and "c_last_o is not on the tile's last row" in done.stderr


def test_make_tb_refusals(run, tmp_path):
    for words, text in ([], "DIR is not set"), ([f"DIR={tmp_path / 'none'}"], "DIR must be a directory that daagen wrote"):
        done = run("make", "--no-print-directory", "tb", *words)
        assert done.returncode == 2 and text in done.stderr, done.stderr
    assert left(tmp_path) == []


def test_make_icarus_refusals(tiny, files, run, tmp_path):
    good = [f"DIR={tiny}", f"A={files[1]}", f"B={files[3]}"]
    before = left(tiny)
    for words, text in (
        ([], "DIR is not set"),
        (good[:2], "A or B is not set"),
        ([*good, "STALL=1"], "STALL is '1'"),
        ([*good, "SEED=x"], "SEED is 'x'"),
        ([*good, f"C0={files[1]}"], "C0 is 5 x 6; it must be 5 x 7"),
        ([good[0], good[2].replace("B=", "A="), good[1].replace("A=", "B=")], "B must have 7 rows"),
        ([*good[:2], f"B={tmp_path / 'none.npy'}"], "none.npy"),
    ):
        done = run("make", "--no-print-directory", "icarus", *words)
        assert done.returncode == 2 and text in done.stderr, done.stderr
        assert "PASS" not in done.stdout
    assert left(tiny) == before


def test_make_icarus_fails_by_name(tiny, files, tmp_path):
    """A mismatch and an X are failures, each called what it is."""
    words = files[:4]
    array = tmp_path / "broken"
    for file, old, new, text in (
        ("daa_drain.v", "either | results_i", "either | 1 | results_i", "FAIL: mismatch: C["),
        ("daa_drain.v", "either | results_i", "either | 1'bx | results_i", "FAIL: X in the results"),
        ("daa_ctrl.v", "wire last_ok = ~a_last |", "wire last_ok = ~a_last &", "FAIL: icarus: hang"),
    ):
        shutil.copytree(tiny, array, symlinks=True, ignore=shutil.ignore_patterns("daatb*", "obj*"))
        source = array / "rtl" / file
        assert source.read_text().count(old) == 1
        source.write_text(source.read_text().replace(old, new))
        assert text in arrays.icarus(array, words, status=2).stderr
        shutil.rmtree(array)
