"""daagemm from outside: what it reads, what it writes, what it refuses."""
import json
import os
import resource
import signal
import struct
import subprocess
import time

import numpy as np
import pytest

PRODUCTS = ("high", "low", "zero", "dropped", "special")


def npy(path, descr, shape, data=b"", *, fortran=False, version=(1, 0), header=None):
    """A .npy file by hand, with what numpy would not write."""
    text = header if header is not None else f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"
    text = text.encode("latin-1")
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    path.write_bytes(b"\x93NUMPY" + bytes(version) + length + text + data)
    return path


@pytest.fixture
def save(tmp_path):
    def call(name, matrix):
        path = tmp_path / f"{name}.npy"
        np.save(path, matrix)
        return path

    return call


@pytest.fixture
def gemm(daagemm, run, tmp_path):
    """Runs a GEMM that must work; returns the result and the stats."""

    def call(a, b, *options, c=None, **more):
        words = [daagemm, "--a", a, "--b", b, "-o", tmp_path / "C.npy", "--stats", tmp_path / "S.json", *options]
        done = run(*words, *(["--c", c] if c else []), **more)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "" and done.stderr == ""
        return np.load(tmp_path / "C.npy"), json.loads((tmp_path / "S.json").read_text())

    return call


def identity(size, dtype=np.float32):
    return np.eye(size, dtype=dtype)


def bf16_bits(values):
    """Of values that bf16 holds."""
    return (np.asarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)


# ---- what it reads ----

VALUES = np.array([[1.0, -2.5, 0.0], [0.15625, 100.0, -0.0078125]])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "<u2", ">u2", "<u4", ">u4"])
def test_every_dtype_and_order(gemm, save, dtype, order):
    matrix = VALUES if dtype[1] == "f" else bf16_bits(VALUES)
    a = save("A", np.array(matrix.astype(dtype), order=order))
    assert (b"'fortran_order': True" in a.read_bytes()) == (order == "F")
    result, stats = gemm(a, save("B", identity(3)), "--streams", 1)
    assert result.dtype == np.float32
    assert np.array_equal(result, VALUES.astype(np.float32))
    assert stats["a"] == {"overflow": 0, "underflow": 0}


@pytest.mark.parametrize("order", ["C", "F"])
def test_bytes_are_raw_bits(gemm, save, order):
    bits = np.array([[0x38, 0xB8, 0x00], [0x7E, 0x01, 0x80]], np.uint8, order=order)  # e4m3
    result, _ = gemm(save("A", bits), save("B", identity(3)), "--config", "fp8", "--streams", 1)
    assert result.tolist() == [[1, -1, 0], [448, 2.0**-9, 0]]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_header_version(gemm, save, tmp_path, version):
    data = np.array([[1, 2], [3, 4]], "<f4")
    a = npy(tmp_path / "A.npy", "'<f4'", (2, 2), data.tobytes(), version=version)
    result, _ = gemm(a, save("B", identity(2)), "--streams", 1)
    assert np.array_equal(result, data)


@pytest.mark.parametrize("header", [
    "{'shape': (2L, 2L), 'fortran_order': False, 'descr': '<f4'}",
    '{"descr":"<f4","fortran_order":False,"shape":(2,2)}\n',
    "{ 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 2 , ) , }   \n",
])
def test_headers_that_others_write(gemm, save, tmp_path, header):
    data = np.array([[1, 2], [3, 4]], "<f4")
    a = npy(tmp_path / "A.npy", None, None, data.tobytes(), header=header)
    result, _ = gemm(a, save("B", identity(2)), "--streams", 1)
    assert np.array_equal(result, data)


def test_a_pipe(gemm, save):
    b = save("B", identity(3))
    a = save("A", VALUES.astype(np.float32))
    with open(a, "rb") as file:
        with subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            result, _ = gemm("/dev/stdin", b, "--streams", 1, stdin=cat.stdout)
    assert np.array_equal(result, VALUES.astype(np.float32))


def test_rounding_is_counted(gemm, save):
    a = np.array([[1e39, -1e300, 3.4e38, 1e-40, 5e-324, 1.00390625, 1.01171875, 0.0, np.inf]])
    result, stats = gemm(save("A", a), save("B", np.ones((9, 1))), "--streams", 1)
    assert stats["a"] == {"overflow": 3, "underflow": 2} and stats["b"] == {"overflow": 0, "underflow": 0}
    assert np.isnan(result[0, 0])  # Inf - Inf


@pytest.mark.parametrize("value, rounded", [(1.00390625, 1.0), (1.01171875, 1.015625), (1.005, 1.0078125), (3.4e38, np.inf), (1e-40, 0)])
def test_floats_are_rounded_to_nearest_even(gemm, save, value, rounded):
    result, _ = gemm(save("A", np.array([[value]])), save("B", np.ones((1, 1))))
    assert result[0, 0] == np.float32(rounded)


def test_c0_as_floats_and_as_raw_bits(gemm, save):
    a, b = save("A", np.ones((2, 3))), save("B", np.ones((3, 2)))
    c0 = np.array([[0.1, -3], [1e30, 0]], np.float32)
    floats, _ = gemm(a, b, c=save("C0", c0.astype(">f8")))
    bits, _ = gemm(a, b, c=save("C0", c0.view(np.uint32)))
    assert np.array_equal(floats, bits) and np.array_equal(floats, c0 + np.float32(3))


@pytest.mark.parametrize("m, n, k", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0), (1, 1, 1), (1, 1, 3)])
@pytest.mark.parametrize("with_c0", [False, True])
def test_small_and_empty_shapes(gemm, save, m, n, k, with_c0):
    c0 = save("C0", np.full((m, n), 0.5)) if with_c0 else None
    result, stats = gemm(save("A", np.ones((m, k))), save("B", np.ones((k, n))), c=c0)
    assert np.array_equal(result, np.full((m, n), k + 0.5 * with_c0, np.float32))
    assert (stats["m"], stats["n"], stats["k"], stats["macs"]) == (m, n, k, m * n * k)


# ---- what it writes ----

@pytest.mark.parametrize("out_format, dtype, one", [
    ("e4m3", np.uint8, 0x38), ("e2m1", np.uint8, 0x02), ("bf16", np.uint16, 0x3F80), ("e5m9", np.uint16, 0x1E00),
    ("e8m10", np.uint32, 0x1FC00), ("fp32", np.uint32, 0x3F800000),
])
def test_raw_results(gemm, save, out_format, dtype, one):
    options = ["--out-format", out_format, "--specials", "off"]
    result, _ = gemm(save("A", np.ones((1, 1))), save("B", np.ones((1, 1))), *options, "--raw")
    assert result.dtype == dtype and result.tolist() == [[one]]
    result, _ = gemm(save("A", np.ones((1, 1))), save("B", np.ones((1, 1))), *options)
    assert result.dtype == np.float32 and result.tolist() == [[1]]


def test_special_results(gemm, save):
    a, b = save("A", np.array([[np.inf], [-np.inf], [np.nan], [0.5]])), save("B", np.array([[1.0, 0.0]]))
    result, stats = gemm(a, b)
    assert np.isposinf(result[0, 0]) and np.isneginf(result[1, 0]) and np.isnan(result[:3, 1]).all()
    assert np.isnan(result[2, 0]) and result[3].tolist() == [0.5, 0]
    raw, _ = gemm(a, b, "--raw")
    assert raw.tolist()[0] == [0x7F800000, 0x7FC00000] and raw.tolist()[2] == [0x7FC00000, 0x7FC00000]
    assert stats["products"]["special"] == [6, 0]


@pytest.mark.parametrize("streams", [1, 2, 4, 8])
@pytest.mark.parametrize("policy", ["exponent", "static", "rotate", "magnitude", "high", "low"])
def test_every_product_is_counted_once(gemm, save, seed, streams, policy):
    random = np.random.default_rng(seed)
    a = random.standard_normal((5, 13)) * 2.0 ** random.integers(-9, 9, (5, 13)) * (random.random((5, 13)) < 0.8)
    result, stats = gemm(save("A", a), save("B", random.standard_normal((13, 7))), "--streams", streams, "--policy", policy)
    assert [len(stats["products"][kind]) for kind in PRODUCTS] == 5 * [streams]
    assert sum(sum(stats["products"][kind]) for kind in PRODUCTS) == stats["macs"] == 5 * 7 * 13
    assert stats["options"]["policy"] == policy and stats["options"]["streams"] == streams
    per_stream = [sum(stats["products"][kind][stream] for kind in PRODUCTS) for stream in range(streams)]
    assert per_stream == [35 * len(range(stream, 13, streams)) for stream in range(streams)]
    if policy == "high" or streams == 1:
        assert sum(stats["products"]["low"]) == 0
    elif policy == "low":
        assert sum(stats["products"]["high"]) == 0


def test_one_stream_is_the_host_chain_of_fused_multiply_adds(gemm, save, seed):
    """bf16 products are exact in float32, so the chain is a sum of float32 additions in order."""
    random = np.random.default_rng(seed)
    a = (random.standard_normal((9, 40)).astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    b = (random.standard_normal((40, 11)).astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    want = np.zeros((9, 11), np.float32)
    for k in range(40):
        want += a[:, k : k + 1] * b[k : k + 1, :]
    result, _ = gemm(save("A", a), save("B", b), "--config", "baseline")
    assert np.array_equal(result, want)


def test_a_manifest_gives_what_its_options_give(gemm, save, tmp_path, seed):
    random = np.random.default_rng(seed)
    a, b = save("A", random.standard_normal((6, 20))), save("B", random.standard_normal((20, 5)))
    options = {"streams": 4, "lo-bits": 2, "policy": "rotate", "window": 5}
    (tmp_path / "daa.json").write_text(json.dumps({"options": options}))
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    by_options, stats = gemm(a, b, *words)
    by_file, file_stats = gemm(a, b, "--config", tmp_path / "daa.json")
    assert np.array_equal(by_options, by_file) and stats == file_stats
    over, over_stats = gemm(a, b, "--policy", "high", "--config", tmp_path / "daa.json")
    assert over_stats["options"]["policy"] == "high" and not np.array_equal(over, by_file)


def test_the_same_input_gives_the_same_bytes(gemm, save, tmp_path):
    a, b = save("A", VALUES), save("B", identity(3))
    gemm(a, b)
    first = (tmp_path / "C.npy").read_bytes(), (tmp_path / "S.json").read_bytes()
    gemm(a, b)
    assert first == ((tmp_path / "C.npy").read_bytes(), (tmp_path / "S.json").read_bytes())
    assert len(first[0]) == 128 + 2 * 3 * 4


def test_an_input_may_be_the_output(daagemm, run, save):
    a, b = save("A", VALUES), save("B", identity(3))
    done = run(daagemm, "--streams", 1, "--a", a, "--b", b, "-o", a)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(a), VALUES.astype(np.float32))


def test_the_output_keeps_its_link_and_its_mode(gemm, save, tmp_path):
    place = tmp_path / "elsewhere.npy"
    place.write_bytes(b"earlier")
    place.chmod(0o640)
    (tmp_path / "C.npy").symlink_to(place)
    gemm(save("A", VALUES), save("B", identity(3)))
    assert (tmp_path / "C.npy").is_symlink() and np.load(place).shape == (2, 3)
    assert place.stat().st_mode & 0o777 == 0o640


def test_output_to_a_pipe(daagemm, save):
    words = [daagemm, "--a", save("A", VALUES), "--b", save("B", identity(3)), "-o", "/dev/stdout"]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stdout.startswith(b"\x93NUMPY") and len(done.stdout) == 128 + 24


def test_help_and_version(daagemm, run):
    shown = run(daagemm, "--help")
    assert shown.returncode == 0 and shown.stderr == ""
    for word in ("--a ", "--b ", "--c ", "-o ", "--raw", "--stats", "--config", "--lo-bits", "--policy", "magnitude", "paper", "--engine"):
        assert word in shown.stdout
    assert run(daagemm, "--version").stdout.startswith("daagemm ")


# ---- what it refuses ----

@pytest.fixture
def no(daagemm, refused, save, tmp_path):
    """Must be refused, an earlier result kept and nothing else left. Without `a` or `b`, sound ones are given."""

    def call(*options, text, status=1, a=None, b=None, c=None, out=None, **more):
        a = a or save("A", VALUES)
        b = b or save("B", identity(3))
        earlier = tmp_path / "C.npy"
        earlier.write_bytes(b"an earlier result")
        before = sorted(os.listdir(tmp_path))
        words = ["--a", a, "--b", b, "-o", out or earlier, *(["--c", c] if c else []), *options]
        line = refused(daagemm, *words, status=status, text=text, **more)
        assert line.startswith("daagemm: ")
        assert sorted(os.listdir(tmp_path)) == before and earlier.read_bytes() == b"an earlier result"

    return call


@pytest.mark.parametrize("options, text", [
    (["--frobnicate", "1"], "there is no option '--frobnicate'"),
    (["-x"], "there is no option '-x'"),
    (["--raw=1"], "--raw takes no value, and has '1'"),
    (["--rows"], "--rows has no value; it must be --rows VALUE"),
    (["stray"], "'stray' is not expected"),
    (["--rows", "0"], "rows is '0'; it must be 1..256"),
    (["--streams", "3"], "streams is '3'"),
    (["--policy", "best"], "policy is 'best'"),
    (["--lo-bits", "12"], "lo-bits is '12'"),
    (["--window", "33"], "window is '33'"),
    (["--format", "e9m3"], "format is 'e9m3'"),
    (["--acc-format", "e5m7"], "acc-format is e5m7"),
    (["--config", "nothing"], "'nothing' is neither a named configuration nor a file"),
    (["--a", ""], "--a has no value; it must be --a FILE"),
    (["--lo", "3"], "there is no option '--lo'"),
    (["--engine", "fast"], "engine is 'fast'; it must be auto, golden"),
])
def test_usage(no, options, text):
    no(*options, status=2, text=text)


@pytest.mark.parametrize("missing", ["--a", "--b", "-o"])
def test_what_is_missing(daagemm, refused, missing):
    words = [word for name in ("--a", "--b", "-o") if name != missing for word in (name, "x.npy")]
    refused(daagemm, *words, status=2, text=f"{missing} ")


def test_two_outputs_in_one_place(no, run, daagemm, tmp_path):
    no("--stats", tmp_path / "C.npy", status=2, text="is named for two outputs, -o and --stats")
    no("--stats", f"{tmp_path}/./C.npy", status=2, text="is named for two outputs, -o and --stats")
    (tmp_path / "C.npy").unlink()
    (tmp_path / "link").symlink_to(".")
    done = run(daagemm, "--a", "A.npy", "--b", "B.npy", "-o", "new", "--stats", tmp_path / "link" / "new", cwd=tmp_path)
    assert done.returncode == 2 and "is named for two outputs" in done.stderr


@pytest.mark.parametrize("data, text", [
    (b"", "is empty"),
    (b"\x93NUM", "ends inside its header"),
    (b"\x93NUMPY\x01\x00v", "ends inside its header"),
    (b"PK\x03\x04 an archive", "is not a .npy file"),
    (b"\x93NUMPY\x09\x00v\x00", "is .npy version 9.0"),
    (b"\x93NUMPY\x01\x01v\x00", "is .npy version 1.1"),
    (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "its header says it has 4294967295 bytes"),
    (b"\x93NUMPY\x01\x00v\x00{'descr'", "ends inside its header"),
])
def test_files_that_are_none(no, tmp_path, data, text):
    path = tmp_path / "bad.npy"
    path.write_bytes(data)
    no(a=path, text=text)
    no(b=path, text=text)
    no(c=path, text=text)


@pytest.mark.parametrize("header", [
    "", "{}", "[]", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)} x", "{'descr': '<f4', 'descr': '<f4', 'shape': (1, 1)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", "{'descr': '<f4\n', 'fortran_order': False, 'shape': (1, 1)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'more': 1}", "{'descr: '<f4'}", "{'descr': 4}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}\0",
])
def test_headers_that_are_none(no, tmp_path, header):
    no(a=npy(tmp_path / "bad.npy", None, None, bytes(4), header=header), text="its header is not that of a .npy file")


@pytest.mark.parametrize("descr, text", [
    ("'|b1'", "its dtype is '|b1'"), ("'|i1'", "its dtype is '|i1'"), ("'<i4'", "its dtype is '<i4'"),
    ("'<i8'", "its dtype is '<i8'"), ("'<u8'", "its dtype is '<u8'"), ("'<f16'", "its dtype is '<f16'"),
    ("'<c8'", "its dtype is '<c8'"), ("'|O'", "its dtype is '|O'"), ("'<U3'", "its dtype is '<U3'"),
    ("'|f4'", "its dtype is '|f4'"), ("''", "its dtype is ''"), ("[('x', '<f4')]", "its dtype is a structured one"),
])
def test_dtypes(no, tmp_path, descr, text):
    no(a=npy(tmp_path / "bad.npy", descr, (1, 1), bytes(16)), text=text)


@pytest.mark.parametrize("shape, text", [
    ("()", "it has 0 dimensions"), ("(3,)", "it has 1 dimension;"), ("(1, 1, 1)", "it has 3 dimensions"),
    ("(4294967296, 4294967296)", "too large"), ("(18446744073709551616, 1)", "too large"),
    ("(2305843009213693952, 1)", "too large"), ("(1048576, 1048576)", "ends inside its elements"),
    ("(2, 2)", "ends inside its elements"), ("(1, 2)", "has bytes after its 1 x 2 elements"),
    ("(0, 7)", "has bytes after its 0 x 7 elements"),
])
def test_shapes_and_lengths(no, tmp_path, shape, text):
    no(a=npy(tmp_path / "bad.npy", "'<f4'", shape, bytes(12)), text=text)


def test_shapes_that_do_not_fit(no, save):
    no(a=save("X", np.ones((2, 4))), text="A is 2 x 4 and B is 3 x 3; B must have 4 rows")
    no(c=save("X", np.ones((3, 2))), text="C0 is 3 x 2; it must be 2 x 3")


def test_a_result_that_memory_cannot_hold(no, tmp_path):
    a = npy(tmp_path / "wide.npy", "'<f4'", (2**40, 0))
    no(a=a, b=npy(tmp_path / "high.npy", "'<f4'", (0, 2**40)), text="the result must fit in memory")


def test_files_that_cannot_be_read(no, tmp_path):
    no(a=tmp_path / "missing.npy", text="missing.npy: cannot be read (No such file or directory)")
    no(b=tmp_path, text="cannot be read (Is a directory)")


def test_specials_that_are_off(no, save):
    for name in "abc":
        def given(matrix):
            return {name: save("X", matrix)}

        shape = (2, 3) if name != "b" else (3, 3)
        matrix = np.zeros(shape)
        matrix[1, 2] = np.nan
        no("--specials", "off", **given(matrix), text="element (1, 2) is nan, NaN in")
        matrix[1, 1] = -np.inf
        no("--specials", "off", **given(matrix), text="element (1, 1) is -inf, Inf in")
        matrix[0, 2] = 1e300
        no("--specials", "off", **given(matrix), text="element (0, 2) is 1e+300, Inf in")
    bits = np.zeros((2, 3), np.uint16)
    bits[1, 0] = 0xFF80
    no("--specials", "off", a=save("X", bits), text="element (1, 0) is 0xff80, Inf in bf16")
    bits[0, 0] = 0x7FC0
    no("--specials", "off", a=save("X", bits), text="element (0, 0) is 0x7fc0, NaN in bf16")


def test_numbers_that_a_format_does_not_have(no, save):
    no("--format", "e2m1", a=save("X", np.full((2, 3), np.nan)), text="element (0, 0) is NaN, which e2m1 does not have")
    no("--format", "e2m1", a=save("X", np.full((2, 3), 16, np.uint8)), text="element (0, 0) is 0x10; raw bits of e2m1 have 4 bits")
    no(a=save("X", np.full((2, 3), 0x10000, np.uint32)), text="element (0, 0) is 0x10000; raw bits of bf16 have 16 bits")


def test_places_that_cannot_be_written(no, tmp_path):
    no(out=tmp_path / "none" / "C.npy", text="cannot be written (No such file or directory)")
    no(out=tmp_path, text="cannot be written (it is a directory)")
    no(out=tmp_path / "A.npy" / "C.npy", text="cannot be written (Not a directory)")
    no("--stats", tmp_path / "none" / "S.json", text="cannot be written (No such file or directory)")
    no(out="/dev/full", text="cannot be written (No space left on device)")
    no("--stats", "/dev/full", text="cannot be written (No space left on device)")


def test_a_link_to_nothing_is_no_place(no, tmp_path):
    (tmp_path / "link.npy").symlink_to("nothing.npy")
    no(out=tmp_path / "link.npy", text="cannot be written (it is a symbolic link to what is not there)")
    no(out=f"{tmp_path}/new/", text="cannot be written (Is a directory)")


def test_names_with_control_characters(no, tmp_path):
    no(a=tmp_path / "A\n\t\x1b[31m.npy", text="A???[31m.npy: cannot be read")
    no(out=tmp_path / "none\n" / "C.npy", text="none?/C.npy: cannot be written")


@pytest.mark.parametrize("length", [250, 255])
def test_long_names(daagemm, run, save, tmp_path, length):
    """As long as the file system allows, as `touch` can make them."""
    out = tmp_path / ("c" * length)
    done = run(daagemm, "--a", save("A", VALUES), "--b", save("B", identity(3)), "-o", out)
    assert done.returncode == 0, done.stderr
    assert np.load(out).shape == (2, 3) and out.stat().st_mode == (tmp_path / "A.npy").stat().st_mode
    assert sorted(os.listdir(tmp_path)) == ["A.npy", "B.npy", out.name]


def test_a_name_that_is_too_long(no, tmp_path):
    no(out=tmp_path / ("c" * 256), text="cannot be written (File name too long)")


@pytest.mark.parametrize("word", ["--help", "--version", "--list-configs"])
def test_full_standard_output(daagemm, word):
    with open("/dev/full", "w") as full:
        done = subprocess.run([daagemm, word], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("daagemm: cannot write to standard output (No space left on device);")


def test_closed_standard_streams(daagemm, save, tmp_path):
    """None of the files takes the number of one of them."""
    words = [daagemm, "--acc-bits", "40", "--engine", "avx2", "--a", save("A", np.eye(3)), "--b", save("B", np.eye(3)), "-o",
             tmp_path / "C.npy"]
    told = subprocess.run(words, capture_output=True, text=True)
    assert told.returncode == 0 and "golden" in told.stderr
    for closed in "2>&-", "<&- >&- 2>&-":
        done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *words])
        assert done.returncode == 0 and np.array_equal(np.load(tmp_path / "C.npy"), np.eye(3))
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", daagemm, "--version"], capture_output=True, text=True)
    assert done.returncode == 1 and "cannot write to standard output (Bad file descriptor)" in done.stderr


def test_the_engine_that_ran_is_told(gemm, save):
    a, b = save("A", VALUES), save("B", identity(3))
    assert gemm(a, b, "--engine", "golden")[1]["engine"] == "golden"
    assert gemm(a, b, "--acc-bits", "40")[1]["engine"] == "golden"
    assert gemm(a, b)[1]["engine"] in ("portable", "avx2", "avx512", "avx512bf16")


def test_a_full_disk(no, save):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    no(a=save("X", np.ones((2000, 3))), text="cannot be written (File too large)", preexec_fn=limit)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_an_interrupted_run(daagemm, save, tmp_path, sent):
    a, b = save("A", np.ones((600, 3000))), save("B", np.ones((3000, 600)))
    (tmp_path / "C.npy").write_bytes(b"an earlier result")
    before = sorted(os.listdir(tmp_path))
    words = [daagemm, "--a", a, "--b", b, "-o", tmp_path / "C.npy", "--stats", tmp_path / "S.json"]

    def heard():
        signal.signal(sent, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with subprocess.Popen(words, preexec_fn=heard) as job:
        for _ in range(1000):
            if len(os.listdir(tmp_path)) == len(before) + 2:
                break
            time.sleep(0.01)
        assert len(os.listdir(tmp_path)) == len(before) + 2 and job.poll() is None
        job.send_signal(sent)
        assert job.wait(timeout=60) == -sent
    assert sorted(os.listdir(tmp_path)) == before and (tmp_path / "C.npy").read_bytes() == b"an earlier result"
