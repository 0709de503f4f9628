"""Matrix products by the contract, on the memory that the arrays already have."""
import ctypes
import operator
import sys
import warnings

import numpy

from . import _gpu
from ._config import Config
from ._library import STREAMS_MAX, Args, CountsStruct, Error, Matrix, Message, Report, Result, byref, library

_FLOAT32, _BITS16 = 0, 2  # enum daa_type
_ENGINES = ("auto", "golden", "portable", "avx2", "avx512", "avx512bf16")
DEVICES = ("cpu", "cuda")  # that have an engine
_OWN_DTYPE = {"bf16": "bfloat16", "fp16": "float16"}  # operand format -> dtype that is its raw bits


class Counts:
    """Products of each stream, over the M*N*K products of every `gemm` it was given to (contract, sections 3 to 6):
    summed exactly (`high`), as low values (`low`), with a zero operand (`zero`), below the window (`dropped`), with an
    Inf or a NaN (`special`). Each is a list of integers, one a stream."""

    def __init__(self):
        self.struct = CountsStruct()

    def __getattr__(self, name):
        if name in dict(CountsStruct._fields_):
            return list(getattr(self.struct, name))
        raise AttributeError(name)

    def as_dict(self, streams=STREAMS_MAX):
        """{"high": [...], ...} of the first `streams` streams."""
        return {name: getattr(self, name)[:streams] for name, _ in CountsStruct._fields_}

    def __repr__(self):
        return f"daa.Counts({self.as_dict()})"


def engines():
    """The names of the engines that this processor has."""
    return [name for name in _ENGINES if library.daa_engine_present(_engine(name))]


def _engine(name):
    engine = ctypes.c_int()
    if not library.daa_engine_parse(str(name).encode(), byref(engine)):
        raise Error(f"there is no engine '{name}'; it must be one of {', '.join(_ENGINES)}")
    return engine.value


# ---- arrays ----

def _is_tensor(array):
    torch = sys.modules.get("torch")  # without it there are no tensors
    return torch is not None and isinstance(array, torch.Tensor)


def _of_tensor(name, tensor):
    """A tensor's memory as a NumPy array; of bfloat16, which NumPy does not know, as uint16."""
    import torch
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        raise Error(f"{name} is a tensor on {tensor.device}, {tensor.layout}; it must be dense and on the CPU, or all of "
                    "them on one NVIDIA GPU")
    if tensor.requires_grad and torch.is_grad_enabled():
        raise Error(f"{name} requires a gradient, which gemm() does not have; use detach(), or the layers of daa.torch")
    tensor = tensor.detach().resolve_neg()
    return tensor.view(torch.int16).numpy().view(numpy.uint16) if tensor.dtype == torch.bfloat16 else tensor.numpy()


def _operand(name, array, format_name=None):
    """An input's memory as a NumPy array, and its enum daa_type: float32, or raw bits of the format."""
    if not _is_tensor(array):
        array = numpy.asarray(array)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
    dtype, own = str(array.dtype).split(".")[-1], _OWN_DTYPE.get(format_name)
    if dtype not in ("float32", own):
        raise Error(f"{name} is {dtype}; it must be float32{f' or {own}' if own else ''}")
    memory = _of_tensor(name, array) if _is_tensor(array) else array
    return (memory, _FLOAT32) if dtype == "float32" else (memory.view(numpy.uint16), _BITS16)


def _layout(array):
    """(transposed, leading dimension) of the matrices in a batch, or None where BLAS has no name for their strides."""
    batch, rows, cols = array.shape
    size = array.itemsize
    if not array.flags.aligned or any(stride % size for stride in array.strides):
        return None
    if batch > 1 and array.strides[0] < 0:
        return None
    row, col = array.strides[1] // size, array.strides[2] // size
    if (col == 1 or cols <= 1) and (row >= cols or rows <= 1):
        return False, max(row, cols) if rows > 1 else cols
    if (row == 1 or rows <= 1) and (col >= rows or cols <= 1):
        return True, max(col, rows) if cols > 1 else rows
    return None


def _matrix(array, shape, kind, transposable=True):
    """The array broadcast to the shape (..., rows, cols) as a batch of matrices for the library, and what owns their
    memory: the array, or a copy where the strides fit no layout. A matrix that stands for the whole batch stays one."""
    batch = int(numpy.prod(shape[:-2], dtype=int))
    array = numpy.broadcast_to(array, shape).reshape(batch, *shape[-2:])
    if array.strides[0] == 0:
        array = array[:1]
    layout = _layout(array)
    if layout is None or (layout[0] and not transposable):
        array, layout = numpy.array(array, order="C"), (False, shape[-1])
    stride = array.strides[0] // array.itemsize if len(array) > 1 else 0
    return Matrix(array.ctypes.data if array.size else None, kind, *layout, stride), array


def _result(out, shape):
    if out is None:
        return numpy.empty(shape, numpy.float32)
    if not _is_tensor(out) and not isinstance(out, numpy.ndarray):
        raise Error(f"out is a {type(out).__name__}; it must be a NumPy array or a tensor")
    array = _of_tensor("out", out) if _is_tensor(out) else out
    if array.dtype != numpy.float32 or array.shape != shape or not array.flags.carray:
        raise Error(
            f"out is {out.dtype} {array.shape}; it must be float32 {shape}, C-contiguous, aligned and writeable")
    return array


# ---- the product ----

def gemm(a, b, c0=None, *, config=Config(), out=None, engine="auto", threads=0, counts=None):
    """A B + C0 by the contract: bit for bit what the golden model and the emitted array give.

    a: (..., M, K), b: (..., K, N); NumPy arrays or tensors of any strides, on the CPU or all on one NVIDIA GPU
    (docs/gpu.md); float32 (rounded to the operand format by contract section 1) or, for the formats bf16 and fp16,
    bfloat16 and float16. Leading dimensions broadcast. c0: broadcasts to (..., M, N), float32, rounded to the accumulator
    format. Returns float32, which holds every result exactly, of the kind that `a` is; `out` is a C-contiguous float32
    array or tensor to fill instead. It may be c0, and may overlap a and b, which are then copied. On the CPU they are
    copied as well where their strides are not those of a BLAS matrix.

    engine: one of `engines()`; "auto" for tensors on a GPU. threads: 0 is one a processor. counts: a `Counts` to add to.
    Raises Error for shapes, dtypes, an engine that the processor does not have, and operands that the configuration
    refuses (NaN in a finite format, Inf or NaN without specials). Warns once where a slower engine had to take over.
    """
    if not isinstance(config, Config):
        raise Error(f"config is {config!r}; it must be a daa.Config")
    if any(_gpu.is_on_gpu(array) for array in (a, b, c0, out)):
        return _gpu.gemm(a, b, c0, config, out, engine, counts)
    x, a_type = _operand("a", a, config.a_format)
    y, b_type = _operand("b", b, config.b_format)
    for name, array in (("a", x), ("b", y)):
        if array.ndim < 2:
            raise Error(f"{name} has {array.ndim} dimensions; a matrix has two, a batch of them more")
    (m, k), (rows, n) = x.shape[-2:], y.shape[-2:]
    if rows != k:
        raise Error(f"a is {m} x {k} and b is {rows} x {n}; b must have {k} rows")
    try:
        lead = numpy.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise Error(f"the batches of a and b are {x.shape[:-2]} and {y.shape[:-2]}; they must broadcast") from None
    shape = lead + (m, n)
    result = _result(out, shape)
    start = None if c0 is None else _operand("c0", c0)[0]
    if out is not None:
        x, y = (array.copy() if numpy.may_share_memory(array, result) else array for array in (x, y))
        if start is not None and c0 is not out and numpy.may_share_memory(start, result):
            start = start.copy()
    a_matrix, x = _matrix(x, lead + (m, k), a_type)
    b_matrix, y = _matrix(y, lead + (k, n), b_type)
    c0_matrix = Matrix(None, _FLOAT32, False, n, 0)
    if start is not None:
        try:
            c0_matrix, start = _matrix(start, shape, _FLOAT32, transposable=False)
        except ValueError:
            raise Error(f"c0 is {start.shape}; it must broadcast to {shape}") from None
    args = Args(ctypes.addressof(config._struct), m, n, k, int(numpy.prod(lead, dtype=int)), a_matrix, b_matrix,
                c0_matrix, Result(result.ctypes.data if result.size else None, _FLOAT32, n, m * n), _engine(engine),
                operator.index(threads), ctypes.pointer(counts.struct) if counts is not None else None)
    report, message = Report(), Message()
    if library.daa_gemm_run(byref(args), byref(report), byref(message)) != 0:
        raise message.error()
    if report.reason:
        warnings.warn(f"{report.reason.decode()} ({config})", RuntimeWarning, stacklevel=2)
    if out is None:
        return _like(a, result)
    if _is_tensor(out):
        out[:0].zero_()  # tells autograd, which did not see it, that `out` was written
    return out


def _like(given, result):
    """The result as a tensor where the argument given is one."""
    return sys.modules["torch"].from_numpy(result) if _is_tensor(given) else result


def quantize(x, format):
    """The values that an operand format ("bf16", "e4m3", "eXmY", ...) gives to x, as float32: rounded to nearest even,
    subnormals as the format has them (contract, section 1). A NaN is an error in a format that has none."""
    if _gpu.is_on_gpu(x):
        return _gpu.quantize(x, str(format))
    result, message = numpy.array(_operand("x", x)[0], order="C"), Message()
    data = result.ctypes.data
    if not library.daa_quantize(str(format).encode(), result.size, data, data, byref(message)):
        raise message.error()
    return _like(x, result)
