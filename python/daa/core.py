"""The core around the array (docs/core.md): how many cycles it takes for a job, and the Verilated core itself as a function.

`Model` is the cycle model, exact to the cycle (sim/cycles.h). `Core` runs products through the program that `make core` builds.
"""
import ctypes
import json
import pathlib
import subprocess
import tempfile
from ctypes import POINTER, Structure, byref, c_bool, c_double, c_uint32, c_uint64, c_void_p

import numpy

from ._config import Config
from ._library import Error, _declare, library


class Operand(Structure):
    """A matrix as it lies in memory. `address`, `leading` (from line to line) and `stride` (from product to product) are in bytes, `bytes`
    is an element's size (1, 2 or 4); `along`: neighbours in memory are neighbours in K."""
    _fields_ = [("address", c_uint64), ("leading", c_uint32), ("stride", c_uint32), ("bytes", c_uint32), ("along", c_bool)]


class Job(Structure):
    """What a core is asked for: `batch` products C (M x N) = C0 + A (M x K) B (K x N)."""
    _fields_ = [("m", c_uint32), ("n", c_uint32), ("k", c_uint32), ("batch", c_uint32),
                ("a", Operand), ("b", Operand), ("c0", Operand), ("c", Operand), ("has_c0", c_bool)]


class _Memory(Structure):
    _fields_ = [("latency", c_uint32), ("bandwidth", c_double)]


class _Counts(Structure):
    _fields_ = [(name, c_uint64) for name in (
        "busy", "wait_a", "wait_b", "wait_c", "steps", "read_beats", "read_bursts", "write_bursts")]


_declare("daa_cycles_new", c_void_p, c_void_p, _Memory)
_declare("daa_cycles_run", _Counts, c_void_p, POINTER(Job))
_declare("daa_cycles_free", None, c_void_p)


def _whole(address, rows, cols, size, columns=False):
    line, lines = (rows, cols) if columns else (cols, rows)
    return Operand(address, line * size, line * lines * size & 0xffffffff, size, False)


def job(m, n, k, a_bytes=2, b_bytes=2, c_bytes=4, a_columns=False, b_columns=False):
    """The job C = A B of whole matrices that lie far from each other, row-major or column-major."""
    a, b = _whole(1 << 40, m, k, a_bytes, a_columns), _whole(2 << 40, k, n, b_bytes, b_columns)
    a.along, b.along = not a_columns, b_columns
    return Job(m, n, k, 1, a, b, Operand(3 << 40, 0, 0, 4, False), _whole(4 << 40, m, n, c_bytes), False)


class Model:
    """The cycle model of a core of `config` (a Config, or a path or name for one; its core is on) behind a memory that answers after
    `latency` cycles and moves `bandwidth` bytes a cycle each way (default: what the bus has)."""

    def __init__(self, config, latency=1, bandwidth=None):
        if not isinstance(config, Config):
            config = Config(config)
        if config["core"] is not True and config["core"] != "on":
            config = config.replace(core="on")
        self.config = config
        bandwidth = int(config["bus-bits"]) / 8 if bandwidth is None else bandwidth
        if latency < 1 or not bandwidth > 0:
            raise Error(f"latency {latency}, bandwidth {bandwidth}; the first must be at least 1, the second above 0")
        self._model = library.daa_cycles_new(config._struct, _Memory(latency, bandwidth))
        if not self._model:
            raise MemoryError("no memory for the cycle model")

    def run(self, one):
        """The counters of a Job, by name: busy (cycles from its being taken to its last write's response), wait_a, wait_b, wait_c, steps,
        read_beats, read_bursts, write_bursts. The next job begins as after this one."""
        counts = library.daa_cycles_run(self._model, byref(one))
        return {name: getattr(counts, name) for name, _ in _Counts._fields_}

    def __del__(self):
        if getattr(self, "_model", None):
            library.daa_cycles_free(self._model)
            self._model = None


class Core:
    """The Verilated core in a directory that `daagen --core on` wrote and `make core` built."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.program = self.directory / "daacore"
        if not self.program.exists():
            raise Error(f"{directory} has no daacore; make core DIR={directory} builds it")
        self.config = Config(self.directory / "daa.json")

    def gemm(self, a, b, c0=None, **options):
        """(C, statistics) of the matrices or batches of matrices A (... M x K) and B (... K x N), and what C starts from. C is float32,
        and was compared with the golden model. `options` are daacore's, with `_` for `-`: latency=20, stall=0.1, a_order="columns",
        in_place=True, check=False. Statistics are those of `daacore --stats`."""
        check = options.pop("check", True)
        matrices = {"a": numpy.asarray(a, numpy.float32), "b": numpy.asarray(b, numpy.float32)}
        if c0 is not None:
            matrices["c"] = numpy.asarray(c0, numpy.float32)
        shapes = {name: matrix.shape for name, matrix in matrices.items()}
        batch = shapes["a"][:-2]
        if any(len(shape) < 2 or shape[:-2] != batch for shape in shapes.values()):
            raise Error(f"shapes {', '.join(map(str, shapes.values()))}; they must be matrices, or the same batch of them")
        words = [] if check else ["--no-check"]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            for name, matrix in matrices.items():
                numpy.save(place / f"{name}.npy", matrix.reshape(-1, matrix.shape[-1]))
                words += [f"--{name}", place / f"{name}.npy"]
            if batch:
                words += ["--batch", str(int(numpy.prod(batch)))]
            done = subprocess.run([self.program, *words, "-o", place / "result.npy", "--stats", place / "stats.json"],
                                  capture_output=True, text=True)
            if done.returncode:
                said = done.stderr.strip().splitlines()
                raise Error(said[-1] if said else f"daacore ended with status {done.returncode}")
            result = numpy.load(place / "result.npy")
            return result.reshape(*batch, shapes["a"][-2], shapes["b"][-1]), json.loads((place / "stats.json").read_text())


__all__ = ["Core", "Job", "Model", "Operand", "job"]
