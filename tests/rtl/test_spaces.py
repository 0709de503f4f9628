"""Spaces in the path of the tree and of an emitted directory: programs are built, traced and simulated all the same."""
import os
import shutil
import subprocess

import numpy
import pytest

import arrays

# Of what is built, only what the array is made of: make then has nothing of it to make again.
BUILT = ("obj", "gen", "embed", "daagen", "daavec", "libdaa.a")


def tree_at(place):
    """The tree and what is built of it, with the times of the files."""
    def outside(directory, names):
        if directory == str(arrays.ROOT):
            return [name for name in names if name.startswith(".") or name == "build"]
        return [name for name in names if name == "__pycache__"]

    shutil.copytree(arrays.ROOT, place, ignore=outside)
    (place / "build").mkdir()
    for name in BUILT:
        source = arrays.BUILD / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, place / "build" / name)
    return place


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_a_tree_and_a_directory_with_spaces(tmp_path, inside, rng):
    arrays.make("verilated")
    tree = tree_at(tmp_path / "a new tree")
    directory = "build/an array" if inside else tmp_path / "an array"

    def call(*words, status=0):
        environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        done = subprocess.run([str(word) for word in words], cwd=tree, env=environment, capture_output=True, text=True)
        assert done.returncode == status, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    random = numpy.random.default_rng(rng.randrange(2**32))
    for name, shape in ("A", (3, 7)), ("B", (7, 2)):
        numpy.save(tree / f"{name}.npy", random.standard_normal(shape, numpy.float32))
    call("build/daagen", "--config", "tiny", "-o", directory)
    # An absolute BUILD, as Python's commands give it.
    call("make", "-s", "tb", f"DIR={directory}", "OPT=-O0", f"BUILD={tree / 'build'}")
    program = tree / directory / "daatb"
    # A second time there is nothing to do.
    before = program.stat().st_mtime_ns
    call("make", "-s", "tb", f"DIR={directory}", "OPT=-O0")
    assert program.stat().st_mtime_ns == before
    waves = ["--trace", "waves.fst"] if inside else []
    assert "equal to the golden model" in call(program, "--a", "A.npy", "--b", "B.npy", "-o", "C.npy", *waves)
    assert (tree / "waves.fst").exists() == inside
    assert "PASS" in call("make", "-s", "icarus", f"DIR={directory}", "A=A.npy", "B=B.npy")


def test_build_is_named_where_it_cannot_be(tmp_path):
    said = arrays.run("make", "-s", f"BUILD={tmp_path}/a place", "help", status=2).stderr
    assert f"BUILD is '{tmp_path}/a place'; it must be a path without spaces, or inside the tree" in said
