"""`make install`: a program that knows only pkg-config compiles, links and runs against either library."""
import shutil
import subprocess

import pytest

PROGRAM = r"""
#include <engine.h>
#include <stdio.h>

int main(void) {
    struct daa_error error;
    struct daa_config config;
    struct daa_options *options = daa_options_new();
    if (!daa_options_resolve(options, DAA_SOFTWARE, &config, &error))
        return 1;
    daa_options_free(options);
    const float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {1, 2, 3, 4, 5, 6};
    float c[4];
    struct daa_gemm_args args = {.config = &config, .m = 2, .n = 2, .k = 3, .batch = 1,
                                 .a = {a, DAA_FLOAT32, false, 3, 0}, .b = {b, DAA_FLOAT32, true, 3, 0},
                                 .c = {c, DAA_FLOAT32, 2, 0}};
    if (daa_gemm_run(&args, NULL, &error) != DAA_OK)
        return 1;
    printf("%g %g %g %g\n", c[0], c[1], c[2], c[3]);
    args.a.ld = 2;
    printf("%d %s\n", daa_gemm_run(&args, NULL, &error), error.text);
    return 0;
}
"""


@pytest.fixture(scope="module")
def prefix(root, tmp_path_factory):
    where = tmp_path_factory.mktemp("prefix")
    done = subprocess.run(["make", "-s", "install", f"PREFIX={where}"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return where


@pytest.mark.parametrize("static", [False, True])
def test_a_program_builds_and_runs(prefix, tmp_path, static):
    if not shutil.which("pkg-config"):
        pytest.skip("there is no pkg-config")
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    ask = ["pkg-config", "--cflags", "--libs"] + (["--static"] if static else [])
    flags = subprocess.run(ask + ["daa"], env={"PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig", "PATH": "/usr/bin:/bin"},
                           capture_output=True, text=True, check=True).stdout.split()
    if static:
        flags = [f"{prefix}/lib/libdaa.a" if flag == "-ldaa" else flag for flag in flags]
    made = subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", source, *flags, "-o", tmp_path / "program"],
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    ran = subprocess.run([tmp_path / "program"], env={"LD_LIBRARY_PATH": f"{prefix}/lib"}, capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout == "14 32 32 77\n1 the leading dimension of A is 2; it must be at least 3\n"


def test_the_shared_library_has_its_name(prefix):
    shown = subprocess.run(["readelf", "-d", prefix / "lib/libdaa.so"], capture_output=True, text=True).stdout
    assert "soname: [libdaa.so.0]" in shown
