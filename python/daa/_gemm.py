"""Matrix products by the contract, on the memory that the arrays already have."""
import ctypes
import warnings

import numpy

from ._config import Config
from ._library import STREAMS_MAX, Args, CountsStruct, Error, Matrix, Message, Report, Result, byref, library

_FLOAT32, _BITS32, _BITS16 = 0, 1, 2  # enum daa_type
_ENGINES = ("auto", "golden", "portable", "avx2", "avx512", "avx512bf16")
_RAW_TENSORS = {"bfloat16": "bf16", "float16": "fp16"}  # dtypes that are an operand format's own bits


class Counts:
    """Products of each stream, over the M*N*K products of every `gemm` it was given to (contract, sections 3 to 6): summed
    exactly (`high`), as low values (`low`), with a zero operand (`zero`), below the window (`dropped`), with an Inf or a
    NaN (`special`). Each is a list of integers, one a stream."""

    def __init__(self):
        self.struct = CountsStruct()

    def __getattr__(self, name):
        if name in dict(CountsStruct._fields_):
            return list(getattr(self.struct, name))
        raise AttributeError(name)

    def as_dict(self, streams=STREAMS_MAX):
        """{"high": [...], ...} of the first `streams` streams."""
        return {name: getattr(self, name)[:streams] for name, _ in CountsStruct._fields_}


def engines():
    """The names of the engines that this processor has."""
    return [name for name in _ENGINES if library.daa_engine_present(_engine(name))]


def _engine(name):
    engine = ctypes.c_int()
    if not library.daa_engine_parse(name.encode(), byref(engine)):
        raise Error(f"there is no engine '{name}'; it must be one of {', '.join(_ENGINES)}")
    return engine.value


# ---- arrays ----

def _is_tensor(array):
    return type(array).__module__.split(".")[0] == "torch" or hasattr(array, "detach")


def _as_numpy(name, array):
    """The same memory as a NumPy array; raw 16-bit floats of torch as uint16, with the name of their format."""
    if not _is_tensor(array):
        array = numpy.asarray(array)
        dtype = str(array.dtype)
        raw = _RAW_TENSORS.get(dtype)
        return (array.view(numpy.uint16), raw) if raw else (array, None)
    import torch
    if array.device.type != "cpu" or array.layout != torch.strided:
        raise Error(f"{name} is a tensor on {array.device}, {array.layout}; it must be dense and on the CPU")
    if array.requires_grad and torch.is_grad_enabled():
        raise Error(f"{name} requires a gradient, which gemm() does not have; use detach(), or the layers of daa.torch")
    raw = _RAW_TENSORS.get(str(array.dtype).split(".")[-1])
    return array.detach().view(torch.int16).numpy().view(numpy.uint16) if raw else array.detach().numpy(), raw


def _operand(name, array, format_name):
    """A NumPy array and its enum daa_type."""
    array, raw = _as_numpy(name, array)
    if array.ndim < 2:
        raise Error(f"{name} has {array.ndim} dimensions; a matrix has two, a batch of them more")
    if raw:
        if raw != format_name:
            raise Error(f"{name} is {raw}, and its operand format is {format_name}; give float32, which is rounded to it")
        return array, _BITS16
    if array.dtype == numpy.float32:
        return array, _FLOAT32
    raise Error(f"{name} is {array.dtype}; it must be float32 (or the raw bits of its format: bfloat16, float16)")


def _batched(array, lead):
    """(matrices, rows, cols), without a copy where the strides allow; one matrix stands for the whole batch."""
    rows, cols = array.shape[-2:]
    if numpy.prod(array.shape[:-2], dtype=int) == 1:
        return array.reshape(1, rows, cols)
    return numpy.broadcast_to(array, lead + (rows, cols)).reshape(-1, rows, cols)


def _layout(array):
    """(transposed, leading dimension) of the matrices in a batch, or None where BLAS has no name for their strides."""
    _, rows, cols = array.shape
    size = array.itemsize
    if any(stride % size for stride in array.strides) or (array.shape[0] > 1 and array.strides[0] < 0):
        return None
    row, col = array.strides[1] // size, array.strides[2] // size
    if (col == 1 or cols <= 1) and (row >= cols or rows <= 1):
        return False, max(row, cols) if rows > 1 else cols
    if (row == 1 or rows <= 1) and (col >= rows or cols <= 1):
        return True, max(col, rows) if cols > 1 else rows
    return None


def _describe(array, transposable=True):
    """The array (a copy of it only where its strides fit no layout), leading dimension, and stride of a batch."""
    layout = _layout(array) if array.dtype.isnative else None
    if layout is None or (layout[0] and not transposable):
        array = numpy.ascontiguousarray(array, array.dtype.newbyteorder("="))
        layout = False, max(array.shape[2], 1)
    stride = array.strides[0] // array.itemsize if array.shape[0] > 1 else 0
    return array, layout[0], layout[1], stride


def _matrix(array, kind, transposable=True):
    array, transposed, ld, stride = _describe(array, transposable)
    return array, Matrix(array.ctypes.data if array.size else None, kind, transposed, ld, stride)


# ---- the product ----

def gemm(a, b, c0=None, *, config=Config(), out=None, engine="auto", threads=0, counts=None):
    """A B + C0 by the contract: bit for bit what the golden model and the emitted array give.

    a: (..., M, K), b: (..., K, N), c0: (..., M, N); NumPy arrays or CPU tensors of any strides, float32 (rounded to the
    operand format by contract section 1) or, for the formats bf16 and fp16, bfloat16 and float16. Leading dimensions
    broadcast. c0 is float32 and rounded to the accumulator format. Returns float32, which holds every result exactly,
    of the kind that `a` is; `out` is a C-contiguous float32 array or tensor to fill instead.

    engine: one of `engines()`. threads: 0 is one a processor. counts: a `Counts` to add to.
    Raises Error for shapes, dtypes, an engine that the processor does not have, and operands that the configuration
    refuses (NaN in a finite format, Inf or NaN without specials). Warns once where a slower engine had to take over.
    """
    x, a_type = _operand("a", a, config.a_format)
    y, b_type = _operand("b", b, config.b_format)
    m, k = x.shape[-2:]
    if y.shape[-2] != k:
        raise Error(f"a is {m} x {k} and b is {y.shape[-2]} x {y.shape[-1]}; b must have {k} rows")
    n = y.shape[-1]
    try:
        lead = numpy.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise Error(f"the batches of a and b are {x.shape[:-2]} and {y.shape[:-2]}; they must broadcast") from None
    shape = lead + (m, n)
    batch = int(numpy.prod(lead, dtype=int))
    x, a_matrix = _matrix(_batched(x, lead), a_type)
    y, b_matrix = _matrix(_batched(y, lead), b_type)
    start, c0_matrix = _start(c0, lead, shape)
    result = _result(out, shape)
    args = Args(ctypes.addressof(config._struct), m, n, k, batch, a_matrix, b_matrix, c0_matrix,
                Result(result.ctypes.data if result.size else None, _FLOAT32, max(n, 1), m * n), _engine(engine), threads,
                ctypes.pointer(counts.struct) if counts is not None else None)
    report, message = Report(), Message()
    if library.daa_gemm_run(byref(args), byref(report), byref(message)) != 0:
        raise message.error()
    if report.reason:
        warnings.warn(f"{report.reason.decode()} ({config})", RuntimeWarning, stacklevel=2)
    if out is not None:
        return out
    if _is_tensor(a):
        import torch
        return torch.from_numpy(result)
    return result


def _start(c0, lead, shape):
    if c0 is None:
        return None, Matrix(None, _FLOAT32, False, 1, 0)
    array, _ = _as_numpy("c0", c0)
    if array.dtype != numpy.float32:
        raise Error(f"c0 is {array.dtype}; it must be float32")
    try:
        array = numpy.broadcast_to(array, shape[len(lead) - max(array.ndim - 2, 0):] if array.ndim > 1 else shape[-2:])
        return _matrix(_batched(array, lead), _FLOAT32, transposable=False)
    except ValueError:
        raise Error(f"c0 is {array.shape}; it must broadcast to {shape}") from None


def _result(out, shape):
    if out is None:
        return numpy.empty(shape, numpy.float32)
    array, _ = _as_numpy("out", out)
    if array.dtype != numpy.float32 or array.shape != shape or not array.flags.c_contiguous or not array.flags.writeable:
        raise Error(f"out is {array.dtype} {array.shape}; it must be float32 {shape}, C-contiguous and writeable")
    return array


def quantize(x, format):
    """The values that an operand format ("bf16", "e4m3", "eXmY", ...) gives to x, as float32: rounded to nearest even,
    subnormals as the format has them (contract, section 1). A NaN is an error in a format that has none."""
    array, raw = _as_numpy("x", x)
    if raw or array.dtype != numpy.float32:
        raise Error(f"x is {raw or array.dtype}; it must be float32")
    array = numpy.ascontiguousarray(array)
    result, message = numpy.empty_like(array), Message()
    if not library.daa_quantize(format.encode(), array.size, array.ctypes.data, result.ctypes.data, byref(message)):
        raise message.error()
    if _is_tensor(x):
        import torch
        return torch.from_numpy(result)
    return result
