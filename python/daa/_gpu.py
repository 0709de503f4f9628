"""The engine for tensors on an NVIDIA GPU: gpu.cuh, compiled for one configuration when it is first used, kept on disk.

The source is compiled by NVRTC, which PyTorch brings, or by nvcc, for the very GPU, and loaded and launched through the
driver, on PyTorch's current stream. What this module knows of a configuration is `macros()`, which is what gpu.cuh is
compiled with.
"""
import ctypes
import functools
import glob
import hashlib
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from ctypes import Structure, byref, c_bool, c_char_p, c_int, c_longlong, c_size_t, c_uint, c_void_p

from ._config import Config
from ._library import STREAMS_MAX, Error, Message, check, library

SOURCE = pathlib.Path(__file__).with_name("gpu.cuh")
CAPABILITY = (8, 0)  # the least
OPTIONS = ("-std=c++17", "-ftz=true", "-fmad=false")


# ---- what gpu.cuh shares with this module ----

class Matrix(Structure):
    _fields_ = [("data", c_void_p), ("lane", c_longlong), ("batch", c_longlong), ("k", c_int), ("vector", c_int)]


class Problem(Structure):
    _fields_ = [("a", Matrix), ("b", Matrix), ("c0", c_void_p), ("c0_row", c_longlong), ("c0_col", c_longlong),
                ("c0_batch", c_longlong), ("c", c_void_p), ("m", c_int), ("n", c_int), ("k", c_int),
                ("counts", c_void_p)]


TYPES = {"float32": 0, "bfloat16": 1, "float16": 2}
ROUNDED, ANCHORED = "rounded", "anchored"
WINNERS = {"exponent": 0, "magnitude": 1, "static": 2, "rotate": 3, "high": 4, "low": 5}
FINITE = 2  # the encoding
FATES = ("high", "low", "zero", "dropped", "special")
EXACT, SINGLE, PAIR, MANY, FIXED = range(5)


class _Format(Structure):
    _fields_ = [("exp_bits", c_int), ("frac_bits", c_int), ("encoding", c_int), ("subnormals", c_bool)]


library.daa_format_parse.argtypes = [c_char_p, ctypes.POINTER(_Format)]
library.daa_format_parse.restype = c_bool
library.daa_anchor_least.argtypes = [c_void_p]
library.daa_anchor_least.restype = c_int


def _format(name):
    found = _Format()
    if not library.daa_format_parse(name.encode(), byref(found)):
        raise Error(f"'{name}' is no format; it must be an alias such as bf16, or eXmY")
    return found


def _format_macros(prefix, name):
    f = _format(name)
    return {f"{prefix}_X": f.exp_bits, f"{prefix}_Y": f.frac_bits, f"{prefix}_ENCODING": f.encoding,
            f"{prefix}_SUBNORMALS": int(f.subnormals)}


# ---- configurations ----

def _bits_of_sum(config):
    """From the top of the largest sum of a step to the last bit that a term in the window may have."""
    a, b = _format(config.a_format).frac_bits, _format(config.b_format).frac_bits
    low = min(config.lo_bits - 1, a) + min(config.lo_bits - 1, b)
    if config.policy in ("exponent", "magnitude"):
        below = max(config.window + low, a + b)
    else:
        below = config.window + (low if config.policy == "low" else a + b)
    return 2 + int(math.log2(config.streams)) + (below if config.streams > 1 else a + b)


def why_not(config):
    """Why the engine does not run the configuration, or None. By list, as the other engines have it."""
    if config.accumulator not in (ROUNDED, ANCHORED):
        return f"the accumulator {config.accumulator} does not run on a GPU; rounded and anchored do"
    if config.policy not in WINNERS:
        return f"the policy {config.policy} does not run on a GPU; {', '.join(WINNERS)} do"
    a, b = _format(config.a_format).frac_bits, _format(config.b_format).frac_bits
    widest = 53 - 2 - int(math.log2(config.streams)) - a - b
    if config.streams > 1 and config.window > widest:
        return f"the window of {config.window} leads to sums of more than 53 bits, which do not run on a GPU; " \
               f"{widest} and less do"
    return None


def form_of(config):
    """How a step is summed: in floats, where its sum fits their 24 bits, and the accumulator is a float or 32 bits."""
    short = config.acc_format == "fp32" if config.accumulator == ROUNDED else config.acc_bits <= 32
    if not short or _bits_of_sum(config) > 24 or (config.policy == "magnitude" and config.streams > 1):
        return EXACT
    if config.streams == 1:
        return SINGLE
    if config.policy == "exponent":
        return PAIR if config.streams == 2 else MANY
    return FIXED


def macros(config, a_type, b_type, a_k_fast, b_k_fast, shape):
    """What gpu.cuh is compiled with. Types are those of TYPES; K_FAST: elements along K lie together; shape: tile()."""
    a, b = _format(config.a_format).frac_bits, _format(config.b_format).frac_bits
    anchored = config.accumulator == ANCHORED
    words = {
        "STREAMS": config.streams, "WINNER": WINNERS[config.policy], "FORM": form_of(config),
        "WINDOW": config.window, "TRUNCATE": int(config.lo_round == "truncate"),
        "A_LOW": min(config.lo_bits, a + 1), "B_LOW": min(config.lo_bits, b + 1),
        **_format_macros("A", config.a_format), **_format_macros("B", config.b_format),
        **_format_macros("ACC", config.acc_format), **_format_macros("OUT", config.out_format),
        "ANCHORED": int(anchored), "ANCHOR_BITS": config.acc_bits if anchored else 32,
        "ANCHOR_STEP": config.acc_step if anchored else 4,
        "ANCHOR_LEAST": library.daa_anchor_least(config._struct) if anchored else 0,
        "A_TYPE": TYPES[a_type], "B_TYPE": TYPES[b_type], "A_K_FAST": int(a_k_fast), "B_K_FAST": int(b_k_fast),
        **shape,
    }
    return {**words, "SHARED_BYTES": _shared_bytes(words)}


# ---- tiles ----

def tile(bm, bn, bk, tm, tn, groups=1, blocks=1, unroll=1):
    """bm x bn of C, bk of K at a time; a thread has tm x tn of it, of one step in `groups`; blocks that a processor is to
    have at once; steps that the innermost loop takes at once."""
    return {"BM": bm, "BN": bn, "BK": bk, "TM": tm, "TN": tn, "GROUPS": groups, "BLOCKS": blocks, "UNROLL": unroll}


def tile_for(config, m, n, k, batch, processors):
    """The tile of C that a block computes: the largest that keeps the processors busy; where C is small, one whose
    steps are shared out among groups of threads."""
    form, streams = form_of(config), config.streams
    depth = max(16, 4 * streams)

    def blocks(bm, bn):
        return batch * -(-m // bm) * -(-n // bn)

    large = form in (SINGLE, PAIR, MANY, FIXED) and streams <= 4 and config.accumulator == ROUNDED
    if large and blocks(128, 64) >= 2 * processors:
        return tile(128, 64, depth, 4, 8, blocks=2 if streams <= 2 else 1, unroll=2 if streams <= 2 else 1)
    if form == EXACT or streams == 8 or blocks(64, 64) >= processors or k < 64 * streams:
        return tile(64, 64, depth, 4, 4, blocks=1 if form == MANY else 2)
    return tile(16, 16, 16 * streams, 4, 4, groups=16, blocks=2)


def threads_of(shape):
    return shape["GROUPS"] * shape["BM"] * shape["BN"] // (shape["TM"] * shape["TN"])


def _shared_bytes(words):
    """Of shared memory, for macros: as gpu.cuh lays it out."""
    s, form, bm, bn = words["STREAMS"], words["FORM"], words["BM"], words["BN"]
    every = form == FIXED and words["WINNER"] == WINNERS["high"]
    floats = s if form in (EXACT, SINGLE) or every else 2 * s
    halves = s if form in (MANY, FIXED) else int(form == PAIR)
    step = (floats + halves) * bm + floats * bn + halves * bn // 2
    anchored = words["ANCHORED"]
    kept = (3 if words["ANCHOR_BITS"] > 32 else 2) * bm * bn if anchored else 0
    ranges = 3 * (4 + (bm + bn if anchored else 0))
    sums = words["GROUPS"] * bm * bn if words["GROUPS"] > 1 else 0
    return 4 * (2 * words["BK"] // s * step + sums + kept + ranges)


def blocks_of(shape, m, n, batch):
    return batch * -(-m // shape["BM"]) * -(-n // shape["BN"])


# ---- compilers ----

def beside_packages(pattern):
    """Files of NVIDIA's packages, which PyTorch brings: nvidia/*/..., and PyTorch's own libraries."""
    places = [pathlib.Path(place, "nvidia", "*") for place in sys.path if place]
    torch = sys.modules.get("torch")
    if torch is not None:
        places.append(pathlib.Path(torch.__file__).parent)
    roots = [os.environ.get("CUDA_HOME"), "/usr/local/cuda"]
    places += [pathlib.Path(root) for root in roots if root]
    return [path for place in places for path in sorted(glob.glob(str(place / pattern)))]


@functools.lru_cache(maxsize=None)
def find_nvrtc():
    """NVRTC as a ctypes library, or None."""
    names = [name for part in ("lib", "lib64") for name in beside_packages(f"{part}/libnvrtc[.-]*so*")
             if "builtins" not in name and ".alt" not in name]
    for name in [*names, "libnvrtc.so", *(f"libnvrtc.so.{number}" for number in (13, 12))]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    return None


@functools.lru_cache(maxsize=None)
def find_nvcc():
    """nvcc's path, or None."""
    return next(iter(beside_packages("bin/nvcc")), None) or shutil.which("nvcc")


def _nvrtc_version(nvrtc):
    major, minor = c_int(), c_int()
    nvrtc.nvrtcVersion(byref(major), byref(minor))
    return f"NVRTC {major.value}.{minor.value}"


def _compile_by_nvrtc(nvrtc, source, options, arch):
    program, size = c_void_p(), c_size_t()
    nvrtc.nvrtcGetErrorString.restype = c_char_p
    words = [option.encode() for option in (f"--gpu-architecture={arch}", *options)]

    def done(status):
        if status == 0:
            return
        log = ctypes.create_string_buffer(1)
        if program and nvrtc.nvrtcGetProgramLogSize(program, byref(size)) == 0:
            log = ctypes.create_string_buffer(max(size.value, 1))
            nvrtc.nvrtcGetProgramLog(program, log)
        said = " ".join(log.value.decode(errors="replace").split())[:300]
        raise Error(f"{_nvrtc_version(nvrtc)} does not compile gpu.cuh for {arch}: "
                    f"{nvrtc.nvrtcGetErrorString(status).decode()} {said}".strip())

    done(nvrtc.nvrtcCreateProgram(byref(program), source, b"gpu.cuh", 0, None, None))
    try:
        done(nvrtc.nvrtcCompileProgram(program, len(words), (c_char_p * len(words))(*words)))
        done(nvrtc.nvrtcGetCUBINSize(program, byref(size)))
        binary = ctypes.create_string_buffer(size.value)
        done(nvrtc.nvrtcGetCUBIN(program, binary))
        return binary.raw
    finally:
        nvrtc.nvrtcDestroyProgram(byref(program))


def _compile_by_nvcc(nvcc, source, options, arch):
    with tempfile.TemporaryDirectory() as directory:
        text, binary = pathlib.Path(directory, "gpu.cu"), pathlib.Path(directory, "gpu.cubin")
        text.write_bytes(source)
        done = subprocess.run([nvcc, "-cubin", f"-arch={arch}", *options, text, "-o", binary], capture_output=True, text=True)
        if done.returncode:
            raise Error(f"{nvcc} does not compile gpu.cuh for {arch}: {' '.join(done.stderr.split())[:300]}")
        return binary.read_bytes()


def compile_for(words, arch, by=None):
    """The kernels for macros() on an architecture (sm_90), as a cubin; from the cache where it has them. `by`: "nvrtc" or
    "nvcc" alone."""
    source = SOURCE.read_bytes()
    options = [*OPTIONS, *(f"-D{name}={value}" for name, value in words.items())]
    nvrtc = find_nvrtc() if by != "nvcc" else None
    nvcc = find_nvcc() if nvrtc is None and by != "nvrtc" else None
    if nvrtc is None and nvcc is None:
        raise Error("products on a GPU are compiled when first used, and neither NVRTC nor nvcc is here; PyTorch's CUDA "
                    "wheels bring NVRTC, or install nvidia-cuda-nvrtc")
    compiler = _nvrtc_version(nvrtc) if nvrtc is not None else f"{nvcc} {os.path.getmtime(nvcc)}"
    key = hashlib.sha256("\n".join([source.decode(), arch, compiler, *options]).encode()).hexdigest()
    kept = _cache() / f"{key}.cubin"
    try:
        return kept.read_bytes()
    except OSError:
        pass
    binary = _compile_by_nvrtc(nvrtc, source, options, arch) if nvrtc is not None else _compile_by_nvcc(
        nvcc, source, options, arch)
    try:  # a cache that cannot be written is none
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as part:
            part.write(binary)
        os.replace(part.name, kept)
    except OSError:
        pass
    return binary


def _cache():
    """DAA_CACHE, or the user's."""
    named = os.environ.get("DAA_CACHE")
    return pathlib.Path(named) if named else pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "daa"


# ---- the driver ----

_SHARED_BYTES = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES


class _Driver:
    """libcuda, in the context that PyTorch has on a device."""

    def __init__(self):
        try:
            self.cuda = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise Error(f"the driver of the GPU could not be loaded ({error}); install NVIDIA's driver") from None
        self.done(self.cuda.cuInit(0), "starting the driver")
        self.contexts, self.functions = {}, {}

    def done(self, status, doing):
        if status == 0:
            return
        name, text = c_char_p(), c_char_p()
        self.cuda.cuGetErrorName(status, byref(name))
        self.cuda.cuGetErrorString(status, byref(text))
        said = f"{(name.value or b'error').decode()} ({(text.value or b'').decode()})"
        if name.value in (b"CUDA_ERROR_NO_BINARY_FOR_GPU", b"CUDA_ERROR_INVALID_IMAGE", b"CUDA_ERROR_UNSUPPORTED_PTX_VERSION"):
            said += "; the driver may be older than the compiler, and a later one would do"
        raise Error(f"{doing}: {said}")

    def context(self, device):
        if device not in self.contexts:
            handle, context = c_int(), c_void_p()
            self.done(self.cuda.cuDeviceGet(byref(handle), device), f"GPU {device}")
            self.done(self.cuda.cuDevicePrimaryCtxRetain(byref(context), handle), f"the context of GPU {device}")
            self.contexts[device] = context
        return self.contexts[device]

    def function(self, device, words, arch, name):
        """A kernel, loaded."""
        key = device, tuple(words.items()), name
        if key not in self.functions:
            module, function = c_void_p(), c_void_p()
            binary = compile_for(words, arch)
            self.done(self.cuda.cuModuleLoadData(byref(module), binary), "loading the kernels")
            self.done(self.cuda.cuModuleGetFunction(byref(function), module, name.encode()), f"finding {name}")
            if name == "daa_gemm":
                self.done(self.cuda.cuFuncSetAttribute(function, _SHARED_BYTES, words["SHARED_BYTES"]),
                          f"{words['SHARED_BYTES']} bytes of shared memory")
            self.functions[key] = function
        return self.functions[key]

    def launch(self, device, stream, words, arch, name, blocks, threads, shared, *arguments):
        self.done(self.cuda.cuCtxPushCurrent_v2(self.context(device)), f"the context of GPU {device}")
        try:
            function = self.function(device, words, arch, name)
            pointers = (c_void_p * len(arguments))(*(ctypes.addressof(argument) for argument in arguments))
            self.done(self.cuda.cuLaunchKernel(function, c_uint(blocks), 1, 1, c_uint(threads), 1, 1, c_uint(shared),
                                               c_void_p(stream), pointers, None), f"starting {name}")
        finally:
            self.cuda.cuCtxPopCurrent_v2(byref(c_void_p()))


@functools.lru_cache(maxsize=None)
def _driver():
    return _Driver()


# ---- tensors ----

def is_on_gpu(array):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor) and array.device.type == "cuda"


def _launch(device, words, name, blocks, threads, shared, *arguments):
    """On the current stream of the device."""
    import torch
    if torch.version.cuda is None:
        raise Error(f"a tensor is on {device}, and this PyTorch is built without CUDA; products run on the CPU, and on NVIDIA's "
                    "GPUs with a PyTorch for CUDA")
    capability = torch.cuda.get_device_capability(device)
    if capability < CAPABILITY:
        raise Error(f"{device} has the compute capability {capability[0]}.{capability[1]}; it must be "
                    f"{CAPABILITY[0]}.{CAPABILITY[1]} or later")
    if blocks >= 1 << 31:
        raise Error(f"the product takes {blocks} blocks of a GPU; it must be fewer than 2^31, so give smaller matrices")
    index = torch.cuda.current_device() if device.index is None else device.index
    arch = "sm_{}{}".format(*capability)
    _driver().launch(index, torch.cuda.current_stream(device).cuda_stream, words, arch, name, blocks, threads, shared,
                     *arguments)


def _check(name, tensor, dtypes, device):
    import torch
    if not isinstance(tensor, torch.Tensor) or tensor.device != device:
        where = f"on {tensor.device}" if isinstance(tensor, torch.Tensor) else f"a {type(tensor).__name__}"
        raise Error(f"{name} is {where}, and another operand on {device}; all must be on one device")
    dtype = str(tensor.dtype).split(".")[-1]
    if dtype not in dtypes or tensor.layout != torch.strided:
        raise Error(f"{name} is {dtype}, {tensor.layout}; it must be dense and {' or '.join(dtypes)}")
    if tensor.requires_grad and torch.is_grad_enabled():
        raise Error(f"{name} requires a gradient, which gemm() does not have; use detach(), or the layers of daa.torch")
    return tensor.detach().resolve_neg(), dtype


def _batched(tensor, shape):
    """As (batch, rows, columns): a view, except of a batch that no one step goes through."""
    return tensor.expand(shape).reshape(math.prod(shape[:-2]), *shape[-2:])


def _matrix(tensor, lane, k):
    """And is K what lies together?"""
    steps, size = tensor.stride(), tensor.element_size()
    k_fast = steps[k] == 1 and (steps[lane] != 1 or tensor.shape[lane] == 1)
    vector = (steps[k] == 1 and tensor.shape[k] % 4 == 0 and steps[lane] % 4 == 0 and steps[0] % 4 == 0
              and tensor.data_ptr() % (4 * size) == 0)
    return Matrix(tensor.data_ptr(), steps[lane] * size, steps[0] * size, steps[k] * size, int(vector)), k_fast


def _rounded(x, format_name):
    """Of any format, to which x is rounded as operands are."""
    import torch
    if format_name == "fp32":
        return x
    words = {**macros(Config(), "float32", "float32", True, False, tile(32, 16, 16, 4, 4)),
             **_format_macros("A", format_name)}
    x = x.contiguous()
    out = torch.empty_like(x)
    if x.numel():
        _launch(x.device, words, "daa_quantize", -(-x.numel() // 256), 256, 0, c_void_p(x.data_ptr()),
                c_void_p(out.data_ptr()), c_longlong(x.numel()))
    return out


def _first(bad):
    return tuple(bad.nonzero()[0].tolist())


def _refuse(name, tensor, format_name, specials):
    """What the configuration has no number for, by an error that names the first one. To see it, the GPU is waited for."""
    import torch
    finite = _format(format_name).encoding == FINITE
    if finite and bool(torch.isnan(tensor).any()):
        *_, row, column = _first(torch.isnan(tensor))
        raise Error(f"{name}[{row}][{column}] is NaN, and its format has none; remove it")
    if not specials:
        values = tensor if tensor.dtype != torch.float32 else _rounded(tensor, format_name)
        bad = ~torch.isfinite(values)
        if bool(bad.any()):
            at = _first(bad)
            what = "a NaN" if bool(torch.isnan(values[at])) else "an Inf"
            raise Error(f"{name}[{at[-2]}][{at[-1]}] is {what}, which needs specials on")


def quantize(x, format_name):
    """daa.quantize of a tensor on a GPU."""
    import torch
    message = Message()
    check(library.daa_quantize(format_name.encode(), 0, None, None, byref(message)), message)  # is it an operand format?
    x, _ = _check("x", x, ("float32",), x.device)
    if _format(format_name).encoding == FINITE and bool(torch.isnan(x).any()):
        raise Error(f"element {_first(torch.isnan(x).reshape(-1))[0]} is NaN, and {format_name} has none; remove it")
    return _rounded(x, format_name)


def _result(out, shape, device):
    import torch
    if out is None:
        return torch.empty(shape, dtype=torch.float32, device=device)
    if not isinstance(out, torch.Tensor) or out.device != device:
        raise Error(f"out is {f'on {out.device}' if isinstance(out, torch.Tensor) else f'a {type(out).__name__}'}; it must "
                    f"be a tensor on {device}, where the operands are")
    if out.dtype != torch.float32 or tuple(out.shape) != shape or not out.is_contiguous():
        raise Error(f"out is {out.dtype} {tuple(out.shape)}; it must be float32 {shape} and contiguous")
    return out.detach()


def _storage(tensor):
    return (tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()).data_ptr()  # 2.0


def _own(tensor, out):
    """Not in the memory that results are written to."""
    return tensor.clone() if _storage(tensor) == _storage(out) else tensor


def _in_place(c0, out):
    """Does each result replace its own C0?"""
    return c0.data_ptr() == out.data_ptr() and c0.shape == out.shape and c0.stride() == out.stride()


def gemm(a, b, c0, config, out, engine, counts):
    """daa.gemm of tensors on a GPU. Nothing waits for the GPU, except for counts and what a configuration refuses."""
    import torch
    if engine != "auto":
        raise Error(f"the engine is '{engine}', which is for the CPU; tensors on a GPU take auto")
    reason = why_not(config)
    if reason:
        raise Error(f"{reason}; move the tensors to the CPU ({config})")
    device = next(x.device for x in (a, b, c0, out) if is_on_gpu(x))
    own = {"bf16": "bfloat16", "fp16": "float16"}
    a, a_type = _check("a", a, ("float32", *filter(None, [own.get(config.a_format)])), device)
    b, b_type = _check("b", b, ("float32", *filter(None, [own.get(config.b_format)])), device)
    for name, tensor in (("a", a), ("b", b)):
        if tensor.dim() < 2:
            raise Error(f"{name} has {tensor.dim()} dimensions; a matrix has two, a batch of them more")
    (m, k), (rows, n) = a.shape[-2:], b.shape[-2:]
    if rows != k:
        raise Error(f"a is {m} x {k} and b is {rows} x {n}; b must have {k} rows")
    try:
        lead = tuple(torch.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    except RuntimeError:
        raise Error(f"the batches of a and b are {tuple(a.shape[:-2])} and {tuple(b.shape[:-2])}; they must broadcast"
                    ) from None
    shape = (*lead, m, n)
    result = _result(out, shape, device)
    if c0 is not None:
        c0 = _check("c0", c0, ("float32",), device)[0]
        try:
            c0 = c0.expand(shape)
        except RuntimeError:
            raise Error(f"c0 is {tuple(c0.shape)}; it must broadcast to {shape}") from None
        _refuse("C0", c0, config.acc_format, config.specials)
    for name, tensor, format_name in (("A", a, config.a_format), ("B", b, config.b_format)):
        _refuse(name, tensor, format_name, config.specials)
    if out is not None:
        a, b = _own(a, result), _own(b, result)
        if c0 is not None and not _in_place(c0, result):
            c0 = _own(c0, result)
    if result.numel():
        _multiply(_batched(a, (*lead, m, k)), _batched(b, (*lead, k, n)), None if c0 is None else _batched(c0, shape),
                  _batched(result, shape), config, (a_type, b_type), counts)
    if out is None:
        return result
    out[:0].zero_()  # tells autograd, which did not see it, that `out` was written
    return out


def _processors(device):
    import torch
    return torch.cuda.get_device_properties(device).multi_processor_count


@functools.lru_cache(maxsize=4096)
def _kernel_for(config, types, k_fast, m, n, k, batch, processors):
    """Macros; looked up for every product but the first of its kind."""
    return macros(config, *types, *k_fast, tile_for(config, m, n, k, batch, processors))


def _multiply(a, b, c0, c, config, types, counts):
    import torch
    (batch, m, n), k = c.shape, a.shape[2]
    a, b = (x.contiguous() if abs(x.stride(dim)) * x.element_size() >= 1 << 31 else x for x, dim in ((a, 2), (b, 1)))
    of_a, a_k_fast = _matrix(a, 1, 2)
    of_b, b_k_fast = _matrix(b, 2, 1)
    problem = Problem(of_a, of_b, None if c0 is None else c0.data_ptr(), 0, 0, 0, c.data_ptr(), m, n, k, None)
    if c0 is not None:
        problem.c0_batch, problem.c0_row, problem.c0_col = c0.stride()
    words = _kernel_for(config, types, (a_k_fast, b_k_fast), m, n, k, batch, _processors(c.device))
    _launch(c.device, words, "daa_gemm", blocks_of(words, m, n, batch), threads_of(words), words["SHARED_BYTES"], problem)
    if counts is None:
        return
    found = torch.zeros(len(FATES) * STREAMS_MAX, dtype=torch.int64, device=c.device)
    problem.counts = found.data_ptr()
    _launch(c.device, words, "daa_count", -(-c.numel() // 256), 256, 0, problem, c_longlong(c.numel()))
    for at, number in enumerate(found.tolist()):
        getattr(counts.struct, FATES[at // STREAMS_MAX])[at % STREAMS_MAX] += number
