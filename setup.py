"""Builds libdaa by the Makefile and puts it beside the Python package, in a wheel of this platform."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70.1 the package wheel had it
    from wheel.bdist_wheel import bdist_wheel

ROOT = pathlib.Path(__file__).resolve().parent
BUILD = ROOT / "build" / "python"


def make_library(place):
    """libdaa.so at PLACE, from objects of its own, so that a build by hand beside it is left alone."""
    compiler = os.environ.get("CC", "gcc")
    for command in ("make", compiler.split()[0]):
        if not shutil.which(command):
            raise CompileError(f"libdaa needs {command} to be built; install it (Debian packages make, gcc, libc6-dev)")
    with tempfile.TemporaryDirectory() as objects:
        # WARN: this compiler's warnings are no errors. CFLAGS goes by the environment, for the Makefile to add to.
        words = [
            "make",
            "-s",
            f"-j{os.cpu_count() or 1}",
            f"BUILD={objects}",
            f"CC={compiler}",
            "WARN=-std=c11",
            f"{objects}/libdaa.so",
        ]
        made = subprocess.run(
            words,
            cwd=ROOT,
            env={**os.environ, "CFLAGS": f"-O2 {os.environ.get('CFLAGS', '')}"},
            stderr=subprocess.PIPE,
            text=True,
        )
        if re.search(r"jansson\.h|-ljansson", made.stderr):
            raise CompileError(
                "libdaa needs the library jansson and its header; install them (Debian package libjansson-dev)"
            )
        if made.returncode:
            raise CompileError(f"libdaa could not be built:\n{made.stderr}")
        shutil.copy2(f"{objects}/libdaa.so", place)


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if not self.editable_mode:  # in the tree the package takes the library from build/
            make_library(pathlib.Path(self.build_lib, "daa", "libdaa.so"))


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        """Any Python 3, this platform: the library is called through ctypes."""
        return "py3", "none", super().get_tag()[2]


class PlatformDistribution(Distribution):
    def has_ext_modules(self):
        return True


BUILD.mkdir(parents=True, exist_ok=True)
setup(
    options={"build": {"build_base": str(BUILD)}, "egg_info": {"egg_base": str(BUILD)}},
    version=re.search(r'#define DAA_VERSION "(.*)"', (ROOT / "config/config.h").read_text())[1],
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel},
    distclass=PlatformDistribution,
)
