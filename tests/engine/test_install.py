"""`make install`: a program that knows only pkg-config compiles, links and runs against either library."""
import os
import re
import shutil
import subprocess

import pytest

# Worked out by hand from the contract: lo-bits 3, so 0.8125 is 0.75 where it is low.
PRINTED = """\
C[0][0] = 4.625, exact 4.60156
C[0][1] = 4.71875, exact 4.75391
C[0][2] = 13.5, exact 13.4531
C[1][0] = 4.4375, exact 4.4375
C[1][1] = -2.90625, exact -2.89844
C[1][2] = -3.375, exact -3.5
stream 0: high 7, low 5, zero 0, dropped 0
stream 1: high 5, low 4, zero 3, dropped 0
"""


@pytest.fixture(scope="module")
def prefix(root, tmp_path_factory):
    where = tmp_path_factory.mktemp("prefix")
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "CFLAGS")}
    done = subprocess.run(["make", "-s", "install", f"PREFIX={where}"], cwd=root, env=env, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return where


@pytest.mark.parametrize("static", [False, True])
def test_the_example_builds_and_runs(root, prefix, tmp_path, static):
    if not shutil.which("pkg-config"):
        pytest.skip("there is no pkg-config")
    ask = ["pkg-config", "--cflags", "--libs"] + (["--static"] if static else [])
    flags = subprocess.run(ask + ["daa"], env={"PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig", "PATH": "/usr/bin:/bin"},
                           capture_output=True, text=True, check=True).stdout.split()
    if static:
        flags = [f"{prefix}/lib/libdaa.a" if flag == "-ldaa" else flag for flag in flags]
    made = subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror",
                           root / "examples/gemm.c", *flags, "-o", tmp_path / "gemm"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    ran = subprocess.run([tmp_path / "gemm"], env={} if static else {"LD_LIBRARY_PATH": f"{prefix}/lib"},
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    printed, engine = ran.stdout.split("engine ")
    assert printed == PRINTED
    assert engine.strip() in ("portable", "avx2", "avx512", "avx512bf16")


def test_the_api_is_documented(root, prefix):
    """docs/api.md names every public function, and no other."""
    headers = "".join(header.read_text() for header in (prefix / "include/daa").glob("*.h"))
    public = set(re.findall(r"^\w[\w ]*[ *](daa_\w+)\(", headers, re.MULTILINE))
    named = set(re.findall(r"\b(daa_\w+)\(", (root / "docs/api.md").read_text()))
    assert len(public) > 30 and named == public


def test_the_shared_library_exports_what_the_headers_declare(prefix):
    headers = "".join(header.read_text() for header in (prefix / "include/daa").glob("*.h"))
    symbols = subprocess.run(["nm", "-D", "--defined-only", prefix / "lib/libdaa.so"], capture_output=True, text=True,
                             check=True).stdout
    exported = {line.split()[2] for line in symbols.splitlines()}
    assert exported == set(re.findall(r"^\w[\w ]*[ *](daa_\w+)\(", headers, re.MULTILINE))


def test_headers_serve_cpp(prefix, tmp_path):
    source = tmp_path / "use.cpp"
    source.write_text("#include <daa/engine.h>\nint main() { return daa_engine_present(DAA_ENGINE_GOLDEN) ? 0 : 1; }\n")
    made = subprocess.run(["g++", "-Wall", "-Wextra", "-Werror", f"-I{prefix}/include", source, f"{prefix}/lib/libdaa.so",
                           "-o", tmp_path / "use"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert subprocess.run([tmp_path / "use"], env={"LD_LIBRARY_PATH": f"{prefix}/lib"}).returncode == 0


def test_the_shared_library_has_its_name(prefix):
    shown = subprocess.run(["readelf", "-d", prefix / "lib/libdaa.so"], capture_output=True, text=True).stdout
    assert "soname: [libdaa.so.0]" in shown
