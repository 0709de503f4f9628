"""The cycle model of the core (sim/cycles.h) from Python, without the package: ctypes on build/libdaa.so."""
import ctypes


class Matrix(ctypes.Structure):
    """As it lies in memory: bytes from line to line, from product to product, of an element; along: K is contiguous."""
    _fields_ = [("address", ctypes.c_uint64), ("leading", ctypes.c_uint32), ("stride", ctypes.c_uint32),
                ("bytes", ctypes.c_uint32), ("along", ctypes.c_bool)]


class Job(ctypes.Structure):
    _fields_ = [("m", ctypes.c_uint32), ("n", ctypes.c_uint32), ("k", ctypes.c_uint32), ("batch", ctypes.c_uint32),
                ("a", Matrix), ("b", Matrix), ("c0", Matrix), ("c", Matrix), ("has_c0", ctypes.c_bool)]


class Memory(ctypes.Structure):
    _fields_ = [("latency", ctypes.c_uint32), ("bandwidth", ctypes.c_double)]


class Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "busy", "wait_a", "wait_b", "wait_c", "steps", "read_beats", "read_bursts", "write_bursts")]


def matrix(address, rows, cols, count, columns=False):
    """A whole ROWS x COLS matrix of elements of COUNT bytes, row-major or column-major."""
    line, lines = (rows, cols) if columns else (cols, rows)
    return Matrix(address, line * count, line * lines * count & 0xffffffff, count, False)


def job(m, n, k, a_bytes=2, b_bytes=2, c_bytes=4, a_columns=False, b_columns=False):
    """C = A B of whole matrices, far from each other."""
    a, b = matrix(1 << 40, m, k, a_bytes, a_columns), matrix(2 << 40, k, n, b_bytes, b_columns)
    a.along, b.along = not a_columns, b_columns
    return Job(m, n, k, 1, a, b, Matrix(3 << 40, 0, 0, 4, False), matrix(4 << 40, m, n, c_bytes), False)


class Core:
    """A core of these options (without dashes: {"rows": 8, "config": "safe2"}) behind a memory."""

    def __init__(self, library, options, latency, bandwidth=None):
        daa = self.daa = ctypes.CDLL(str(library))
        for name in ("daa_options_new", "daa_cycles_new"):
            getattr(daa, name).restype = ctypes.c_void_p
        daa.daa_config_size.restype = ctypes.c_size_t
        daa.daa_cycles_run.restype = Counts
        self.config = ctypes.create_string_buffer(daa.daa_config_size())
        error = ctypes.create_string_buffer(512)
        chosen = ctypes.c_void_p(daa.daa_options_new())
        good = True
        for name, value in {"core": "on", **options}.items():
            call = [daa.daa_options_load, chosen] if name == "config" else [daa.daa_options_set, chosen, name.encode()]
            good = good and call[0](*call[1:], str(value).encode(), error)
        good = good and daa.daa_options_resolve(chosen, 0, self.config, error)
        daa.daa_options_free(chosen)
        if not good:
            raise ValueError(error.value.decode())
        bandwidth = bandwidth or int(options.get("bus-bits", 128)) / 8
        self.model = ctypes.c_void_p(daa.daa_cycles_new(self.config, Memory(latency, bandwidth)))

    def run(self, one):
        counts = self.daa.daa_cycles_run(self.model, ctypes.byref(one))
        return {name: getattr(counts, name) for name, _ in Counts._fields_}

    def __del__(self):
        if getattr(self, "model", None):
            self.daa.daa_cycles_free(self.model)
