"""The three GEMMs of a layer, as operators that can be differentiated any number of times.

A layer's forward pass is linear in its inputs x and in its weights w, so one form of three arguments says all of it:
the sum of g * forward(x, w) over the outputs. Each GEMM is its derivative by one argument:

    forward(x, w)        by g
    input_grad(g, w)     by x
    weight_grad(g, x)    by w

and the derivatives of each are the other two, so that gradients of gradients go through the array as well.
"""
import dataclasses
import functools
import itertools
import math
import traceback
import weakref
from typing import List, Optional

import numpy
import torch

from . import _beside
from ._config import Config
from ._gemm import Counts, engines, gemm, quantize
from ._library import Error

GEMMS = ("forward", "input_grad", "weight_grad")
_THREADS_MAX = 256  # of gemm()
_SMALL_WORK = 1 << 23  # products that a further thread must have to do, as in engine.c


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """How a layer computes: a configuration for each GEMM (None: float32 by PyTorch), engine and threads of `gemm`.
    Scaled: tensors of narrow formats take a power of two into the array, and results leave it behind."""
    forward: Optional[Config]
    input_grad: Optional[Config]
    weight_grad: Optional[Config]
    engine: str = "auto"
    threads: Optional[int] = None
    scaled: bool = False

    def __post_init__(self):
        for config in (self.forward, self.input_grad, self.weight_grad):
            if config is not None and not isinstance(config, Config):
                raise Error(f"{config!r} is no daa.Config; give a Config, or None for float32")
        if self.engine not in engines():
            raise Error(f"this processor has no engine '{self.engine}'; it has {', '.join(engines())}")
        if self.threads is not None and not (isinstance(self.threads, int) and 0 <= self.threads <= _THREADS_MAX):
            raise Error(f"threads is {self.threads!r}; it must be 0 to {_THREADS_MAX}, or None for PyTorch's number")
        for config in (self.forward, self.input_grad, self.weight_grad):
            if self.scaled and config is not None and not _is_wide(config.acc_format):
                raise Error(f"acc_format is {config.acc_format}, and scaled operands reach the largest numbers of their "
                            "formats; it must have 8 exponent bits, as fp32 has, or scaled be off")


# ---- scaling ----

_EXPONENT_MAX = 126  # its power of two, and that of minus it, are normal numbers
_WIDE = 2.0**60  # a format that reaches it has range enough: scaled, it would overflow the accumulator


def _is_wide(format):
    """Has an accumulator format 8 exponent bits?"""
    return format.startswith("e8m") or format in ("fp32", "tf32", "bf16")


@functools.lru_cache(maxsize=None)
def largest(format):
    """The largest finite number of an operand format."""
    ends = numpy.ldexp(2 - numpy.ldexp(1.0, -numpy.arange(12)), numpy.arange(128)[:, None])
    found = quantize(ends[ends < 2.0**128].astype(numpy.float32), format)
    return float(found[numpy.isfinite(found)].max())


def exponent_of(x, format):
    """The largest n at which every number of x, times 2^n, is within the format's range; 0 for formats with range
    enough, and where x is all zeros or has an Inf or a NaN."""
    most = largest(format)
    amax = float(x.detach().abs().max()) if most < _WIDE and x.numel() else 0.0
    if not 0 < amax < math.inf:
        return 0
    n = math.frexp(most)[1] - math.frexp(amax)[1]
    n -= math.ldexp(amax, n) > most
    return max(-_EXPONENT_MAX, min(_EXPONENT_MAX, n))


def scale(x, key):
    """x times its power of two for a format, and the exponent."""
    n = exponent_of(x, key[1])
    return times_power(x, n), n


def times_power(x, n):
    """x * 2^n, exact where that is a normal number; n from -252 to 252."""
    half = n // 2
    return x if n == 0 else x * 2.0**n if abs(n) <= _EXPONENT_MAX else x * 2.0**half * 2.0**(n - half)


class Form:
    """What a layer multiplies, for one size of inputs. `caller` has a label and observers; the arithmetic is that of
    the forward pass, even if the layer is converted again meanwhile."""

    names = GEMMS
    """The GEMMs whose configurations forward(), input_grad() and weight_grad() take."""
    sides = (2, 1), (2, 0), (0, 1)
    """Which of x, w and g are the operands A and B where x, w or g is the result."""

    def __init__(self, caller, arithmetic):
        self.caller, self.arithmetic = caller, arithmetic
        self.held = {}

    def once(self, tensor, dtype, make):
        """make(tensor, dtype), kept for the next GEMM that takes the same tensor, until forget()."""
        key = id(tensor), dtype  # of a tensor that is held, and so stays the only one with its id
        if key not in self.held:
            self.held[key] = tensor, make(tensor, dtype)
        return self.held[key][1]

    def forget(self):
        self.held.clear()

    def threads(self, work):
        """For a GEMM of WORK products."""
        if self.arithmetic.threads is not None:
            return self.arithmetic.threads
        return min(torch.get_num_threads(), 1 + work // _SMALL_WORK, _THREADS_MAX)

    def multiply(self, name, a, b):
        """The GEMM NAME: batches of matrices, float32 result. Observers see what went in and out."""
        config, observers = getattr(self.arithmetic, name), self.caller.observers
        counts = Counts() if observers and config is not None else None
        if config is None:
            with torch.autocast(a.device.type, enabled=False):
                result = torch.matmul(a.float(), b.float())
        else:
            threads = self.threads(max(a.numel() * b.shape[-1], b.numel() * a.shape[-2]))
            try:
                result = gemm(a, b, config=config, engine=self.arithmetic.engine, threads=threads, counts=counts)
            except Error as error:
                raise Error(f"{self.caller.label}, {name}: {error}") from None
        for observer in observers:
            observer(name, config, a, b, result, counts)
        return result

    def compute(self, x, w, g):
        """The GEMM whose result is the one that is None."""
        three = [x, w, g]
        missing = next(slot for slot in range(3) if three[slot] is None)
        config = getattr(self.arithmetic, self.names[(1, 2, 0)[missing]])
        power = 0
        if self.arithmetic.scaled and config is not None:
            for slot, format in zip(self.sides[missing], (config.a_format, config.b_format)):
                # What is kept till the next GEMM is memory: weights and gradients are worth it, inputs are not.
                of = three[slot], ("scaled", format), scale
                three[slot], n = scale(*of[:2]) if slot == 0 else self.once(*of)
                power -= n
        x, w, g = three
        result = self.forward(x, w) if g is None else self.input_grad(g, w) if x is None else self.weight_grad(g, x)
        return times_power(result, power)


class Matrices(Form):
    """x: (..., M, K), w: (..., N, K), g: (..., M, N); the same batch in each."""

    def forward(self, x, w):
        return self.multiply("forward", x, w.transpose(-1, -2))

    def input_grad(self, g, w):
        return self.multiply("input_grad", g, w)

    def weight_grad(self, g, x):
        return self.multiply("weight_grad", g.transpose(-1, -2), x)


# ---- convolutions ----

@dataclasses.dataclass(frozen=True)
class _Taps:
    """One dimension of a convolution: of the kernel's positions, the `first` that meets the input and the `count` up to
    the last one that does; the output's size."""
    first: int
    count: int
    out: int

    @staticmethod
    def of(size, kernel, stride, padding, dilation):
        out = (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1
        used = [i for i in range(kernel)
                if any(0 <= i * dilation + o * stride - padding[0] < size for o in range(max(out, 0)))]
        return _Taps(used[0], used[-1] - used[0] + 1, out) if used else _Taps(0, 1, out)

    @property
    def kept(self):
        return slice(self.first, self.first + self.count)


@dataclasses.dataclass(frozen=True)
class Geometry:
    """A convolution's stride, zeros (before, after) and dilation in each dimension, and its groups. A transposed one is
    the input gradient of the convolution that these say, and its input gradient is that convolution."""
    stride: tuple
    padding: tuple
    dilation: tuple
    groups: int
    transposed: bool = False


class Patches(Form):
    """x: (N, C, sizes), w: (Cout, C / groups, kernel), g: (N, Cout, sizes), in any number of dimensions. Patches are
    (groups, N * output pixels, taps * C / groups). `last`: results are in memory format channels_last."""

    def __init__(self, caller, arithmetic, geometry, x_shape, w_shape, last=False):
        super().__init__(caller, arithmetic)
        self.batch, self.channels, *self.size = x_shape
        self.w_shape, self.groups, self.depth, kernel = w_shape, geometry.groups, w_shape[1], tuple(w_shape[2:])
        self.geometry, self.last = geometry, last
        self.taps = [_Taps.of(*one) for one in
                     zip(self.size, kernel, geometry.stride, geometry.padding, geometry.dilation)]
        self.out = [taps.out for taps in self.taps]
        if min(self.out) < 1:
            raise Error(f"{caller.label} got {' x '.join(map(str, self.size))} pixels; its kernel of {kernel} needs more")
        self.whole = all(k == s == 1 and p == (0, 0) for k, s, p in zip(kernel, geometry.stride, geometry.padding))
        self.count = self.batch * math.prod(self.out)
        self.k = math.prod(taps.count for taps in self.taps) * self.depth
        self.shape = (self.groups, self.batch, *self.out, *(taps.count for taps in self.taps), self.depth)
        if geometry.transposed:
            self.names, self.sides = ("input_grad", "forward", "weight_grad"), ((2, 1), (0, 2), (0, 1))

    def dtype(self, name):
        """Of operands: rounded to bf16 at once where that is the format of both, which halves what is moved."""
        config = getattr(self.arithmetic, name)
        bf16 = config is not None and config.a_format == config.b_format == "bf16"
        return torch.bfloat16 if bf16 else torch.float32

    def _image(self, dtype, device, *channels):
        """Zeros of an input with its padding, and the input's part of it."""
        padding = self.geometry.padding
        sizes = self.batch, *(s + sum(p) for s, p in zip(self.size, padding)), *channels
        image = torch.zeros(sizes, dtype=dtype, device=device)
        return image, image[(slice(None), *(slice(p[0], p[0] + s) for s, p in zip(self.size, padding)))]

    def _last(self, image):
        return image.permute(0, *range(2, image.dim()), 1)

    def _first(self, image):
        """(N, sizes, C) to (N, C, sizes), in memory format channels_last or contiguous, as the layer's input is."""
        if self.last:
            image = image.contiguous()
        image = image.permute(0, -1, *range(1, image.dim() - 1))
        return image if self.last else image.contiguous()

    def take(self, x, name):
        """Inputs to patches."""
        x = self._last(x.to(self.dtype(name)))
        if self.whole:
            return x.reshape(self.count, self.groups, self.depth).transpose(0, 1)
        image, inside = self._image(x.dtype, x.device, self.channels)
        inside.copy_(x)
        n, *pixel, c = image.stride()
        stride, dilation = self.geometry.stride, self.geometry.dilation
        steps = [p * d for p, d in zip(pixel, dilation)]
        taps = image.as_strided(self.shape, (self.depth * c, n, *(p * s for p, s in zip(pixel, stride)), *steps, c),
                                sum(taps.first * step for taps, step in zip(self.taps, steps)))
        return taps.reshape(self.groups, self.count, self.k)

    def add(self, patches):
        """The sums of overlapping patches, (N, sizes, C), each added in the order of the kernel's positions."""
        if self.whole:
            return patches.transpose(0, 1).reshape(self.batch, *self.size, self.channels)
        patches = patches.reshape(self.shape)
        image, inside = self._image(patches.dtype, patches.device, self.channels)
        every, geometry = slice(None), self.geometry
        for at in itertools.product(*(range(taps.count) for taps in self.taps)):
            starts = [(taps.first + i) * d for taps, i, d in zip(self.taps, at, geometry.dilation)]
            pixels = [slice(start, start + s * out, s) for start, s, out in zip(starts, geometry.stride, self.out)]
            into = image[(every, *pixels)].unflatten(-1, (self.groups, self.depth))
            into += patches[(every, every, *(every for _ in at), *at)].movedim(0, -2)
        return inside

    def pixels(self, g, name):
        """Outputs to (groups, N * output pixels, Cout / groups)."""
        g = self._last(self.once(g, self.dtype(name), torch.Tensor.to))
        return g.reshape(self.count, self.groups, self.w_shape[0] // self.groups).transpose(0, 1)

    def kernels(self, w, name):
        """Weights to (groups, Cout / groups, taps * C / groups)."""
        def make(w, dtype):
            used = self._last(w[(slice(None), slice(None), *(taps.kept for taps in self.taps))])
            return used.reshape(self.groups, self.w_shape[0] // self.groups, self.k).to(dtype)

        return self.once(w, self.dtype(name), make)

    # Side by side: bf16 in memory, the places of its rows, and those of its columns. Groups are padded and last.

    def _beside_places(self, image):
        n, *pixel, channel, _ = image.stride()
        steps = [p * d for p, d in zip(pixel, self.geometry.dilation)]
        strides = zip(self.out, (p * s for p, s in zip(pixel, self.geometry.stride)))
        taps = _beside.places(*((taps.count, step) for taps, step in zip(self.taps, steps)), (self.depth, channel))
        first = sum(taps.first * step for taps, step in zip(self.taps, steps))
        return _beside.places((self.batch, n), *strides), taps + taps.dtype.type(first)

    def _beside_image(self, x, format):
        image, inside = self._image(torch.bfloat16, x.device, self.depth, _beside.padded(self.groups))
        _beside.put(self._last(x).unflatten(-1, (self.groups, self.depth)).transpose(-1, -2), format, inside)
        return image, self._beside_places(image)

    def _beside_matrix(self, x, format):
        """Of (rows, columns, groups)."""
        memory = torch.zeros(*x.shape[:-1], _beside.padded(self.groups), dtype=torch.bfloat16)
        _beside.put(x, format, memory)
        return memory, tuple(_beside.places(way) for way in zip(memory.shape[:2], memory.stride()))

    def _beside_outputs(self, g, format):
        def make(g, key):
            return self._beside_matrix(self._last(g).reshape(self.count, self.groups, -1).transpose(1, 2), key[1])

        return self.once(g, ("beside", format), make)

    def _beside_weights(self, w, format):
        w = self._last(w[(slice(None), slice(None), *(taps.kept for taps in self.taps))])
        return self._beside_matrix(w.reshape(self.groups, -1, self.k).permute(2, 1, 0), format)

    def product(self, name, a, b, multiply, sums=False):
        """The GEMM NAME, (groups, rows, columns) or with SUMS the sums of overlapping patches, (N, sizes, C): side by side
        where there are many groups, else by MULTIPLY. A and B: what makes the operand, of what, and whether its rows
        are K."""
        config = getattr(self.arithmetic, name)
        if (config is None or self.groups < _beside.FEWEST or self.caller.observers or self.arithmetic.engine != "auto"
                or a[1].device.type != "cpu" or not _beside.possible(config)):
            return multiply()
        sides, into = [], ()
        for (make, tensor, turned), format in zip((a, b), (config.a_format, config.b_format)):
            memory, ways = make(tensor, format)
            sides += [memory, ways[::-1] if turned else ways]
        if sums:
            image, inside = self._image(torch.float32, "cpu", self.depth, _beside.padded(self.groups))
            into = image, self._beside_places(image), math.prod(self.out)
        found = _beside.product(config, self.threads(self.count * self.k * self.w_shape[0]), *sides, *into)
        if found is None:
            return multiply()
        return inside[..., :self.groups].transpose(-1, -2).flatten(-2) if sums else found[..., :self.groups].permute(2, 0, 1)

    def forward(self, x, w):
        name = self.names[0]
        y = self.product(name, (self._beside_image, x, False), (self._beside_weights, w, False),
                         lambda: self.multiply(name, self.take(x, name), self.kernels(w, name).transpose(1, 2)))
        return self._first(y.transpose(0, 1).reshape(self.batch, *self.out, self.w_shape[0]))

    def input_grad(self, g, w):
        name = self.names[1]
        return self._first(self.product(
            name, (self._beside_outputs, g, False), (self._beside_weights, w, True),
            lambda: self.add(self.multiply(name, self.pixels(g, name), self.kernels(w, name))), sums=True))

    def weight_grad(self, g, x):
        """The layer's output gradients are A; taps that were left out have no gradient."""
        name = self.names[2]
        if self.geometry.transposed:
            found = self.product(name, (self._beside_image, x, True), (self._beside_outputs, g, False), lambda: self.multiply(
                name, self.take(x, name).transpose(1, 2), self.pixels(g, name))).transpose(1, 2)
        else:
            found = self.product(name, (self._beside_outputs, g, True), (self._beside_image, x, False), lambda: self.multiply(
                name, self.pixels(g, name).transpose(1, 2), self.take(x, name)))
        whole = found.new_zeros(self.w_shape)
        found = found.reshape(self.w_shape[0], *(taps.count for taps in self.taps), self.depth)
        whole[(slice(None), slice(None), *(taps.kept for taps in self.taps))] = found.permute(
            0, -1, *range(1, found.dim() - 1))
        return whole


# ---- derivatives ----

class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, form, *three):
        ctx.form, ctx.missing = form, next(i for i, tensor in enumerate(three) if tensor is None)
        others = [i for i in range(3) if i != ctx.missing]
        # Each is needed for the other one's gradient.
        kept = {i: three[i] for i, j in (others, others[::-1]) if ctx.needs_input_grad[1 + j]}
        ctx.save_for_backward(*(kept.get(i) for i in range(3)))
        return form.compute(*three)

    @staticmethod
    def backward(ctx, gradient):
        three, result = list(ctx.saved_tensors), [None, None, None]
        three[ctx.missing] = gradient
        for slot in range(3):
            if slot != ctx.missing and ctx.needs_input_grad[1 + slot]:
                result[slot] = _Product.apply(ctx.form, *(None if i == slot else three[i] for i in range(3)))
        ctx.form.forget()
        return (None, *result)

    @staticmethod
    def jvp(ctx, *tangents):
        raise Error(f"{ctx.form.caller.label} has no forward-mode derivative; use reverse mode, for example "
                    "torch.autograd.functional.jvp")


def is_compiling():
    compiler = getattr(torch, "compiler", None)
    return compiler is not None and hasattr(compiler, "is_compiling") and compiler.is_compiling()


def _is_exporting():
    compiler = getattr(torch, "compiler", None)
    if hasattr(compiler, "is_exporting"):
        return compiler.is_exporting()
    return getattr(compiler, "_is_compiling_flag", False)  # before 2.7 only torch.export sets it


callers = weakref.WeakValueDictionary()
"""Number -> layer: what a compiled graph has of a layer is its number."""

_numbers = itertools.count()


def number_of(caller):
    """A new number for a layer."""
    number = next(_numbers)
    callers[number] = caller
    return number


if hasattr(torch.library, "custom_op"):
    @torch.library.custom_op("daa::product", mutates_args=())
    def _opaque(caller: int, name: str, p: torch.Tensor, q: torch.Tensor, shape: List[int]) -> torch.Tensor:
        """The GEMM NAME of a layer, its result of SHAPE, as one operator that compilers do not look into."""
        three = {"forward": (p, q, None), "input_grad": (None, q, p), "weight_grad": (q, None, p)}[name]
        x_shape, w_shape = (shape if tensor is None else tensor.shape for tensor in three[:2])
        with torch.no_grad():
            return callers[caller].form(x_shape, w_shape).compute(*three).contiguous()

    @_opaque.register_fake
    def _(caller, name, p, q, shape):
        if any(frame.filename.endswith("torch/export/_trace.py") for frame in traceback.extract_stack(limit=500)):
            raise _no_export(callers[caller].label)  # by a compiler's front end, where is_exporting() may be false
        return p.new_empty(shape)

    def _keep(ctx, inputs, output):
        ctx.caller, ctx.name, p, q, _ = inputs
        ctx.save_for_backward(p, q)

    def _gradients(ctx, gradient):
        p, q = ctx.saved_tensors
        needs_p, needs_q = ctx.needs_input_grad[2:4]
        calls = {"forward": (("input_grad", gradient, q), ("weight_grad", gradient, p)),
                 "input_grad": (("forward", gradient, q), ("weight_grad", p, gradient)),
                 "weight_grad": (("forward", q, gradient), ("input_grad", p, gradient))}[ctx.name]
        results = [_opaque(ctx.caller, *call, list(like.shape)) if needed else None
                   for call, like, needed in zip(calls, (p, q), (needs_p, needs_q))]
        return None, None, *results, None

    _opaque.register_autograd(_gradients, setup_context=_keep)
else:
    _opaque = None


def _apply(form, x, w):
    return _Product.apply(form, x, w, None)


if _opaque is None and hasattr(torch, "_dynamo") and hasattr(torch._dynamo, "disable"):
    _apply = torch._dynamo.disable(_apply)  # a compiler steps around it


def _no_export(label):
    return Error(f"{label} computes in libdaa, which torch.export cannot record; run it as it is, or torch.compile it")


def refuse_tracing(label):
    """A traced or exported graph would have the numbers of one call, or a part of this process."""
    if torch.jit.is_tracing():
        raise Error(f"{label} computes in libdaa, which torch.jit.trace cannot record; run it as it is, or torch.compile it")
    if _is_exporting():
        raise _no_export(label)


def layer_product(layer, x, w, shape, transposed=False):
    """A layer's forward GEMM on (x, w), its result of SHAPE; of a transposed convolution the input gradient."""
    refuse_tracing(layer.label)
    if _opaque is not None and is_compiling():
        return _opaque(layer.number, "input_grad" if transposed else "forward", x, w, list(shape))
    last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
    last = last or (x.dim() == 5 and x.is_contiguous(memory_format=torch.channels_last_3d))
    if transposed:
        return _Product.apply(layer.form(shape, w.shape, last), None, w, x)
    return _apply(layer.form(x.shape, w.shape, last), x, w)
