"""Networks through the arithmetic of the contract: forward, input gradient and weight gradient of their layers.

    daa.torch.convert(model, daa.Config("paper"))

Each GEMM takes its operands in a fixed order, which matters where A and B have different formats:

    forward       A = inputs (rows: samples, or output pixels),  B = weights
    input_grad    A = output gradients,                          B = weights
    weight_grad   A = output gradients, transposed,              B = inputs

A convolution is the GEMM of its patches (im2col). The K of a patch runs over the kernel's positions, then channel, the
channel fastest, so that streams hold neighbouring channels of one pixel; kernel taps that see nothing but padding are
left out. Its input gradient's K is the output channels, and the overlapping patches are then added in float32; a
weight gradient's K runs over samples and output pixels. A transposed convolution's forward GEMM is that input gradient.
The bias is added in float32, after the array.

What is no module of these kinds, products written as functions above all, stays PyTorch's: `convert` warns of it by
name, and `matmul`, `bmm`, `linear`, `conv2d` and `scaled_dot_product_attention` here do the same in the array.
"""
import contextlib
import fnmatch
import math
import pathlib
import sys
import warnings

import numpy
import torch
from torch import nn

from ._config import Config
from ._gemm import DEVICES, quantize
from . import _layers, _recurrent
from ._layers import (Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Layer, Linear,
                      MultiheadAttention, TransformerEncoderLayer, as_float32, attend, batched_product, convolve,
                      linear_product, zeros_around)
from ._layers import _each as each
from ._library import Error
from ._products import GEMMS, Arithmetic, Geometry, Matrices, Patches, is_compiling, number_of
from ._recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = ["Arithmetic", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "GEMMS",
           "GRU", "GRUCell", "LSTM", "LSTMCell", "Linear", "MultiheadAttention", "RNN", "RNNCell", "Record",
           "TransformerEncoderLayer", "bmm", "conv2d", "convert", "dump", "linear", "matmul", "observe", "revert",
           "scaled_dot_product_attention", "signal_to_noise", "summary"]

LAYERS = {**_layers.LAYERS, **_recurrent.LAYERS}
"""PyTorch's class -> ours."""

for _kind in LAYERS.values():
    _kind.__module__ = __name__  # where saved models look for them

SAME = object()  # the configuration of the forward GEMM


# ---- functions ----

class _Call:
    """What a function has in place of a layer."""
    observers = ()

    def __init__(self, label, config, input_grad, weight_grad, scaled, geometry=None):
        self.label, self.geometry = label, geometry
        three = (config if c is SAME else c for c in (config, input_grad, weight_grad))
        self.arithmetic = Arithmetic(*three, scaled=scaled)
        self.number = number_of(self) if is_compiling() else None

    def form(self, x_shape, w_shape, last=False):
        if self.geometry is None:
            return Matrices(self, self.arithmetic)
        return Patches(self, self.arithmetic, self.geometry, x_shape, w_shape, last)


def _whole(function):
    """A compiler steps around these functions: it sees the layers."""
    dynamo = sys.modules.get("torch._dynamo") or getattr(torch, "_dynamo", None)
    return dynamo.disable(function) if hasattr(dynamo, "disable") else function


@_whole
def matmul(a, b, *, config=Config(), input_grad=SAME, weight_grad=SAME, scaled=False):
    """torch.matmul(a, b) in the array, with gradients: a is what a layer's inputs are, b its weights, transposed. The
    gradients of what is broadcast are added up in float32."""
    call = _Call("matmul", config, input_grad, weight_grad, scaled)
    a, b = as_float32("matmul", "first operand", a), as_float32("matmul", "second operand", b)
    if not a.dim() or not b.dim():
        raise Error(f"matmul got {tuple(a.shape)} and {tuple(b.shape)}; each must have a dimension or more")
    row, column = a.dim() == 1, b.dim() == 1
    a, b = a[None] if row else a, b[:, None] if column else b
    if a.shape[-1] != b.shape[-2]:
        raise Error(f"matmul got {tuple(a.shape)} and {tuple(b.shape)}; the second must have {a.shape[-1]} rows")
    try:
        torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except RuntimeError:
        raise Error(f"matmul got {tuple(a.shape)} and {tuple(b.shape)}; their batches must broadcast") from None
    y = batched_product(call, a, b)
    y = y.squeeze(-2) if row else y
    return y.squeeze(-1) if column else y


def bmm(a, b, **configs):
    """torch.bmm(a, b) in the array, with gradients."""
    if a.dim() != 3 or b.dim() != 3 or a.shape[0] != b.shape[0]:
        raise Error(f"bmm got {tuple(a.shape)} and {tuple(b.shape)}; it must be (N, M, K) and (N, K, P)")
    return matmul(a, b, **configs)


@_whole
def linear(x, weight, bias=None, *, config=Config(), input_grad=SAME, weight_grad=SAME, scaled=False):
    """torch.nn.functional.linear in the array, with gradients."""
    call = _Call("linear", config, input_grad, weight_grad, scaled)
    x, weight = as_float32("linear", "input", x), as_float32("linear", "weight", weight)
    if weight.dim() != 2:
        raise Error(f"linear got a weight of {tuple(weight.shape)}; it must be a matrix")
    y = linear_product(call, x, weight, "linear")
    return y if bias is None else y + bias


@_whole
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, config=Config(), input_grad=SAME,
           weight_grad=SAME, scaled=False):
    """torch.nn.functional.conv2d in the array, with gradients."""
    x, weight = as_float32("conv2d", "input", x), as_float32("conv2d", "weight", weight)
    if weight.dim() != 4 or weight.shape[0] % groups:
        raise Error(f"conv2d got a weight of {tuple(weight.shape)} in {groups} groups; it must be (Cout, C / groups, H, W)")
    dilation = each(dilation, 2)
    geometry = Geometry(each(stride, 2), zeros_around(padding, weight.shape[2:], dilation), dilation, groups)
    y = convolve(_Call("conv2d", config, input_grad, weight_grad, scaled, geometry), geometry, x, weight, "conv2d")
    return y if bias is None else y + bias.reshape(-1, 1, 1)


@_whole
def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, *,
                                 config=Config(), input_grad=SAME, weight_grad=SAME, scaled=False):
    """torch.nn.functional.scaled_dot_product_attention in the array, with gradients: (..., L, E), (..., S, E), (..., S,
    V). The scale and the softmax are float32."""
    call = _Call("scaled_dot_product_attention", config, input_grad, weight_grad, scaled)
    query, key, value = (as_float32(call.label, name, x) for name, x in
                         (("query", query), ("key", key), ("value", value)))
    if is_causal:
        if attn_mask is not None:
            raise Error("scaled_dot_product_attention got a mask and is_causal; it must be one of them")
        attn_mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
    return attend(call, query, key, value, attn_mask, dropout_p, scale)[0]


# ---- a model's layers ----

_WITH_PRODUCTS = (*LAYERS, nn.Bilinear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase, torch.jit.ScriptModule)
_OURS = {ours: base for base, ours in LAYERS.items()}
_KINDS = ", ".join(base.__name__ for base in LAYERS)


def _names(names):
    """Names of modules as a tuple; None is the whole model, whose name is empty."""
    return ("",) if names is None else (names,) if isinstance(names, str) else tuple(names)


def _within(name, names):
    return any(other in ("", name) or name.startswith(other + ".") for other in names)


def _is_plain(module):
    """Can the module be converted: is it of a kind that we have, and all of it float32 where the array has engines?"""
    tensors = [*module.parameters(recurse=False), getattr(module, "weight", None)]
    if isinstance(module, nn.MultiheadAttention):
        tensors.append(module.out_proj.weight)
    return (type(module) in LAYERS or type(module) in _OURS) and all(
        t.dtype == torch.float32 and t.device.type in DEVICES for t in tensors if isinstance(t, torch.Tensor))


def _targets(model, layers, keep):
    """Names and modules to convert. Everything that is in the way is named at once."""
    modules = dict(model.named_modules())
    unknown = sorted(name for name in [*layers, *keep] if name not in modules)
    if unknown:
        raise Error(f"the model has no layer {', '.join(unknown)}; its layers are in model.named_modules()")
    parts = {id(m.out_proj) for m in modules.values() if isinstance(m, nn.MultiheadAttention)}
    wanted = {name: module for name, module in modules.items() if isinstance(module, _WITH_PRODUCTS)
              and id(module) not in parts and _within(name, layers) and not _within(name, keep)}
    # In eval a TransformerEncoderLayer hands the weights of what it holds to a kernel of PyTorch's.
    for name, module in modules.items():
        if type(module) is nn.TransformerEncoderLayer and any(_within(target, [name]) for target in wanted):
            wanted[name] = module
    wrong = [name for name, module in wanted.items() if not _is_plain(module)]
    wrong += [name for name, module in modules.items() if isinstance(module, nn.TransformerEncoderLayer)
              and name not in wanted and any(_within(target, [name]) for target in wanted)]
    if wrong:
        listed = ", ".join(f"{name or 'the model'} ({type(modules[name]).__name__})" for name in wrong)
        raise Error(f"cannot convert {listed}; only {_KINDS} with float32 weights on the CPU can be: "
                    "name the others in keep=, or leave them out of layers=")
    if not wanted:
        raise Error(f"there is no layer to convert; it must be one of {_KINDS}")
    return wanted


def _by_layer(config, wanted):
    """The names in `wanted` to three configurations each, from {name or pattern: configurations}: the last one that
    fits counts, and what none fits is left out."""
    chosen, used = {}, set()
    for name in wanted:
        for pattern, value in config.items():
            if _within(name, [pattern]) or fnmatch.fnmatchcase(name, pattern):
                chosen[name] = value
                used.add(pattern)
    idle = [repr(pattern) for pattern in config if pattern not in used]
    if idle:
        raise Error(f"config has {', '.join(idle)}, which fits no layer that can be converted; those are "
                    f"{', '.join(name or 'the model' for name in wanted)}")
    return {name: value if isinstance(value, (tuple, list)) else (value,) for name, value in chosen.items()}


def convert(model, config, *, input_grad=SAME, weight_grad=SAME, layers=None, high=(), keep=(), engine="auto",
            threads=None, scaled=False, strict=False):
    """Turns the model's layers into the classes above, in place, and returns the model.

    config, input_grad, weight_grad: a `Config` for each GEMM, the latter two the first one's if not given; None leaves
        that GEMM to PyTorch in float32. Instead of all three, config may be a dict by layer: names, or patterns like
        "layer1.*.conv?", to a Config, or to a tuple of the three. A later entry counts where several fit; layers that
        none fits stay as they are.
    layers: names of the modules to convert, or of modules that hold them; None: all.
    high: names among them that compute with one stream, every product high, in the same formats; for first and last
        layers. keep: names that stay as they are.
    engine, threads: as in `daa.gemm`; threads None is torch.get_num_threads(), or fewer where
        a product is small.
    scaled: each tensor of a format of up to 6 exponent bits, such as e4m3, goes into the array times the largest power of
        two with which its largest number fits, and each result leaves it times the inverse of its operands'.
    strict: a product that a forward pass of the model computes outside the array is an Error; else the first pass warns
        of all of them once, by name. What is in `keep`, or outside `layers`, may do so.

    Parameters, hooks, and the state dict stay what they are, so optimizers and checkpoints do not notice. A converted
    model may be converted again. Raises Error, the model unchanged, where a module with products of its own is no plain
    layer of these kinds (Bilinear, scripted modules, subclasses), by name.
    """
    if not isinstance(model, nn.Module):
        raise Error(f"the model is a {type(model).__name__}; it must be a torch.nn.Module")
    high, keep = _names(high or ()), _names(keep or ())
    if isinstance(config, dict):
        if input_grad is not SAME or weight_grad is not SAME:
            raise Error("config is a dict, which has the configurations of all GEMMs; input_grad and weight_grad must "
                        "not be given")
        wanted = _targets(model, _names(layers), keep)
        configs = _by_layer(config, wanted)
        wanted = {name: wanted[name] for name in configs}
    else:
        Arithmetic(config, *(config if c is SAME else c for c in (input_grad, weight_grad)), engine, threads, scaled)
        wanted = _targets(model, _names(layers), keep)
        configs = {name: (config, *(config if c is SAME else c for c in (input_grad, weight_grad))) for name in wanted}
    for name, value in configs.items():
        if len(value) not in (1, 3):
            raise Error(f"config of {name} has {len(value)} configurations; it must have 1, or 3: {', '.join(GEMMS)}")
    strange = [name for name in high if not any(_within(target, [name]) for target in wanted)]
    if strange:
        raise Error(f"high names {', '.join(strange)}, which is not among the converted layers")
    made = {}
    for name in wanted:
        three = configs[name] * (3 // len(configs[name]))
        if _within(name, high):
            three = (c and c.replace(streams=1) for c in three)
        made[name] = Arithmetic(*three, engine=engine, threads=threads, scaled=scaled)
    for name, module in wanted.items():
        module.__class__ = LAYERS.get(type(module), type(module))
        module.label = name or "the model"
        module.arithmetic = made[name]
        module.number = number_of(module)
    for module in model.modules():
        if _nests(module) and any(type(layer) is TransformerEncoderLayer for layer in module.layers):
            module.use_nested_tensor, module.nested_before = False, True
    _watch(model, _names(layers), keep, strict)
    return model


def _nests(module):
    """In eval it would hand nested tensors to its layers, for the kernel that converted ones do not take."""
    return isinstance(module, nn.TransformerEncoder) and getattr(module, "use_nested_tensor", False)


def revert(model):
    """Turns all converted layers back into PyTorch's, in place, and returns the model."""
    for module in _converted(model, None).values():
        module.__class__ = _OURS[type(module)]
        for name in ("label", "arithmetic", "number", "observers"):
            module.__dict__.pop(name, None)
    for module in model.modules():
        _unwatch(module)
        if module.__dict__.pop("nested_before", False):
            module.use_nested_tensor = True
    return model


def summary(model):
    """The converted layers as text: a line each, with its name, kind, and the configuration of each GEMM."""
    rows = [("layer", "kind", *GEMMS)]
    for name, module in _converted(model, None).items():
        configs, scaled = [getattr(module.arithmetic, gemm) for gemm in GEMMS], " scaled" * module.arithmetic.scaled
        rows.append((name or "the model", type(module).__name__,
                     *("float32" if c is None else _brief(c) + scaled for c in configs)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _brief(config):
    """What a configuration has that the default one has not, rows and columns and the like aside."""
    default = Config()
    words = [f"{name}={config[name]}" for name in ("streams", "groups", "a-format", "b-format", "accumulator", "acc-format", "out-format",
                                                    "lo-bits", "lo-round", "policy", "window", "specials")
             if config[name] != default[name]]
    return " ".join(words) or "the default"


# ---- what runs outside the array ----

_PRODUCTS = frozenset("""matmul __matmul__ __rmatmul__ mm bmm addmm addmm_ baddbmm baddbmm_ addbmm addbmm_ mv addmv addmv_
    dot vdot inner outer ger einsum tensordot chain_matmul multi_dot linear bilinear conv1d conv2d conv3d conv_transpose1d
    conv_transpose2d conv_transpose3d convolution multi_head_attention_forward scaled_dot_product_attention lstm gru
    rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell _transformer_encoder_layer_fwd
    _native_multi_head_attention""".split())


class _Mode(torch.overrides.TorchFunctionMode):
    """Sees the functions that a forward pass calls."""

    def __init__(self, watch):
        super().__init__()
        self.watch = watch

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in _PRODUCTS:
            self.watch.met(name, sys._getframe(1))
        return function(*args, **(kwargs or {}))


class _Watch:
    """A hook before and after a model's forward pass. Not strict, it takes itself off after the first."""

    def __init__(self, layers, keep, strict):
        self.layers, self.keep, self.strict = layers, keep, strict
        self.mode, self.model, self.found = None, None, {}

    def __deepcopy__(self, memo):
        return _Watch(self.layers, self.keep, self.strict)

    def __reduce__(self):
        return _Watch, (self.layers, self.keep, self.strict)

    def met(self, function, frame):
        """A product's function was called. Whose forward pass it is: the innermost module's that is running, where the
        model is running at all."""
        module, inside = None, False
        while frame is not None and not inside:
            here = frame.f_locals.get("self")
            calling = frame.f_code.co_name in ("__call__", "_call_impl", "_wrapped_call_impl")
            if isinstance(here, nn.Module) and not calling and module is None:
                module = here
            inside = calling and here is self.model
            frame = frame.f_back
        if not inside or isinstance(module, Layer):
            return
        module = self.model if module is None else module
        name = next((name for name, one in self.model.named_modules() if one is module), None)
        if name is None or not _within(name, self.layers) or _within(name, self.keep):
            return
        called = f"{name}.{function}" if name else function
        if self.strict:
            raise Error(f"{called} is a product outside the array, which strict forbids; use the function of daa.torch, "
                        "or name the module in keep=")
        self.found[called] = None

    def before(self, model):
        if not is_compiling() and not torch.jit.is_tracing() and self.mode is None:
            self.model, self.mode = model, _Mode(self)
            self.mode.__enter__()

    def leave(self):
        if self.mode is not None:
            self.mode.__exit__(None, None, None)
        self.mode = self.model = None

    def after(self, model, result):
        if is_compiling() or self.mode is None:
            return
        self.leave()
        found, self.found = self.found, {}
        if self.strict or result is None:  # None: an exception; the next pass is the first
            return
        _unwatch(model)
        if found:
            warnings.warn(f"products outside the array, in PyTorch's float32: {', '.join(found)}; use the functions of "
                          "daa.torch for them, or name their modules in keep=", RuntimeWarning, stacklevel=2)


class _Before:
    def __init__(self, watch):
        self.watch = watch

    def __call__(self, model, arguments):
        self.watch.before(model)


class _After(_Before):
    def __call__(self, model, arguments, result):
        self.watch.after(model, result)


def _watch(model, layers, keep, strict):
    _unwatch(model)
    watch = _Watch(layers, keep, strict)
    model.register_forward_pre_hook(_Before(watch))
    try:
        model.register_forward_hook(_After(watch), always_call=True)
    except TypeError:  # before 2.0 an exception leaves the mode behind until the next pass; it then does nothing
        model.register_forward_hook(_After(watch))


def _unwatch(model):
    for hooks in (model._forward_pre_hooks, model._forward_hooks):
        for number in [number for number, hook in hooks.items() if isinstance(hook, _Before)]:
            hooks.pop(number).watch.leave()
            getattr(model, "_forward_hooks_always_called", {}).pop(number, None)


# ---- statistics, operands ----

def _converted(model, layers):
    found = {name: module for name, module in model.named_modules() if isinstance(module, Layer)}
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
                    numpy.save(file, numpy.ascontiguousarray(matrix.float().cpu().numpy()))
                part.rename(path)
                written.append(path)

    with _watching(model, layers, lambda layer: lambda *seen: write(layer, *seen)):
        yield written
