"""`pip install .`: the wheel has the library in it and works away from the tree; what is missing is named."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from reference import ROOT, judge, numbers  # noqa: F401
import daa

SOURCES = ["pyproject.toml", "setup.py", "MANIFEST.in", "Makefile", "LICENSE", "python", "config", "sim", "engine"]
OFFLINE = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check"]


def copy_of_project(place):
    """What is needed to install, as it is now, without anything built."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info"))
        else:
            shutil.copy2(source, place)
    (place / "docs").mkdir()
    shutil.copy2(ROOT / "docs" / "python.md", place / "docs")
    return place


def pip(*words, **environment):
    clean = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "PYTHONPATH", "CC", "CFLAGS")
    }
    return subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words)],
        capture_output=True,
        text=True,
        cwd="/",
        env={**clean, **environment},
    )


CHECK = """
import sys, numpy, daa, daa.torch, torch
a, b = (numpy.load(path) for path in sys.argv[1:3])
numpy.save(sys.argv[3], daa.gemm(a, b, config=daa.Config("quad")))
layer = daa.torch.convert(torch.nn.Linear(3, 2), daa.Config())
layer(torch.ones(1, 3)).sum().backward()
print(daa.__file__, daa.__version__, *daa.engines())
"""


@pytest.mark.early
@pytest.mark.parametrize("from_sdist", [False, pytest.param(True, marks=pytest.mark.long)], ids=["copy", "sdist"])
def test_the_wheel_works_away_from_the_tree(judge, numbers, tmp_path, from_sdist):
    place = copy_of_project(tmp_path)
    if from_sdist:
        made = subprocess.run(
            [sys.executable, "setup.py", "-q", "sdist", "-d", tmp_path], cwd=place, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
        place = tmp_path / f"daa-{daa.__version__}.tar.gz"
    done = pip("install", *OFFLINE, "--target", tmp_path / "site", place)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in SOURCES[5:]:
        shutil.rmtree(tmp_path / name)
    (wheel,) = (tmp_path / "site").glob("daa-*.dist-info/WHEEL")
    assert f"Tag: py3-none-{os.uname().sysname.lower()}_{os.uname().machine}\n" in wheel.read_text()
    metadata = (wheel.parent / "METADATA").read_text()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert [line.split()[1].split(">")[0].strip("(") for line in required] == [
        "numpy",
        "torch",
    ] and "extra" in required[1]

    paths = [tmp_path / f"{name}.npy" for name in "abc"]
    a, b = (numbers.standard_normal(shape).astype(np.float32) for shape in ((9, 31), (31, 8)))
    np.save(paths[0], a)
    np.save(paths[1], b)
    ran = subprocess.run(
        [sys.executable, "-c", CHECK, *paths],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "site")},
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [str(tmp_path / "site/daa/__init__.py"), daa.__version__, *daa.engines()]
    assert np.array_equal(np.load(paths[2]), judge(daa.Config("quad"), a, b)[0])


@pytest.mark.parametrize(
    "compiler, text",
    [
        (None, "error: libdaa needs nowhere-cc to be built; install it (Debian packages make, gcc, libc6-dev)"),
        pytest.param(
            "echo 'config/json.c:1:10: fatal error: jansson.h: No such file or directory' >&2; exit 1",
            "error: libdaa needs the library jansson and its header; install them (Debian package libjansson-dev)",
            marks=pytest.mark.long,
        ),
        pytest.param("echo 'something else' >&2; exit 1", "something else", marks=pytest.mark.long),
    ],
    ids=["compiler", "jansson", "other"],
)
def test_what_is_missing_is_named(tmp_path, compiler, text):
    command = "nowhere-cc"
    if compiler:
        command = tmp_path / "cc"
        command.write_text(f"#!/bin/sh\n{compiler}\n")
        command.chmod(0o755)
    (tmp_path / "copy").mkdir()
    done = pip("wheel", *OFFLINE, "-w", tmp_path, copy_of_project(tmp_path / "copy"), CC=str(command))
    assert done.returncode != 0 and not list(tmp_path.glob("*.whl"))
    assert text in [line.strip() for line in (done.stdout + done.stderr).splitlines()]


@pytest.mark.long
def test_the_printed_commands_install(tmp_path):
    """docs/python.md's commands, as printed, with nothing but what is on this machine."""
    place = copy_of_project(tmp_path)
    (block,) = re.findall(r"^```sh\n(python3 .*?)^```", (ROOT / "docs" / "python.md").read_text(), re.M | re.S)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "false",  # which says that there is none
    }
    done = subprocess.run(["sh", "-ec", block], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    import_it = [place / "build/venv/bin/python", "-c", "import daa.torch; print(daa.__file__)"]
    ran = subprocess.run(import_it, cwd="/", env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"{place}/build/venv/lib/")
