"""The GPU's kernels on this processor: gpu.cuh compiled by g++, called through ctypes."""
import ctypes
import functools
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "python"))
import daa  # noqa: E402, F401
from daa import _gpu  # noqa: E402

needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="the emulation needs g++")


@functools.lru_cache(maxsize=None)
def compiled(words):
    """The library for macros, as a tuple of items."""
    with tempfile.TemporaryDirectory() as directory:
        library = pathlib.Path(directory, "emulated.so")
        subprocess.run(["g++", "-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC",
                        *(f"-D{name}={value}" for name, value in words), ROOT / "tests/gpu/emulated.cpp", "-o", library],
                       check=True)
        return ctypes.CDLL(str(library))


def launch(device, words, name, blocks, threads, shared, *arguments):
    """In place of _gpu._launch(), on memory of the host."""
    library = compiled(tuple(words.items()))
    if name == "daa_gemm":
        library.emulate_gemm(ctypes.byref(*arguments), blocks, threads, shared)
    elif name == "daa_count":
        library.emulate_count(ctypes.byref(arguments[0]), arguments[1])
    else:
        library.emulate_quantize(*arguments)


class Emulated:
    """One configuration with one tile."""

    def __init__(self, config, shape, a_type="float32", b_type="float32", a_k_fast=True, b_k_fast=False):
        self.config, self.shape, self.types = config, shape, (a_type, b_type)
        self.words = _gpu.macros(config, a_type, b_type, a_k_fast, b_k_fast, shape)
        self.k_fast = a_k_fast, b_k_fast

    def _matrix(self, x, lane, k, kept):
        """A (batch, lane, K) matrix or (batch, K, lane), with the dimension last that is to be."""
        memory = np.ascontiguousarray(np.moveaxis(x, lane, 1) if self.k_fast[len(kept)] else np.moveaxis(x, k, 1))
        kept.append(memory)
        size = memory.itemsize
        steps = [step // size for step in memory.strides]
        lane_step, k_step = (steps[1], steps[2]) if self.k_fast[len(kept) - 1] else (steps[2], steps[1])
        vector = k_step == 1 and x.shape[k] % 4 == 0 and memory.ctypes.data % (4 * size) == 0
        return _gpu.Matrix(memory.ctypes.data, lane_step * size, steps[0] * size, k_step * size, int(vector))

    def problem(self, a, b, c0, kept):
        batch, m, k = a.shape
        n = b.shape[2]
        c = np.full((batch, m, n), np.nan, np.float32)
        kept_matrices = []
        p = _gpu.Problem(self._matrix(a, 1, 2, kept_matrices), self._matrix(b, 2, 1, kept_matrices),
                         None if c0 is None else c0.ctypes.data, n, 1, m * n, c.ctypes.data, m, n, k, None)
        kept += [*kept_matrices, c]
        return p, c

    def gemm(self, a, b, c0=None):
        kept = []
        p, c = self.problem(a, b, c0, kept)
        launch(None, self.words, "daa_gemm", _gpu.blocks_of(self.shape, p.m, p.n, len(a)), _gpu.threads_of(self.shape),
               self.words["SHARED_BYTES"], p)
        return c

    def count(self, a, b):
        kept, counts = [], np.zeros((5, 8), np.uint64)
        p, c = self.problem(a, b, None, kept)
        p.counts = counts.ctypes.data
        launch(None, self.words, "daa_count", c.size, 1, 0, p, ctypes.c_longlong(c.size))
        return counts

    def quantize(self, x):
        out = np.empty_like(x)
        launch(None, self.words, "daa_quantize", x.size, 1, 0, ctypes.c_void_p(x.ctypes.data),
               ctypes.c_void_p(out.ctypes.data), ctypes.c_longlong(x.size))
        return out
