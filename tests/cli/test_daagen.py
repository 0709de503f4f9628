"""daagen from outside: what it emits, what it refuses, and that nothing half-written is left."""
import fcntl
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from conftest import ROOT

NAMED = ["baseline", "paper", "quad", "safe2", "lean2", "alike2", "safe4", "lean4", "alike4", "high2", "low2", "fp8", "tiny"]
OPERANDS = ["bf16", "tf32", "fp16", "e5m2", "e4m3", "e3m2", "e2m3", "e2m1", "e8m1", "e7m10", "e2m10", "e6m9", "e4m1"]
ACCUMULATORS = ["fp32", "e8m10", "e5m23", "fp16", "e6m15", "e8m7", "e5m7"]
CHOICES = {
    "rows": [1, 2, 3, 5, 16, 255, 256],
    "cols": [1, 2, 3, 7, 31, 256],
    "streams": [1, 2, 4, 8],
    "a-format": OPERANDS,
    "b-format": OPERANDS,
    "acc-format": ACCUMULATORS,
    "out-format": ["auto", *OPERANDS, "fp32", "e5m23"],
    "accumulator": ["rounded", "anchored"],
    "acc-bits": ["auto"],
    "acc-step": ["auto"],
    "lo-bits": range(1, 12),
    "lo-round": ["nearest", "truncate"],
    "policy": ["exponent", "static", "rotate", "high", "low"],
    "window": ["auto", *range(33)],
    "specials": ["on", "off"],
    "pipeline": [1, 2, 3],
    "clock-gating": ["off", "on"],
    "c0-rows": ["auto", 256, 4096],
    "result-rows": ["auto", 256, 4096],
    "prefix": ["daa", "x", "Gemm_2", "a" * 32],
}


def tree(directory):
    """Every file below a directory with its bytes."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def leftovers(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def words(options):
    return itertools.chain.from_iterable((f"--{name}", value) for name, value in options.items())


def instrumented(command):
    return b"__asan_init" in command.read_bytes()


def made(*names):
    """Programs that only tests need; several workers, one make."""
    with open(ROOT / "build" / "tests.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "--no-print-directory", *(f"build/asan/{name}" for name in names)], cwd=ROOT,
                              capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [ROOT / "build" / "asan" / name for name in names]


@pytest.fixture(scope="session", params=["plain", "sanitized"])
def either(request, daagen):
    """The command, and the command that stops at any memory or arithmetic error."""
    if request.param == "plain":
        return daagen
    return made("daagen")[0]


# What it emits

@pytest.mark.parametrize("name", NAMED)
def test_named_configurations(run, either, tmp_path, name):
    out = tmp_path / name
    done = run(either, "--config", name, "-o", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    manifest = json.loads((out / "daa.json").read_text())
    assert list(manifest) == ["generator", "version", "options", "derived", "latency", "files", "hash"]
    assert sorted(manifest["files"]) == sorted(tree(out))
    for path in ["daa.f", "daa_config.h", "daa.sdc", "daa.core", "rtl/daa_array.v", "rtl/daa_pe.v", "tb/daa_tb.v"]:
        assert path in manifest["files"]
    assert (out / "daa.f").read_text().split() == [path for path in manifest["files"] if path.startswith("rtl/")]
    for path, content in tree(out).items():
        text = content.decode("ascii")
        assert text.endswith("\n") and "${" not in text and "//%" not in text, path
        assert not re.search(r"[ \t]+$", text, re.M), f"{path} has blanks at a line's end"
        if path.endswith(".v"):
            assert re.findall(r"^module (\w+)", text, re.M) == [pathlib.Path(path).stem]
            assert text.count("`default_nettype none") == 1 and text.endswith("`default_nettype wire\n")


def test_every_named_configuration_is_listed(run, either):
    done = run(either, "--list-configs")
    assert done.returncode == 0 and [line.split()[0] for line in done.stdout.splitlines()] == NAMED


def test_version(run, either, emit):
    done = run(either, "--version")
    assert re.fullmatch(r"daagen \d+\.\d+\.\d+\n", done.stdout) and done.returncode == 0
    assert json.loads((emit("tiny") / "daa.json").read_text())["version"] == done.stdout.split()[1]


def test_help_has_every_option_of_the_manifest(run, either, tmp_path):
    done = run(either, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert run(either, "-o", tmp_path / "out").returncode == 0
    manifest = json.loads((tmp_path / "out" / "daa.json").read_text())
    for name, value in manifest["options"].items():
        assert re.search(rf"^  --{name} +(auto|{value}) ", done.stdout, re.M), name
    # Depths that are automatic follow rows and cols, and are left out.
    assert list(manifest["options"]) == [name for name in CHOICES if name not in ("c0-rows", "result-rows")]


def test_same_input_same_bytes(run, either, tmp_path):
    for name in ["one", "two"]:
        assert run(either, "--config", "quad", "--cols", 5, "-o", tmp_path / name).returncode == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_no_place_or_date_in_any_file(run, either, tmp_path):
    assert run(either, "-o", tmp_path / "out").returncode == 0
    for path, content in tree(tmp_path / "out").items():
        assert str(tmp_path).encode() not in content and b"/work" not in content, path
        assert not re.search(rb"\b20\d\d-\d\d|\b\d\d:\d\d", content), path


@pytest.mark.parametrize("name", NAMED)
def test_round_trip(run, either, tmp_path, name):
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(either, "--config", name, "--window", 5, "--prefix", "again", "-o", one).returncode == 0
    assert run(either, "--config", one / "daa.json", "-o", two).returncode == 0
    assert tree(one) == tree(two)


def test_options_win_over_a_file(run, either, tmp_path, emit):
    emitted = emit("fp8")
    out = tmp_path / "out"
    done = run(either, "--format", "fp16", "--rows=3", "--config", emitted / "daa.json", "-o", out)
    assert done.returncode == 0, done.stderr
    options = json.loads((out / "daa.json").read_text())["options"]
    assert [options[name] for name in ["rows", "cols", "a-format", "b-format"]] == [3, 16, "fp16", "fp16"]


def test_the_order_of_options_does_not_matter(run, either, tmp_path):
    pairs = [("--config", "quad"), ("--rows", "3"), ("--format", "e5m2"), ("--a-format", "e4m3")]
    for i, order in enumerate(itertools.permutations(pairs)):
        out = tmp_path / str(i)
        assert run(either, *itertools.chain(*order), "-o", out).returncode == 0
        assert (out / "daa.json").read_bytes() == (tmp_path / "0" / "daa.json").read_bytes()
    assert i == 23


def test_the_hash_tells_configurations_apart(run, daagen, tmp_path):
    variants = [{}, {"rows": 15}, {"cols": 15}, {"policy": "static"}, {"lo-bits": 3}, {"window": 9}, {"specials": "off"}]
    hashes = set()
    for i, options in enumerate(variants):
        assert run(daagen, *words(options), "-o", tmp_path / str(i)).returncode == 0
        hashes.add(json.loads((tmp_path / str(i) / "daa.json").read_text())["hash"])
    assert len(hashes) == len(variants)


def test_largest_array_in_time_and_memory(daagen, tmp_path):
    """256 x 256 in 0.1 s of processor time and 64 MB; the best of five, because others use the machine too."""
    if instrumented(daagen):
        pytest.skip("an instrumented command reserves address space without end")
    best = 1.0
    for i in range(5):
        process = subprocess.Popen(["sh", "-c", 'ulimit -v 65536; exec "$@"', "sh", daagen, "--rows", "256", "--cols", "256",
                                    "--streams", "4", "-o", tmp_path / str(i)])
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        best = min(best, usage.ru_utime + usage.ru_stime)
    assert best < 0.1


def test_random_walk(run, either, tmp_path, rng):
    """Any combination is emitted or refused with the rule it breaks, and a legal one gives itself back."""
    rules = ["the accumulator must be at least as wide", "the result must be no wider", "it needs specials off",
             "and accumulator 'anchored' it must be 2.."]
    legal, refused = 0, dict.fromkeys(rules, 0)
    for i in range(60):
        options = {name: rng.choice(values) for name, values in CHOICES.items()}
        out = tmp_path / "out"
        done = run(either, *words(options), "-o", out)
        if done.returncode == 2:
            broken = [rule for rule in rules if rule in done.stderr]
            assert len(broken) == 1 and done.stderr.count("\n") == 1 and not out.exists(), done.stderr
            refused[broken[0]] += 1
            continue
        assert done.returncode == 0, (options, done.stderr)
        got = json.loads((out / "daa.json").read_text())["options"]
        for name, value in options.items():
            assert value == "auto" or got[name] == {"e8m7": "bf16", "e8m10": "tf32"}.get(value, value), options
        legal += 1
        shutil.rmtree(out)
    assert legal >= 5 and sum(refused.values()) >= 5


# What it emits, into a directory that is there already

def test_replaces_its_own_output_and_leaves_the_rest(run, either, tmp_path):
    out = tmp_path / "out"
    assert run(either, "--config", "tiny", "-o", out).returncode == 0
    foreign = {"daatb": b"a program", "area.json": b"{}", "obj/a.o": b"o", "rtl/mine.v": b"// mine\n", "notes.txt": b"x"}
    for name, content in foreign.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(content)
    assert run(either, "--config", "baseline", "--prefix", "other", "-o", out).returncode == 0
    fresh = tmp_path / "fresh"
    assert run(either, "--config", "baseline", "--prefix", "other", "-o", fresh).returncode == 0
    assert tree(out) == {**tree(fresh), **foreign}
    assert leftovers(out) == sorted({*leftovers(fresh), *foreign, "obj"})


def test_an_empty_directory_a_link_and_a_new_path(run, either, tmp_path):
    (tmp_path / "empty").mkdir(mode=0o750)
    (tmp_path / "link").symlink_to("empty")
    assert run(either, "-o", f"{tmp_path}/link/").returncode == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "empty").stat().st_mode & 0o777 == 0o750
    assert run(either, "-o", tmp_path / "a" / "b" / "c").returncode == 0
    assert tree(tmp_path / "a" / "b" / "c") == tree(tmp_path / "empty")
    assert run(either, "-o", ".", cwd=tmp_path / "empty").returncode == 0
    assert tree(tmp_path / "a" / "b" / "c") == tree(tmp_path / "empty")


def test_what_has_not_changed_keeps_its_time(run, either, tmp_path):
    out = tmp_path / "out"
    assert run(either, "--config", "tiny", "-o", out).returncode == 0
    before = {path: (out / path).stat().st_mtime_ns for path in tree(out)}
    time.sleep(0.02)
    assert run(either, "--config", "tiny", "--rows", 3, "-o", out).returncode == 0
    changed = {path for path, then in before.items() if (out / path).stat().st_mtime_ns != then}
    assert {"daa.json", "daa_config.h", "rtl/daa_array.v"} <= changed and "rtl/daa_mul.v" not in changed


def test_files_named_by_an_edited_manifest_are_not_removed(run, either, tmp_path):
    out, victim = tmp_path / "out", tmp_path / "victim.v"
    assert run(either, "--config", "tiny", "-o", out).returncode == 0
    victim.write_text("keep")
    (out / "notes.v").write_text("keep")
    manifest = json.loads((out / "daa.json").read_text())
    manifest["files"] += ["../victim.v", "rtl/../../victim.v", str(victim), "notes.v", "rtl/", "", 7, None]
    (out / "daa.json").write_text(json.dumps(manifest))
    assert run(either, "--config", "tiny", "-o", out).returncode == 0
    assert victim.read_text() == "keep" and (out / "notes.v").read_text() == "keep"


# What it refuses

@pytest.mark.parametrize("command, text", [
    (["--frobnicate", "1"], "there is no option '--frobnicate'"),
    (["--row", "3"], "there is no option '--row'"),
    (["--lo", "3"], "there is no option '--lo'"),
    (["--conf", "tiny"], "there is no option '--conf'"),
    (["-x"], "there is no option '-x'"),
    (["tiny"], "'tiny' is not expected"),
    (["--"], "there is no option '--'"),
    (["--" + "y" * 5000], "there is no option"),
    (["--rows"], "--rows has no value"),
    (["--config"], "--config has no value"),
    (["--rows", "0"], "rows is '0'; it must be 1..256"),
    (["--rows", "257"], "rows is '257'; it must be 1..256"),
    (["--rows", "16x"], "rows is '16x'"),
    (["--rows", "+16"], "rows is '+16'"),
    (["--rows", " 16"], "rows is ' 16'"),
    (["--rows", "0x10"], "rows is '0x10'"),
    (["--rows", ""], "rows is ''"),
    (["--rows="], "rows is ''"),
    (["--rows", "4\n5"], "rows is '4?5'"),
    (["--rows", "9" * 3000], "rows is '999"),
    (["--rows", "0", "--rows", "4"], "rows is '0'"),
    (["--cols", "1000"], "cols is '1000'; it must be 1..256"),
    (["--streams", "3"], "it must be 1|2|4|8"),
    (["--format", "e1m3"], "X 2..8, Y 1..10"),
    (["--format", "fp32"], "X 2..8, Y 1..10"),
    (["--a-format", "BF16"], "a-format is 'BF16'"),
    (["--b-format", "float"], "b-format is 'float'"),
    (["--acc-format", "bf8"], "X 5..8, Y 7..23"),
    (["--acc-format", "e4m10"], "X 5..8, Y 7..23"),
    (["--acc-format", "fp16"], "the accumulator must be at least as wide as the operands: X >= 8 and Y >= 7"),
    (["--format", "tf32", "--acc-format", "e8m9"], "X >= 8 and Y >= 10"),
    (["--out-format", "e8m24"], "X 2..8, Y 1..23"),
    (["--acc-format", "e8m10", "--out-format", "fp32"], "no wider than the accumulator: X <= 8 and Y <= 10"),
    (["--out-format", "e3m2"], "it needs specials off"),
    (["--lo-bits", "0"], "it must be 1..11"),
    (["--lo-bits", "12"], "it must be 1..11"),
    (["--lo-round", "even"], "it must be nearest|truncate"),
    (["--policy", "best"], "it must be exponent|static|rotate|high|low"),
    (["--policy", "magnitude"], "for software only"),
    (["--window", "33"], "it must be auto|0..32"),
    (["--window", "-1"], "it must be auto|0..32"),
    (["--specials", "true"], "it must be on|off"),
    (["--pipeline", "0"], "it must be auto|1..5"),
    (["--config", "paper", "--pipeline", "4"], "it must be 1..3, with 'anchored' 2..4"),
    (["--pipeline", "1"], "it must be 2..4, with 'rounded' 1..3"),
    (["--pipeline", "1", "--streams", "8"], "it must be 2..5, with 'rounded' 1..4"),
    (["--config", "quad", "--pipeline", "5"], "it must be 1..4"),
    (["--prefix", "9daa"], "a Verilog identifier"),
    (["--prefix", "daa_"], "a Verilog identifier"),
    (["--prefix", "../daa"], "a Verilog identifier"),
    (["--prefix", "a" * 33], "at most 32 characters"),
    (["--config", "papers"], "neither a named configuration nor a file; it must be baseline, paper, quad"),
    (["--config", ""], "neither a named configuration nor a file"),
    (["--config", "/"], "cannot read config '/'"),
    (["--config", "/dev/null/daa.json"], "cannot read config"),
    (["--config", "/dev/zero"], "longer than 64 KiB"),
])
def test_bad_command(refused, either, tmp_path, command, text):
    refused(either, "-o", tmp_path / "out", *command, status=2, text=text)
    assert leftovers(tmp_path) == []


def test_no_directory(refused, either, tmp_path):
    refused(either, status=2, text="-o DIR", cwd=tmp_path)
    refused(either, "-o", status=2, text="-o has no value", cwd=tmp_path)
    refused(either, "-o", "", status=2, text="-o has no value", cwd=tmp_path)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("content, text", [
    ("", "line 1"),
    ("{", "line 1"),
    ("[]", "no object \"options\""),
    ("{}", "no object \"options\""),
    ('{"options": 3}', "no object \"options\""),
    ('{"options": {}} x', "line 1"),
    ('{"options": {"rows": 3, "rows": 4}}', "duplicate"),
    ('{"options": {"height": 3}}', "unknown option 'height'"),
    ('{"options": {"Rows": 3}}', "unknown option 'Rows'"),
    ('{"options": {"a\\nb": 3}}', "unknown option 'a?b'"),
    ('{"options": {"rows": "3"}}', "rows as the wrong type; it must be an integer"),
    ('{"options": {"rows": 3.0}}', "rows as the wrong type; it must be an integer"),
    ('{"options": {"rows": null}}', "rows as the wrong type"),
    ('{"options": {"rows": true}}', "rows as the wrong type"),
    ('{"options": {"rows": [3]}}', "rows as the wrong type"),
    ('{"options": {"rows": 300}}', "rows is '300'; it must be 1..256"),
    ('{"options": {"rows": -1}}', "rows is '-1'; it must be 1..256"),
    ('{"options": {"rows": 99999999999999999999999}}', "line 1"),
    ('{"options": {"policy": 3}}', "policy as the wrong type; it must be a string"),
    ('{"options": {"policy": "magnitude"}}', "for software only"),
    ('{"options": {"prefix": "a\\u0000b"}}', "line 1"),
    ('{"options": {"format": "e9m9"}}', "X 2..8, Y 1..10"),
    ('{"options": {"acc-format": "e5m7"}}', "at least as wide"),
    ('{"options": ' + "[" * 5000 + "]" * 5000 + "}", "line 1"),
    ("\n\n\n{\"options\": {\"rows\": }}", "line 4"),
    ("\udcff\udcfe", "line 1"),
])
def test_bad_file(refused, either, tmp_path, content, text):
    file = tmp_path / "daa.json"
    file.write_text(content, errors="surrogateescape")
    refused(either, "--config", file, "-o", tmp_path / "out", status=2, text=text)
    assert leftovers(tmp_path) == ["daa.json"]


def test_a_file_may_leave_options_out_and_say_auto(run, either, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text('{"options": {"rows": 3, "format": "fp16", "window": "auto", "out-format": "auto"}}')
    assert run(either, "--config", file, "-o", tmp_path / "out").returncode == 0
    options = json.loads((tmp_path / "out" / "daa.json").read_text())["options"]
    assert (options["rows"], options["cols"], options["a-format"], options["window"]) == (3, 16, "fp16", 14)


@pytest.mark.parametrize("content", [
    {"notes.txt": "mine"}, {"daa.json": "{}"}, {"daa.json": "not json"}, {"daa.json": '{"generator": "other", "files": []}'},
    {"daa.json": '{"generator": "daagen"}'}, {".hidden": ""},
])
def test_foreign_directory(refused, either, tmp_path, content):
    out = tmp_path / "out"
    out.mkdir()
    for name, text in content.items():
        (out / name).write_text(text)
    before = tree(out)
    refused(either, "-o", out, status=2, text="neither empty nor an earlier output of daagen; choose another -o DIR")
    assert tree(out) == before and leftovers(tmp_path) == ["out", *(f"out/{name}" for name in content)]


def test_a_foreign_file_in_the_way(run, refused, either, tmp_path):
    out = tmp_path / "out"
    assert run(either, "--config", "tiny", "-o", out).returncode == 0
    (out / "rtl" / "mine_pe.v").write_text("// mine\n")
    before = tree(out)
    refused(either, "--prefix", "mine", "-o", out, status=2, text="mine_pe.v' is in the way and not daagen's")
    assert tree(out) == before
    (out / "rtl" / "daa_pe.v").unlink()
    (out / "rtl" / "daa_pe.v").mkdir()
    refused(either, "-o", out, status=2, text="daa_pe.v' is in the way")


def test_no_directory_can_be_made(refused, either, tmp_path):
    (tmp_path / "file").write_text("mine")
    refused(either, "-o", tmp_path / "file", status=2, text="is not a directory")
    refused(either, "-o", tmp_path / "file" / "out", status=1, text="Not a directory; -o DIR must be a place")
    refused(either, "-o", "/proc/out", status=1, text="cannot write '/proc/out")
    refused(either, "-o", tmp_path / ("x" * 300), status=1, text="File name too long")
    assert leftovers(tmp_path) == ["file"]


@pytest.fixture
def read_only(tmp_path):
    """A directory that even root cannot write: a read-only tmpfs."""
    place = tmp_path / "read-only"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", place], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_read_only_place(refused, either, read_only):
    refused(either, "-o", read_only, status=1, text="Read-only file system; -o DIR must be a place that can be written")
    refused(either, "-o", read_only / "out", status=1, text="Read-only file system")
    assert leftovers(read_only) == []


@pytest.fixture(params=[16, 64])
def small_disk(request, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "none", place]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_full_disk(refused, either, small_disk):
    refused(either, "-o", small_disk / "out", status=1, text="No space left on device; make room, or choose another -o DIR")
    assert leftovers(small_disk) == []


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def test_file_size_limit_keeps_the_earlier_output(run, refused, daagen, tmp_path):
    out = tmp_path / "a" / "out"
    refused(daagen, "-o", out, status=1, text="File too large; make room", preexec_fn=limit_file_size)
    assert leftovers(tmp_path) == []
    assert run(daagen, "--config", "tiny", "-o", out).returncode == 0
    before, names = tree(out), leftovers(tmp_path)
    refused(daagen, "--config", "quad", "--prefix", "q", "-o", out, status=1, text="File too large",
            preexec_fn=limit_file_size)
    assert tree(out) == before and leftovers(tmp_path) == names


@pytest.mark.parametrize("word", ["--help", "--version", "--list-configs"])
def test_full_standard_output(either, word):
    with open("/dev/full", "w") as full:
        done = subprocess.run([either, word], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr.startswith("daagen: cannot write to standard output (No space left on device);")
    assert done.stderr.count("\n") == 1


# Interrupted

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* The N-th call of fopen(..., "w...") or rename(), or of a mkdir() or unlink() that does its work, also sends the signal
 * that a user might. */
static void strike(const char *call) {
    static int count;
    const char *wanted = getenv("STRIKE_CALL"), *at = getenv("STRIKE_AT"), *number = getenv("STRIKE_SIGNAL");
    if (strcmp(call, wanted) == 0 && ++count == atoi(at))
        raise(atoi(number));
}
FILE *fopen(const char *path, const char *mode) {
    FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, "fopen");
    FILE *file = real(path, mode);
    if (mode[0] == 'w')
        strike("fopen");
    return file;
}
int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    int result = real(from, to);
    strike("rename");
    return result;
}
int mkdir(const char *path, mode_t mode) {
    int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
    int result = real(path, mode);
    if (result == 0)
        strike("mkdir");
    return result;
}
int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    int result = real(path);
    if (result == 0)
        strike("unlink");
    return result;
}
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory, daagen):
    if instrumented(daagen):
        pytest.skip("an instrumented command does not take a preloaded library")
    place = tmp_path_factory.mktemp("shim")
    (place / "shim.c").write_text(SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "shim.so", "shim.c", "-ldl"], cwd=place, check=True)
    return place / "shim.so"


ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


def heard(number):
    """Before a command starts: the signal at its default, which under nohup it is not, and no core file of SIGQUIT."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(number, signal.SIG_DFL)


def struck(daagen, shim, call, at, number, *command):
    environment = {**os.environ, "LD_PRELOAD": str(shim), "STRIKE_CALL": call, "STRIKE_AT": str(at),
                   "STRIKE_SIGNAL": str(int(number))}
    done = subprocess.run([str(word) for word in (daagen, *command)], capture_output=True, env=environment,
                          preexec_fn=None if number == signal.SIGKILL else lambda: heard(number))
    return done.returncode


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("at", [1, 2, 9, 20])
def test_interrupted_while_writing(run, daagen, shim, tmp_path, number, at):
    new, old = tmp_path / "x" / "new", tmp_path / "old"
    assert struck(daagen, shim, "fopen", at, number, "-o", new) == -number
    assert struck(daagen, shim, "mkdir", min(at, 6), number, "-o", new) == -number
    assert leftovers(tmp_path) == []
    assert run(daagen, "--config", "tiny", "-o", old).returncode == 0
    before, names = tree(old), leftovers(tmp_path)
    assert struck(daagen, shim, "fopen", at, number, "--prefix", "p", "-o", old) == -number
    assert tree(old) == before and leftovers(tmp_path) == names


@pytest.mark.parametrize("at", [2, 3, 9])
def test_interrupted_while_moving_into_place(run, daagen, shim, tmp_path, at):
    """From the first file moved on the job is carried through: old and new files never stand mixed."""
    old, new = tmp_path / "old", tmp_path / "new"
    assert run(daagen, "--config", "tiny", "-o", old).returncode == 0
    assert run(daagen, "--config", "quad", "--prefix", "p", "-o", new).returncode == 0
    struck(daagen, shim, "rename", at, signal.SIGINT, "--config", "quad", "--prefix", "p", "-o", old)
    assert tree(old) == tree(new) and leftovers(old) == leftovers(new)


@pytest.mark.parametrize("call", ["mkdir", "fopen", "unlink", "rename"])
def test_killed_at_any_step(run, daagen, shim, tmp_path, call):
    """daa.json is there only with all of its files; the next run, killed once itself, knows what is daagen's, and nothing
    of the killed ones stays."""
    emissions = {"tiny": ["--config", "tiny"], "quad": ["--config", "quad", "--prefix", "p"]}
    for name, words in emissions.items():
        assert run(daagen, *words, "-o", tmp_path / name).returncode == 0
    whole = {name: tree(tmp_path / name) for name in emissions}

    def check(out):
        there = {path: content for path, content in tree(out).items() if not path.startswith(".daagen/")}
        assert "daa.json" not in there or there in whole.values(), (call, at)

    at = 0
    for at in range(1, 100):
        old, new = tmp_path / f"old{at}", tmp_path / f"new{at}"
        shutil.copytree(tmp_path / "tiny", old)
        (old / "rtl" / "mine.txt").write_text("keep")
        ended = [struck(daagen, shim, call, at, signal.SIGKILL, *emissions["quad"], "-o", out) for out in (old, new)]
        (old / "rtl" / "mine.txt").rename(tmp_path / "mine.txt")
        for out in old, new:
            if out.exists():
                check(out)
        (tmp_path / "mine.txt").rename(old / "rtl" / "mine.txt")
        struck(daagen, shim, "fopen", at % 20 + 1, signal.SIGKILL, *emissions["tiny"], "-o", old)
        for out in old, new:
            done = run(daagen, *emissions["tiny"], "-o", out)
            assert done.returncode == 0, (call, at, done.stderr)
        assert (old / "rtl" / "mine.txt").read_text() == "keep"
        (old / "rtl" / "mine.txt").unlink()
        for out in old, new:
            assert tree(out) == whole["tiny"] and leftovers(out) == leftovers(tmp_path / "tiny")
        if ended == [0, 0]:
            break
    print(f"{at} steps of {call}")
    assert 2 <= at < 99


def test_a_foreign_file_where_the_work_directory_goes(refused, either, tmp_path):
    (tmp_path / ".daagen").write_text("mine")
    refused(either, "-o", tmp_path, status=2, text=".daagen' is in the way and not daagen's")
    assert (tmp_path / ".daagen").read_text() == "mine" and leftovers(tmp_path) == [".daagen"]


def test_runs_into_one_directory_at_the_same_time(run, either, tmp_path):
    """All succeed, and the directory is that of one of them."""
    names = ["tiny", "quad", "baseline", "fp8"]
    whole = {}
    for name in names:
        assert run(either, "--config", name, "--prefix", name, "-o", tmp_path / name).returncode == 0
        whole[name] = tree(tmp_path / name)
    last = set()
    for i in range(10):
        out = tmp_path / "fresh" / str(i)
        jobs = [subprocess.Popen([either, "--config", name, "--prefix", name, "-o", out], stderr=subprocess.PIPE)
                for name in names * 2]
        said = [job.communicate()[1] for job in jobs]
        assert [job.returncode for job in jobs] == [0] * 8, said
        last.update(name for name in names if tree(out) == whole[name])
        assert tree(out) in whole.values()
        assert leftovers(out) in [leftovers(tmp_path / name) for name in names]
    print(f"last were {sorted(last)}")


def test_a_directory_that_is_taken(run, refused, daagen, tmp_path):
    assert run(daagen, "--config", "tiny", "-o", tmp_path / "out").returncode == 0
    before = tree(tmp_path / "out")
    holder = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    refused(daagen, "-o", tmp_path / "out", status=1, text="another daagen is writing into")
    waiting = subprocess.Popen([daagen, "-o", tmp_path / "out"], preexec_fn=lambda: heard(signal.SIGQUIT))
    time.sleep(0.2)
    waiting.send_signal(signal.SIGQUIT)
    assert waiting.wait(10) == -signal.SIGQUIT and tree(tmp_path / "out") == before
    waiting = subprocess.Popen([daagen, "-o", tmp_path / "out"])
    time.sleep(0.2)
    assert waiting.poll() is None
    os.close(holder)
    assert waiting.wait(10) == 0 and tree(tmp_path / "out") != before


def test_interrupted_at_any_time(either, tmp_path, rng):
    """Either nothing or everything; the delay follows the outcome, so that there are both."""
    outcomes = {0: 0, -signal.SIGTERM: 0}
    delay = 0.004
    for i in range(60):
        out = tmp_path / str(i)
        process = subprocess.Popen([either, "-o", out], stderr=subprocess.PIPE, preexec_fn=lambda: heard(signal.SIGTERM))
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        process.communicate()
        outcomes[process.returncode] += 1
        complete = out.exists()
        assert complete or process.returncode == -signal.SIGTERM
        assert [path.name for path in tmp_path.iterdir()] == [str(i)] * complete
        if complete:
            assert sorted(json.loads((out / "daa.json").read_text())["files"]) == sorted(tree(out))
            shutil.rmtree(out)
        delay *= rng.uniform(0.7, 1) if complete else rng.uniform(1, 1.6)
    print(f"{outcomes[0]} complete, {outcomes[-signal.SIGTERM]} interrupted")
    assert min(outcomes.values()) > 0


# The bench inside the emitted directory, and the checks of this room's C programs

def simulate(out, status, prefix="daa"):
    sources = sorted(map(str, [*(out / "rtl").glob("*.v"), *(out / "tb").glob("*.v")]))
    made = subprocess.run(["iverilog", "-g2005", "-Wall", "-s", f"{prefix}_tb", "-o", out / "tb.vvp", *sources],
                          capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (0, "")
    done = subprocess.run(["vvp", "-n", out / "tb.vvp"], capture_output=True, text=True)
    assert done.returncode == status
    return done.stdout


@pytest.mark.parametrize("name", NAMED)
def test_the_emitted_bench_passes(emit, name):
    assert re.fullmatch(r"PASS: \d+ results\n", simulate(emit(name), 0))


@pytest.mark.parametrize("module, right, wrong", [
    ("mul", "{1'b1, a_frac_i} *", "{1'b0, a_frac_i} *"),
    ("intake", "full_q | (fill_q & {2{valid_i}})", "full_q | fill_q"),
    ("ctrl", "c_ends = c_at_q == LastRow", "c_ends = c_at_q != LastRow"),
    ("ctrl", "go & (a_last ^ b_last)", "go & ~(a_last ^ b_last)"),
    ("ctrl", "assign c_valid_o = c_valid_q", "assign c_valid_o = 1'b0"),
])
def test_the_emitted_bench_finds_faults(emit, module, right, wrong):
    out = emit("tiny")
    path = out / "rtl" / f"daa_{module}.v"
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong))
    assert simulate(out, 1).startswith("FAIL: ")


@pytest.mark.parametrize("right, wrong, verdict", [
    ("", "", "PASS: 64 results"),
    ("assign c_valid_o = c_valid_q", "assign c_valid_o = 1'b0", "FAIL: pass 0: hung after 0 of 8 result rows"),
])
def test_the_emitted_bench_in_verilator(emit, run, right, wrong, verdict):
    """Without a line of C++, and with a status that a script sees."""
    out = emit("tiny")
    control = out / "rtl" / "daa_ctrl.v"
    control.write_text(control.read_text().replace(right, wrong, 1))
    made = run("verilator", "--binary", "--top-module", "daa_tb", "-Mdir", out / "obj", "-MAKEFLAGS", "OPT_FAST=-O0", "-MAKEFLAGS", "OPT_GLOBAL=-O0",
               *sorted((out / "rtl").glob("*.v")), out / "tb" / "daa_tb.v")
    assert made.returncode == 0, made.stderr
    done = run(out / "obj" / "Vdaa_tb")
    assert verdict in done.stdout and (done.returncode == 0) == verdict.startswith("PASS")


def test_units(run):
    for program in made("check-config", "check-templates"):
        done = run(program)
        assert done.returncode == 0 and re.search(r"[1-9]\d* cases, 0 faults", done.stdout), done.stderr


@pytest.mark.parametrize("count", [5000, pytest.param(100000, marks=pytest.mark.long)])
def test_fuzz_json(run, seed, tmp_path, count):
    memory = pathlib.Path("/dev/shm")
    file = (memory if memory.is_dir() else tmp_path) / f"daa-fuzz-{os.getpid()}.json"
    try:
        done = run(made("fuzz-json")[0], file, seed, count)
    finally:
        file.unlink(missing_ok=True)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    accepted, rejected = map(int, re.search(r"(\d+) accepted, (\d+) refused", done.stdout).groups())
    assert accepted > count // 10 and rejected > count // 10 and accepted + rejected == count
