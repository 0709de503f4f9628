"""A network's Linear and Conv2d layers through the arithmetic of the contract: forward, input and weight gradient.

    daa.torch.convert(model, daa.Config("paper"))

Each GEMM takes its operands in a fixed order, which matters where A and B have different formats:

    forward       A = inputs (rows: samples, or output pixels),  B = weights
    input_grad    A = output gradients,                          B = weights
    weight_grad   A = output gradients, transposed,              B = inputs

A convolution is the GEMM of its patches (im2col). The K of a patch runs over kernel row, kernel column, channel, the
channel fastest, so that streams hold neighbouring channels of one pixel; kernel taps that see nothing but padding are
left out. Its input gradient's K is the output channels, and the overlapping patches are then added in float32; a
weight gradient's K runs over samples and output pixels. The bias is added in float32, after the array.

What is not a Linear or Conv2d module is not seen: matrix products written as functions stay PyTorch's.
"""
import contextlib
import dataclasses
import math
import pathlib
from typing import Optional

import numpy
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.utils import _pair

from ._config import Config
from ._gemm import Counts, engines, gemm, quantize
from ._library import Error

GEMMS = ("forward", "input_grad", "weight_grad")
SAME = object()  # the configuration of the forward GEMM
_THREADS_MAX = 256  # of gemm()


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """How a layer computes: a configuration for each GEMM (None: float32 by PyTorch), engine and threads of `gemm`."""
    forward: Optional[Config]
    input_grad: Optional[Config]
    weight_grad: Optional[Config]
    engine: str = "auto"
    threads: Optional[int] = None

    def __post_init__(self):
        for config in (self.forward, self.input_grad, self.weight_grad):
            if config is not None and not isinstance(config, Config):
                raise Error(f"{config!r} is no daa.Config; give a Config, or None for float32")
        if self.engine not in engines():
            raise Error(f"this processor has no engine '{self.engine}'; it has {', '.join(engines())}")
        if self.threads is not None and not (isinstance(self.threads, int) and 0 <= self.threads <= _THREADS_MAX):
            raise Error(f"threads is {self.threads!r}; it must be 0 to {_THREADS_MAX}, or None for PyTorch's number")

    def operand(self, x, *names):
        """x for these GEMMs: rounded to bf16 at once if that is the format of them all, which halves what is moved."""
        configs = [getattr(self, name) for name in names]
        if all(c is not None and c.a_format == c.b_format == "bf16" for c in configs):
            return x.to(torch.bfloat16)
        return x.to(torch.float32)


def _multiply(layer, arithmetic, name, a, b):
    """The GEMM NAME of the layer: batches of matrices a and b, float32 result. Observers see what went in and out."""
    config = getattr(arithmetic, name)
    counts = Counts() if layer.observers and config is not None else None
    if config is None:
        with torch.autocast("cpu", enabled=False):
            result = torch.matmul(a.float(), b.float())
    else:
        threads = min(torch.get_num_threads(), _THREADS_MAX) if arithmetic.threads is None else arithmetic.threads
        result = gemm(a, b, config=config, engine=arithmetic.engine, threads=threads, counts=counts)
    for observer in layer.observers:
        observer(name, config, a, b, result, counts)
    return result


def _save(ctx, layer, x, weight):
    """What backward needs. Its arithmetic is the forward pass's, even if the layer is converted again meanwhile."""
    ctx.layer, ctx.arithmetic = layer, layer.arithmetic
    ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, weight if ctx.needs_input_grad[0] else None)


class _LinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, layer):
        x = layer.arithmetic.operand(x, "forward", "weight_grad")
        weight = layer.arithmetic.operand(weight, "forward", "input_grad")
        _save(ctx, layer, x, weight)
        return _multiply(layer, layer.arithmetic, "forward", x, weight.t())

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        gradient = ctx.arithmetic.operand(gradient, "input_grad", "weight_grad")
        of_input = of_weight = None
        if ctx.needs_input_grad[0]:
            of_input = _multiply(ctx.layer, ctx.arithmetic, "input_grad", gradient, weight)
        if ctx.needs_input_grad[1]:
            of_weight = _multiply(ctx.layer, ctx.arithmetic, "weight_grad", gradient.t(), x)
        return of_input, of_weight, None


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


class _Patches:
    """The geometry of a convolution on inputs (N, H, W, C) of one size: patches out of an image, and back by addition.
    Patches are (groups, N * output pixels, taps * C / groups)."""

    def __init__(self, layer, x_shape):
        self.batch, self.channels, self.height, self.width = x_shape
        kernel, self.groups, self.depth = tuple(layer.weight.shape[2:]), layer.groups, layer.weight.shape[1]
        (self.stride_h, self.stride_w), (self.dilation_h, self.dilation_w) = _pair(layer.stride), _pair(layer.dilation)
        left, right, top, bottom = self.padding = layer.zero_padding()
        self.rows = _Taps.of(self.height, kernel[0], self.stride_h, (top, bottom), self.dilation_h)
        self.cols = _Taps.of(self.width, kernel[1], self.stride_w, (left, right), self.dilation_w)
        if self.rows.out < 1 or self.cols.out < 1:
            raise Error(f"{layer.label} got {self.height} x {self.width} pixels; its kernel of {kernel} needs more")
        self.whole = kernel == (1, 1) and self.stride_h == self.stride_w == 1 and not any(self.padding)
        self.count = self.batch * self.rows.out * self.cols.out
        self.shape = (self.groups, self.batch, self.rows.out, self.cols.out,
                      self.rows.count, self.cols.count, self.depth)

    def _image(self, like):
        """Zeros of an input with its padding, and the input's part of it."""
        left, right, top, bottom = self.padding
        image = like.new_zeros(self.batch, self.height + top + bottom, self.width + left + right, self.channels)
        return image, image[:, top:top + self.height, left:left + self.width]

    def take(self, x):
        """(N, H, W, C) to patches."""
        if self.whole:
            return x.reshape(self.count, self.groups, self.depth).transpose(0, 1)
        image, inside = self._image(x)
        inside.copy_(x)
        n, h, w, c = image.stride()
        taps = image.as_strided(
            self.shape,
            (self.depth * c, n, h * self.stride_h, w * self.stride_w, h * self.dilation_h, w * self.dilation_w, c),
            self.rows.first * self.dilation_h * h + self.cols.first * self.dilation_w * w)
        return taps.reshape(self.groups, self.count, self.rows.count * self.cols.count * self.depth)

    def add(self, patches):
        """The sums of overlapping patches, (N, H, W, C), each added in the order of the kernel's rows and columns."""
        if self.whole:
            return patches.transpose(0, 1).reshape(self.batch, self.height, self.width, self.channels)
        patches = patches.reshape(self.shape)
        image, inside = self._image(patches)
        for i in range(self.rows.count):
            top = (self.rows.first + i) * self.dilation_h
            for j in range(self.cols.count):
                left = (self.cols.first + j) * self.dilation_w
                for g in range(self.groups):
                    image[:, top:top + self.stride_h * self.rows.out:self.stride_h,
                          left:left + self.stride_w * self.cols.out:self.stride_w,
                          g * self.depth:(g + 1) * self.depth] += patches[g, :, :, :, i, j]
        return inside

    def kernels(self, weight):
        """(Cout, C / groups, rows, cols) to (groups, Cout / groups, taps * C / groups)."""
        used = weight[:, :, self.rows.kept, self.cols.kept].permute(0, 2, 3, 1)
        return used.reshape(self.groups, len(weight) // self.groups, self.rows.count * self.cols.count * self.depth)

    def kernel_gradient(self, gradient, shape):
        """Back to the weight's shape; taps that were left out have none."""
        whole = gradient.new_zeros(shape)
        used = gradient.reshape(shape[0], self.rows.count, self.cols.count, self.depth)
        whole[:, :, self.rows.kept, self.cols.kept] = used.permute(0, 3, 1, 2)
        return whole


class _ConvFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, layer):
        patches = _Patches(layer, x.shape)
        ctx.patches, ctx.weight_shape = patches, weight.shape
        ctx.channels_last = x.is_contiguous(memory_format=torch.channels_last)
        x = layer.arithmetic.operand(x, "forward", "weight_grad").permute(0, 2, 3, 1)
        kernels = layer.arithmetic.operand(patches.kernels(weight), "forward", "input_grad")
        _save(ctx, layer, x, kernels)
        y = _multiply(layer, layer.arithmetic, "forward", patches.take(x), kernels.transpose(1, 2))
        y = y.transpose(0, 1).reshape(patches.batch, patches.rows.out, patches.cols.out, len(weight))
        return _channels_first(y, ctx.channels_last)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        patches, (x, kernels) = ctx.patches, ctx.saved_tensors
        gradient = ctx.arithmetic.operand(gradient, "input_grad", "weight_grad").permute(0, 2, 3, 1)
        outputs = ctx.weight_shape[0] // patches.groups
        gradient = gradient.reshape(patches.count, patches.groups, outputs).transpose(0, 1)
        of_input = of_weight = None
        if ctx.needs_input_grad[0]:
            of_input = patches.add(_multiply(ctx.layer, ctx.arithmetic, "input_grad", gradient, kernels))
            of_input = _channels_first(of_input, ctx.channels_last)
        if ctx.needs_input_grad[1]:
            of_weight = _multiply(ctx.layer, ctx.arithmetic, "weight_grad", gradient.transpose(1, 2), patches.take(x))
            of_weight = patches.kernel_gradient(of_weight, ctx.weight_shape)
        return of_input, of_weight, None


def _channels_first(image, channels_last):
    """(N, H, W, C) to (N, C, H, W), in memory format channels_last or contiguous, as the layer's input is."""
    image = image.permute(0, 3, 1, 2)
    return image if channels_last else image.contiguous()


class _Layer:
    """What converted layers have: `arithmetic`, `label` (the name in the model), `observers` of their GEMMs. Class
    attributes hold what a layer has before it is told."""
    arithmetic = Arithmetic(Config(), Config(), Config())
    label = "the layer"
    observers = ()

    def require_float32(self, x):
        for name, tensor in (("input", x), ("weight", self.weight)):
            if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
                raise Error(f"the {name} of {self.label} is {tensor.dtype} on {tensor.device}; it must be float32 on "
                            "the CPU (turn autocast off)")

    def extra_repr(self):
        return f"{super().extra_repr()}, daa=({self.arithmetic.forward})"


class Linear(_Layer, nn.Linear):
    """nn.Linear whose GEMMs are the contract's. Parameters and state dict are nn.Linear's."""

    def forward(self, x):
        self.require_float32(x)
        outputs, inputs = self.weight.shape
        if x.dim() == 0 or x.shape[-1] != inputs:
            raise Error(f"{self.label} got {tuple(x.shape)}; the last size must be {inputs}")
        lead = x.shape[:-1]
        y = _LinearFunction.apply(x.reshape(lead.numel(), inputs), self.weight, self).reshape(*lead, outputs)
        return y if self.bias is None else y + self.bias


class Conv2d(_Layer, nn.Conv2d):
    """nn.Conv2d whose GEMMs are the contract's, with any stride, padding, dilation and groups. Parameters and state
    dict are nn.Conv2d's. Outputs have the input's memory format. channels_last is the fastest, and what an input of one
    channel, which has both, counts as."""

    def zero_padding(self):
        """Left, right, top, bottom: zeros around the image. Other padding modes pad beforehand."""
        if self.padding_mode != "zeros":
            return 0, 0, 0, 0
        if isinstance(self.padding, str):
            return tuple(self._reversed_padding_repeated_twice)
        rows, cols = _pair(self.padding)
        return cols, cols, rows, rows

    def forward(self, x):
        self.require_float32(x)
        channels = self.weight.shape[1] * self.groups
        if x.dim() not in (3, 4) or x.shape[-3] != channels:
            raise Error(f"{self.label} got {tuple(x.shape)}; it must be (N, {channels}, H, W)")
        if self.padding_mode != "zeros":
            x = functional.pad(x, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        y = _ConvFunction.apply(x if x.dim() == 4 else x[None], self.weight, self)
        y = y if self.bias is None else y + self.bias[:, None, None]
        return y if x.dim() == 4 else y[0]


# ---- a model's layers ----

_CONVERTED = {nn.Linear: Linear, nn.Conv2d: Conv2d, Linear: Linear, Conv2d: Conv2d}
_WITH_PRODUCTS = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention,
                  torch.jit.ScriptModule)
_PASSES_BY = nn.TransformerEncoderLayer  # in eval it hands the weights of its Linears to a kernel of PyTorch's


def _names(names):
    """Names of modules as a tuple; None is the whole model, whose name is empty."""
    return ("",) if names is None else (names,) if isinstance(names, str) else tuple(names)


def _within(name, names):
    return any(other in ("", name) or name.startswith(other + ".") for other in names)


def _targets(model, layers, keep):
    """Names and modules to convert. Everything that is in the way is named at once."""
    modules = dict(model.named_modules())
    unknown = sorted(name for name in [*layers, *keep] if name not in modules)
    if unknown:
        raise Error(f"the model has no layer {', '.join(unknown)}; its layers are in model.named_modules()")
    wanted = {name: module for name, module in modules.items()
              if isinstance(module, _WITH_PRODUCTS) and _within(name, layers) and not _within(name, keep)}
    wrong = [name for name, module in wanted.items() if type(module) not in _CONVERTED
             or module.weight.dtype != torch.float32 or module.weight.device.type != "cpu"]
    wrong += [name for name, module in modules.items()
              if isinstance(module, _PASSES_BY) and any(_within(target, [name]) for target in wanted)]
    if wrong:
        listed = ", ".join(f"{name or 'the model'} ({type(modules[name]).__name__})" for name in wrong)
        raise Error(f"cannot convert {listed}; only Linear and Conv2d with float32 weights on the CPU can be: "
                    "name the others in keep=, or leave them out of layers=")
    if not wanted:
        raise Error("there is no Linear or Conv2d to convert")
    return wanted


def convert(model, config, *, input_grad=SAME, weight_grad=SAME, layers=None, high=(), keep=(), engine="auto",
            threads=None):
    """Turns the model's Linear and Conv2d modules into the classes above, in place, and returns the model.

    config, input_grad, weight_grad: a `Config` for each GEMM, the latter two the first one's if not given; None leaves
        that GEMM to PyTorch in float32.
    layers: names of the modules to convert, or of modules that hold them; None: all.
    high: names among them that compute with one stream, every product high, in the same formats; for first and last
        layers. keep: names that stay as they are.
    engine, threads: as in `daa.gemm`; threads None follows torch.get_num_threads().

    Parameters, hooks, and the state dict stay what they are, so optimizers and checkpoints do not notice. A converted
    model may be converted again. Raises Error, the model unchanged, where a module with products of its own is no plain
    Linear or Conv2d (other convolutions, recurrent cells, attention, scripted modules, subclasses), by name.
    """
    if not isinstance(model, nn.Module):
        raise Error(f"the model is a {type(model).__name__}; it must be a torch.nn.Module")
    configs = [config, *(config if c is SAME else c for c in (input_grad, weight_grad))]
    ordinary = Arithmetic(*configs, engine=engine, threads=threads)
    high_only = Arithmetic(*(c and c.replace(streams=1) for c in configs), engine=engine, threads=threads)
    high, keep = _names(high or ()), _names(keep or ())
    wanted = _targets(model, _names(layers), keep)
    strange = [name for name in high if not any(_within(target, [name]) for target in wanted)]
    if strange:
        raise Error(f"high names {', '.join(strange)}, which is not among the converted layers")
    for name, module in wanted.items():
        module.__class__ = _CONVERTED[type(module)]
        module.label = name or "the model"
        module.arithmetic = high_only if _within(name, high) else ordinary
    return model


def _converted(model, layers):
    found = {name: module for name, module in model.named_modules() if isinstance(module, _Layer)}
    unknown = [name for name in _names(layers) if not any(_within(target, [name]) for target in found)]
    if unknown:
        raise Error(f"there is no converted layer in {', '.join(name or 'the model' for name in unknown)}; "
                    f"the converted layers are {', '.join(found) or 'none'}")
    return {name: module for name, module in found.items() if _within(name, _names(layers))}


@contextlib.contextmanager
def _watching(model, layers, make_observer):
    watched = _converted(model, layers)
    before = {name: module.observers for name, module in watched.items()}
    for name, module in watched.items():
        module.observers = (*module.observers, make_observer(name))
    try:
        yield
    finally:
        for name, module in watched.items():
            module.observers = before[name]


def _exact_operands(config, a, b):
    """Operands as the array has them, in float64."""
    if config is not None:
        a, b = quantize(a.float(), config.a_format), quantize(b.float(), config.b_format)
    return a.double(), b.double()


def signal_to_noise(config, a, b, result):
    """10 log10(sum of squares of the exact A B over that of the error of `result`), in dB. Exact is float64 on the
    operands rounded to their formats, so that only the products and sums of the array are judged. Infinite where
    nothing differs."""
    exact_a, exact_b = _exact_operands(config, a, b)
    exact = exact_a @ exact_b
    noise = float(((result.double() - exact) ** 2).sum())
    signal = float((exact ** 2).sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


class Record:
    """`rows`: one dict a GEMM, in the order they ran: layer, gemm, batch, m, n, k, config; shares of the stream's
    products by stream (high, low, zero, dropped, special: lists); snr_db, see `signal_to_noise`."""

    def __init__(self):
        self.rows = []

    def add(self, layer, name, config, a, b, result, counts):
        batch, m, k = a.shape if a.dim() == 3 else (1, *a.shape)
        row = {"layer": layer, "gemm": name, "batch": batch, "m": m, "n": b.shape[-1], "k": k,
               "config": str(config or "float32")}
        if counts is not None:
            found = counts.as_dict(config.streams)
            totals = [max(sum(of_stream), 1) for of_stream in zip(*found.values())]
            row.update({kind: [c / t for c, t in zip(of, totals)] for kind, of in found.items()})
        row["snr_db"] = signal_to_noise(config, a, b, result)
        self.rows.append(row)


@contextlib.contextmanager
def observe(model, layers=None):
    """Statistics of every GEMM that runs inside the `with`, of the converted layers or those in `layers` (names as in
    `convert`): a `Record`. The results stay the same bits; each product is counted and computed once more in float64,
    which takes its time."""
    record = Record()

    def observer(layer):
        return lambda *seen: record.add(layer, *seen)

    with _watching(model, layers, observer):
        yield record


@contextlib.contextmanager
def dump(model, directory, layers=None, gemms=GEMMS):
    """Writes the operands of every GEMM that runs inside the `with`, as the array gets them (float32 .npy of numbers in
    the operand format): <layer>.<gemm>.a.npy (M x K) and .b.npy (K x N); <layer> is "model" where that is the layer. A
    batch of them (groups), or a GEMM that runs again, is numbered: <layer>.<gemm>.1.a.npy. Yields the list of paths
    written. `layers` are names as in `convert`."""
    gemms = _names(gemms)
    unknown = [name for name in gemms if name not in GEMMS]
    if unknown:
        raise Error(f"there is no GEMM {', '.join(unknown)}; they are {', '.join(GEMMS)}")
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    written = []

    def write(layer, name, config, a, b, result, counts):
        if name not in gemms:
            return
        for x, y in zip(*(m.reshape(-1, *m.shape[-2:]) for m in _exact_operands(config, a, b))):
            first = stem = f"{layer or 'model'}.{name}"
            number = 0
            while directory / f"{stem}.a.npy" in written:
                number += 1
                stem = f"{first}.{number}"
            for side, matrix in (("a", x), ("b", y)):
                path, part = directory / f"{stem}.{side}.npy", directory / f"{stem}.{side}.part"
                with part.open("wb") as file:
                    numpy.save(file, numpy.ascontiguousarray(matrix.float().numpy()))
                part.rename(path)
                written.append(path)

    with _watching(model, layers, lambda layer: lambda *seen: write(layer, *seen)):
        yield written
