"""A network's Linear and Conv2d layers through the arithmetic of the contract: forward, input gradient, weight gradient.

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

from ._config import Config
from ._gemm import Counts, gemm, quantize
from ._library import Error

GEMMS = ("forward", "input_grad", "weight_grad")
SAME = object()  # the configuration of the forward GEMM


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """How a layer computes: a configuration for each GEMM (None: float32 by PyTorch), engine and threads of `gemm`."""
    forward: Optional[Config]
    input_grad: Optional[Config]
    weight_grad: Optional[Config]
    engine: str = "auto"
    threads: Optional[int] = None

    def operand(self, x, *names):
        """x for these GEMMs: rounded to bf16 at once if that is the format of them all, which halves what is moved."""
        configs = [getattr(self, name) for name in names]
        if all(c is not None and c.a_format == c.b_format == "bf16" for c in configs):
            return x.to(torch.bfloat16)
        return x.to(torch.float32)


def _multiply(layer, name, a, b):
    """The GEMM NAME of the layer: batches of matrices a and b, float32 result. Observers see what went in and out."""
    arithmetic = layer.arithmetic
    config = getattr(arithmetic, name)
    counts = Counts() if layer.observers and config is not None else None
    if config is None:
        result = torch.matmul(a.float(), b.float())
    else:
        threads = torch.get_num_threads() if arithmetic.threads is None else arithmetic.threads
        result = gemm(a, b, config=config, engine=arithmetic.engine, threads=threads, counts=counts)
    for observer in layer.observers:
        observer(name, config, a, b, result, counts)
    return result


def _require_float32(layer, x):
    if x.dtype != torch.float32 or x.device.type != "cpu":
        raise Error(f"{layer.label} got {x.dtype} on {x.device}; it takes float32 on the CPU (turn autocast off)")


class _LinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, layer):
        x = layer.arithmetic.operand(x.reshape(-1, x.shape[-1]), "forward", "weight_grad")
        weight = layer.arithmetic.operand(weight, "forward", "input_grad")
        ctx.layer = layer
        ctx.save_for_backward(x, weight)
        return _multiply(layer, "forward", x, weight.t())

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        gradient = ctx.layer.arithmetic.operand(gradient, "input_grad", "weight_grad")
        of_input = _multiply(ctx.layer, "input_grad", gradient, weight) if ctx.needs_input_grad[0] else None
        of_weight = _multiply(ctx.layer, "weight_grad", gradient.t(), x) if ctx.needs_input_grad[1] else None
        return of_input, of_weight, None


@dataclasses.dataclass(frozen=True)
class _Taps:
    """Kernel positions in one dimension that meet the input at all: `first` and `count`; the output's size."""
    first: int
    count: int
    out: int

    @staticmethod
    def of(size, kernel, stride, padding, dilation):
        out = (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1
        used = [i for i in range(kernel)
                if any(0 <= i * dilation + o * stride - padding[0] < size for o in range(max(out, 0)))]
        return _Taps(used[0], used[-1] - used[0] + 1, out) if used else _Taps(0, 1, out)


class _Patches:
    """The geometry of a convolution on inputs of one size: patches out of an image, and back by addition."""

    def __init__(self, layer, height, width):
        (self.stride_h, self.stride_w), (self.dilation_h, self.dilation_w) = layer.stride, layer.dilation
        self.groups = layer.groups
        left, right, top, bottom = layer.zero_padding()
        self.padding = top, bottom, left, right
        self.rows = _Taps.of(height, layer.kernel_size[0], self.stride_h, (top, bottom), self.dilation_h)
        self.cols = _Taps.of(width, layer.kernel_size[1], self.stride_w, (left, right), self.dilation_w)
        if self.rows.out < 1 or self.cols.out < 1:
            raise Error(f"{layer.label} got {height} x {width} pixels; its kernel of {layer.kernel_size} needs more")
        self.whole = (layer.kernel_size == (1, 1) and layer.stride == (1, 1) and not any(self.padding))

    def _image(self, shape, dtype):
        batch, height, width, channels = shape
        top, bottom, left, right = self.padding
        image = torch.zeros(batch, height + top + bottom, width + left + right, channels, dtype=dtype)
        return image, image[:, top:top + height, left:left + width]

    def take(self, x):
        """(N, H, W, C) to (groups, N * pixels, taps * C / groups)."""
        batch, _, _, channels = x.shape
        depth = channels // self.groups
        if self.whole:
            return x.reshape(-1, self.groups, depth).transpose(0, 1)
        image, inside = self._image(x.shape, x.dtype)
        inside.copy_(x)
        n, h, w, c = image.stride()
        taps = image.as_strided(
            (self.groups, batch, self.rows.out, self.cols.out, self.rows.count, self.cols.count, depth),
            (depth * c, n, h * self.stride_h, w * self.stride_w, h * self.dilation_h, w * self.dilation_w, c),
            self.rows.first * self.dilation_h * h + self.cols.first * self.dilation_w * w)
        return taps.reshape(self.groups, batch * self.rows.out * self.cols.out, -1)

    def add(self, patches, shape):
        """The sums of overlapping patches, (N, H, W, C), each added in the order of the kernel's rows and columns."""
        batch, _, _, channels = shape
        depth = channels // self.groups
        if self.whole:
            return patches.transpose(0, 1).reshape(shape)
        patches = patches.reshape(self.groups, batch, self.rows.out, self.cols.out, self.rows.count, self.cols.count, depth)
        image, inside = self._image(shape, torch.float32)
        for i in range(self.rows.count):
            top = (self.rows.first + i) * self.dilation_h
            for j in range(self.cols.count):
                left = (self.cols.first + j) * self.dilation_w
                for g in range(self.groups):
                    image[:, top:top + self.stride_h * self.rows.out:self.stride_h,
                          left:left + self.stride_w * self.cols.out:self.stride_w,
                          g * depth:(g + 1) * depth] += patches[g, :, :, :, i, j]
        return inside

    def kernels(self, weight):
        """(Cout, Cin / groups, rows, cols) to (groups, Cout / groups, taps * Cin / groups)."""
        used = weight[:, :, self.rows.first:self.rows.first + self.rows.count,
                      self.cols.first:self.cols.first + self.cols.count]
        return used.permute(0, 2, 3, 1).reshape(self.groups, weight.shape[0] // self.groups, -1)

    def kernel_gradient(self, gradient, shape):
        """Back to the weight's shape; taps that were left out have none."""
        whole = torch.zeros(shape)
        whole[:, :, self.rows.first:self.rows.first + self.rows.count,
              self.cols.first:self.cols.first + self.cols.count] = gradient.reshape(
                  shape[0], self.rows.count, self.cols.count, shape[1]).permute(0, 3, 1, 2)
        return whole


class _ConvFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, layer):
        batch, _, height, width = x.shape
        patches = _Patches(layer, height, width)
        x = layer.arithmetic.operand(x, "forward", "weight_grad").permute(0, 2, 3, 1)
        kernels = layer.arithmetic.operand(patches.kernels(weight), "forward", "input_grad")
        ctx.layer, ctx.patches, ctx.weight_shape = layer, patches, weight.shape
        ctx.save_for_backward(x, kernels)
        y = _multiply(layer, "forward", patches.take(x), kernels.transpose(1, 2))
        return y.transpose(0, 1).reshape(batch, patches.rows.out, patches.cols.out, -1).permute(0, 3, 1, 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        layer, patches = ctx.layer, ctx.patches
        x, kernels = ctx.saved_tensors
        gradient = layer.arithmetic.operand(gradient, "input_grad", "weight_grad").permute(0, 2, 3, 1)
        gradient = gradient.reshape(-1, layer.groups, layer.out_channels // layer.groups).transpose(0, 1)
        of_input = of_weight = None
        if ctx.needs_input_grad[0]:
            of_input = patches.add(_multiply(layer, "input_grad", gradient, kernels), x.shape).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            of_weight = _multiply(layer, "weight_grad", gradient.transpose(1, 2), patches.take(x))
            of_weight = patches.kernel_gradient(of_weight, ctx.weight_shape)
        return of_input, of_weight, None


class _Layer:
    """What converted layers have: `arithmetic`, `label` (the name in the model), `observers` of their GEMMs. Class
    attributes hold what a layer has before it is told."""
    arithmetic = Arithmetic(Config(), Config(), Config())
    label = "the layer"
    observers = ()

    def extra_repr(self):
        return f"{super().extra_repr()}, daa=({self.arithmetic.forward})"


class Linear(_Layer, nn.Linear):
    """nn.Linear whose GEMMs are the contract's. Parameters and state dict are nn.Linear's."""

    def forward(self, x):
        _require_float32(self, x)
        if x.shape[-1] != self.in_features:
            raise Error(f"{self.label} got {tuple(x.shape)}; the last size must be {self.in_features}")
        y = _LinearFunction.apply(x, self.weight, self).reshape(*x.shape[:-1], self.out_features)
        return y if self.bias is None else y + self.bias


class Conv2d(_Layer, nn.Conv2d):
    """nn.Conv2d whose GEMMs are the contract's, with any stride, padding, dilation and groups. Parameters and state dict
    are nn.Conv2d's. Inputs in memory format channels_last are the fastest; outputs have it."""

    def zero_padding(self):
        """Left, right, top, bottom: zeros around the image. Other padding modes pad beforehand."""
        return tuple(self._reversed_padding_repeated_twice) if self.padding_mode == "zeros" else (0, 0, 0, 0)

    def forward(self, x):
        _require_float32(self, x)
        if x.dim() not in (3, 4) or x.shape[-3] != self.in_channels:
            raise Error(f"{self.label} got {tuple(x.shape)}; it must be (N, {self.in_channels}, H, W)")
        if self.padding_mode != "zeros":
            x = functional.pad(x, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        y = _ConvFunction.apply(x if x.dim() == 4 else x[None], self.weight, self)
        y = y if self.bias is None else y + self.bias[:, None, None]
        return y if x.dim() == 4 else y[0]


# ---- a model's layers ----

_CONVERTED = {nn.Linear: Linear, nn.Conv2d: Conv2d, Linear: Linear, Conv2d: Conv2d}
_WITH_PRODUCTS = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)


def _within(name, names):
    return any(name == other or name.startswith(other + ".") for other in names)


def _targets(model, layers, keep):
    """Names and modules to convert. Everything that is in the way is named at once."""
    modules = dict(model.named_modules())
    unknown = sorted(name for name in [*(layers or ()), *keep] if name not in modules)
    if unknown:
        raise Error(f"the model has no layer {', '.join(unknown)}; its layers are in model.named_modules()")
    wanted = {name: module for name, module in modules.items()
              if isinstance(module, _WITH_PRODUCTS) and (layers is None or _within(name, layers)) and not _within(name, keep)}
    wrong = [f"{name or 'the model'} ({type(module).__name__})" for name, module in wanted.items()
             if type(module) not in _CONVERTED or module.weight.dtype != torch.float32 or module.weight.device.type != "cpu"]
    if wrong:
        raise Error(f"cannot convert {', '.join(wrong)}; only Linear and Conv2d with float32 weights on the CPU can be: "
                    "name the others in keep=, or leave them out of layers=")
    if not wanted:
        raise Error("there is no Linear or Conv2d to convert")
    return wanted


def convert(model, config, *, input_grad=SAME, weight_grad=SAME, layers=None, high=(), keep=(), engine="auto", threads=None):
    """Turns the model's Linear and Conv2d modules into the classes above, in place, and returns the model.

    config, input_grad, weight_grad: a `Config` for each GEMM, the latter two the first one's if not given; None leaves
        that GEMM to PyTorch in float32.
    layers: names of the modules to convert, or of modules that hold them; None: all.
    high: names among them that compute with one stream, every product high, in the same formats; for first and last
        layers. keep: names that stay as they are.
    engine, threads: as in `daa.gemm`; threads None follows torch.get_num_threads().

    Parameters, hooks, and the state dict stay what they are, so optimizers and checkpoints do not notice. A converted
    model may be converted again. Raises Error, the model unchanged, where a module with products of its own is no plain
    Linear or Conv2d (other convolutions, recurrent cells, attention, subclasses), by name.
    """
    configs = [config, *(config if c is SAME else c for c in (input_grad, weight_grad))]
    for c in configs:
        if c is not None and not isinstance(c, Config):
            raise Error(f"{c!r} is no daa.Config; give a Config, or None for float32")
    wanted = _targets(model, layers, keep)
    strange = [name for name in high if not any(_within(target, [name]) for target in wanted)]
    if strange:
        raise Error(f"high names {', '.join(strange)}, which is not among the converted layers")
    ordinary = Arithmetic(*configs, engine=engine, threads=threads)
    high_only = Arithmetic(*(c and c.replace(streams=1) for c in configs), engine=engine, threads=threads)
    for name, module in wanted.items():
        module.__class__ = _CONVERTED[type(module)]
        module.label = name or "the model"
        module.arithmetic = high_only if _within(name, high) else ordinary
    return model


def _converted(model, layers):
    found = {name: module for name, module in model.named_modules() if isinstance(module, _Layer)}
    unknown = [name for name in layers or () if name not in found]
    if unknown or not found:
        raise Error(f"{', '.join(unknown) or 'none of the model'} is a converted layer; they are {', '.join(found) or 'none'}")
    return {name: module for name, module in found.items() if layers is None or name in layers}


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
    formats = (config.a_format, config.b_format) if config is not None else (None, None)
    return tuple((x if x.dtype == torch.bfloat16 or name is None else quantize(x, name)).double()
                 for x, name in zip((a, b), formats))


def signal_to_noise(config, a, b, result):
    """10 log10(sum of squares of the exact A B over that of the error of `result`), in dB. Exact is float64 on the operands
    rounded to their formats, so that only the products and sums of the array are judged. Infinite where nothing differs."""
    exact_a, exact_b = _exact_operands(config, a, b)
    exact = exact_a @ exact_b
    noise = float(((result.double() - exact) ** 2).sum())
    signal = float((exact ** 2).sum())
    return 10 * math.log10(signal / noise) if noise and signal else math.inf


class Record:
    """`rows`: one dict a GEMM, in the order they ran: layer, gemm, batch, m, n, k, config; shares of the stream's
    products by stream (high, low, zero, dropped, special: lists); snr_db, see `signal_to_noise`."""

    def __init__(self):
        self.rows = []

    def add(self, layer, name, config, a, b, result, counts):
        batch, m, k = a.shape if a.dim() == 3 else (1, *a.shape)
        row = {"layer": layer, "gemm": name, "batch": batch, "m": m, "n": b.shape[-1], "k": k, "config": str(config or "float32")}
        if counts is not None:
            found = counts.as_dict(config.streams)
            totals = [max(sum(of_stream), 1) for of_stream in zip(*found.values())]
            row.update({kind: [c / t for c, t in zip(of, totals)] for kind, of in found.items()})
        row["snr_db"] = signal_to_noise(config, a, b, result)
        self.rows.append(row)


@contextlib.contextmanager
def observe(model, layers=None):
    """Statistics of every GEMM of the converted layers (or those named) that runs inside the `with`: a `Record`. The
    results stay the same bits; each product is counted and computed once more in float64, which takes its time."""
    record = Record()

    def observer(layer):
        return lambda *seen: record.add(layer, *seen)

    with _watching(model, layers, observer):
        yield record


@contextlib.contextmanager
def dump(model, directory, layers=None, gemms=GEMMS):
    """Writes the operands of every GEMM that runs inside the `with`, as the array gets them (float32 .npy of numbers in
    the operand format): <layer>.<gemm>.a.npy (M x K) and .b.npy (K x N). A batch of them (groups), or a GEMM that runs
    again, is numbered: <layer>.<gemm>.1.a.npy. Yields the list of paths written."""
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
            stem, number = f"{layer}.{name}", 0
            while directory / f"{stem}.a.npy" in written:
                number += 1
                stem = f"{layer}.{name}.{number}"
            for side, matrix in (("a", x), ("b", y)):
                path, part = directory / f"{stem}.{side}.npy", directory / f"{stem}.{side}.part"
                with part.open("wb") as file:
                    numpy.save(file, numpy.ascontiguousarray(matrix.float().numpy()))
                part.rename(path)
                written.append(path)

    with _watching(model, layers, lambda layer: lambda *seen: write(layer, *seen)):
        yield written
