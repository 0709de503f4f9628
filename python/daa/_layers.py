"""PyTorch's layers with the GEMMs of the contract. Parameters and state dict of each are those of its base class."""
import math

import torch
from torch import nn
from torch.nn import functional

from ._config import Config
from ._gemm import DEVICES
from ._library import Error
from ._products import Arithmetic, Geometry, Matrices, Patches, layer_product, number_of


def _autocasting(device):
    try:
        return torch.is_autocast_enabled(device)
    except TypeError:  # before 2.4
        return torch.is_autocast_cpu_enabled() if device == "cpu" else torch.is_autocast_enabled()


def as_float32(label, name, tensor):
    """Under autocast what PyTorch has made bf16 or fp16 is taken to float32, which holds it exactly."""
    device = tensor.device.type
    if device in DEVICES and tensor.dtype in (torch.bfloat16, torch.float16) and _autocasting(device):
        tensor = tensor.float()
    if tensor.is_nested:
        raise Error(f"the {name} of {label} is a nested tensor; convert the nn.TransformerEncoder that made it, too")
    if tensor.dtype != torch.float32 or device not in DEVICES:
        raise Error(f"the {name} of {label} is {tensor.dtype} on {tensor.device}; it must be float32 on the CPU or on an "
                    "NVIDIA GPU")
    return tensor


class Layer:
    """What converted layers have: `arithmetic`, `label` (the name in the model), `observers` of their GEMMs. Class
    attributes hold what a layer has before it is told."""
    arithmetic = Arithmetic(Config(), Config(), Config())
    label = "the layer"
    observers = ()
    number = None  # among those that compiled graphs know

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.number = number_of(self)

    def __setstate__(self, state):
        super().__setstate__(state)
        self.number = number_of(self)  # a copy is another layer

    def __prepare_scriptable__(self):
        raise Error(f"{self.label} computes in libdaa, which torch.jit.script cannot compile; run it as it is, or "
                    "torch.compile it")

    def form(self, x_shape, w_shape, last=False):
        return Matrices(self, self.arithmetic)

    def extra_repr(self):
        inside = super().extra_repr()
        return f"{inside}{', ' if inside else ''}daa=({self.arithmetic.forward})"


def linear_product(layer, x, weight, label):
    """x (..., K) by the weight (N, K), in one GEMM."""
    outputs, inputs = weight.shape
    if x.dim() == 0 or x.shape[-1] != inputs:
        raise Error(f"{label} got {tuple(x.shape)}; the last size must be {inputs}")
    lead = x.shape[:-1]
    rows = math.prod(lead)
    return layer_product(layer, x.reshape(rows, inputs), weight, (rows, outputs)).reshape(*lead, outputs)


class Linear(Layer, nn.Linear):
    """nn.Linear whose GEMMs are the contract's."""

    def forward(self, x):
        x, weight = as_float32(self.label, "input", x), as_float32(self.label, "weight", self.weight)
        y = linear_product(self, x, weight, self.label)
        return y if self.bias is None else y + self.bias


def _each(value, count):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count


def zeros_around(padding, kernel, dilation):
    """(before, after) in each dimension, for a convolution's padding: a number, numbers, "same" or "valid"."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        total = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return tuple((t // 2, t - t // 2) for t in total)
    return tuple((p, p) for p in _each(padding, len(kernel)))


def convolve(layer, geometry, x, weight, label):
    """The convolution, or the transposed one to the sizes that `geometry` leads to."""
    dimensions = weight.dim() - 2
    channels = weight.shape[1] * geometry.groups
    if x.dim() not in (dimensions + 1, dimensions + 2) or x.shape[-1 - dimensions] != channels:
        raise Error(f"{label} got {tuple(x.shape)}; it must be (N, {channels}, {', '.join('DHW'[-dimensions:])})")
    batch = x if x.dim() == dimensions + 2 else x[None]
    sizes = [(size + sum(p) - d * (k - 1) - 1) // s + 1 for size, p, d, k, s in zip(
        batch.shape[2:], geometry.padding, geometry.dilation, weight.shape[2:], geometry.stride)]
    y = layer_product(layer, batch, weight, (batch.shape[0], weight.shape[0], *sizes))
    return y if batch is x else y[0]


class _Convolution(Layer):
    """Any stride, padding, dilation and groups. Outputs have the input's memory format. channels_last is the fastest,
    and what an input of one channel, which has both, counts as."""
    is_transposed = False

    @property
    def geometry(self):
        count = self.weight.dim() - 2
        dilation = _each(self.dilation, count)
        padding = zeros_around(self.padding if self.padding_mode == "zeros" else 0, self.weight.shape[2:], dilation)
        return Geometry(_each(self.stride, count), padding, dilation, self.groups, self.is_transposed)

    def form(self, x_shape, w_shape, last=False):
        return Patches(self, self.arithmetic, self.geometry, x_shape, w_shape, last)

    def forward(self, x):
        x, weight = as_float32(self.label, "input", x), as_float32(self.label, "weight", self.weight)
        if self.padding_mode != "zeros":
            x = functional.pad(x, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        y = convolve(self, self.geometry, x, weight, self.label)
        return y if self.bias is None else y + self.bias.reshape(-1, *(1 for _ in weight.shape[2:]))


class Conv1d(_Convolution, nn.Conv1d):
    """nn.Conv1d whose GEMMs are the contract's."""


class Conv2d(_Convolution, nn.Conv2d):
    """nn.Conv2d whose GEMMs are the contract's."""


class Conv3d(_Convolution, nn.Conv3d):
    """nn.Conv3d whose GEMMs are the contract's."""


class _Transposed(_Convolution):
    """The input gradient of a convolution: its overlapping patches are added in float32."""

    is_transposed = True

    def forward(self, x, output_size=None):
        x, weight = as_float32(self.label, "input", x), as_float32(self.label, "weight", self.weight)
        count = weight.dim() - 2
        channels = weight.shape[0]
        if x.dim() not in (count + 1, count + 2) or x.shape[-1 - count] != channels:
            raise Error(f"{self.label} got {tuple(x.shape)}; it must be (N, {channels}, {', '.join('DHW'[-count:])})")
        geometry, kernel = self.geometry, weight.shape[2:]
        extra = _each(self.output_padding, count) if output_size is None else self._output_padding(
            x, output_size, list(geometry.stride), list(_each(self.padding, count)), list(kernel), count,
            list(geometry.dilation))
        batch = x if x.dim() == count + 2 else x[None]
        sizes = [(size - 1) * s - sum(p) + d * (k - 1) + e + 1 for size, s, p, d, k, e in zip(
            batch.shape[2:], geometry.stride, geometry.padding, geometry.dilation, kernel, extra)]
        if min(sizes) < 1:
            raise Error(f"{self.label} got {tuple(x.shape)}; its output would have the sizes {sizes}")
        shape = (batch.shape[0], weight.shape[1] * self.groups, *sizes)
        y = layer_product(self, batch, weight, shape, transposed=True)
        y = y if self.bias is None else y + self.bias.reshape(-1, *(1 for _ in kernel))
        return y if batch is x else y[0]


class ConvTranspose1d(_Transposed, nn.ConvTranspose1d):
    """nn.ConvTranspose1d whose GEMMs are the contract's."""


class ConvTranspose2d(_Transposed, nn.ConvTranspose2d):
    """nn.ConvTranspose2d whose GEMMs are the contract's."""


class ConvTranspose3d(_Transposed, nn.ConvTranspose3d):
    """nn.ConvTranspose3d whose GEMMs are the contract's."""


# ---- attention ----

def batched_product(layer, a, b):
    """a (..., M, K) by b (..., K, N), whose leading sizes broadcast; in one batch of GEMMs, or in one where b has none."""
    if b.dim() == 2:
        return linear_product(layer, a, b.t(), layer.label)
    lead = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = a.expand(*lead, *a.shape[-2:]), b.expand(*lead, *b.shape[-2:])
    (m, k), n = a.shape[-2:], b.shape[-1]
    batch = math.prod(lead)
    y = layer_product(layer, a.reshape(batch, m, k), b.reshape(batch, k, n).transpose(1, 2), (batch, m, n))
    return y.reshape(*lead, m, n)


def attend(layer, q, k, v, mask=None, dropout=0.0, scale=None):
    """(softmax(q k' * scale + mask) v, the softmax): both products in the array. Where a boolean mask is true, an
    element takes part; another mask is added."""
    scores = batched_product(layer, q, k.transpose(-1, -2)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    weights = torch.softmax(scores, -1)
    weights = functional.dropout(weights, dropout) if dropout else weights
    return batched_product(layer, weights, v), weights


class MultiheadAttention(Layer, nn.MultiheadAttention):
    """nn.MultiheadAttention whose GEMMs are the contract's: the projections, queries by keys (A = queries), softmax by
    values (A = softmax)."""

    def _projected(self, query, key, value):
        if self._qkv_same_embed_dim:
            weights = self.in_proj_weight.chunk(3)
        else:
            weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        for x, weight, bias in zip((query, key, value), weights, biases):
            y = linear_product(self, x, as_float32(self.label, "weight", weight), self.label)
            yield y if bias is None else y + bias

    def _heads(self, x):
        """(N, length, E) to (N, heads, length, E / heads)."""
        return x.reshape(*x.shape[:2], self.num_heads, self.head_dim).transpose(1, 2)

    def _mask(self, attn_mask, padding, batch, extra):
        """One mask to add, (N or 1, heads or 1, L, S): PyTorch's boolean masks say what is left out."""
        masks = []
        if attn_mask is not None:
            masks.append(attn_mask.reshape(batch, self.num_heads, *attn_mask.shape[-2:]) if attn_mask.dim() == 3
                         else attn_mask[None, None])
        if padding is not None:
            masks.append(padding.reshape(batch, 1, 1, -1))
        whole = None
        for mask in masks:
            if mask.dtype == torch.bool:
                mask = torch.zeros(mask.shape, device=mask.device).masked_fill(mask, -math.inf)
            mask = functional.pad(mask.float(), (0, extra))
            whole = mask if whole is None else whole + mask
        return whole

    def forward(self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
                average_attn_weights=True, is_causal=False):
        query, key, value = (as_float32(self.label, "input", x) for x in (query, key, value))
        if is_causal and attn_mask is None:
            raise Error(f"{self.label} got is_causal without attn_mask; give the mask, as nn.MultiheadAttention asks")
        batched = query.dim() == 3
        if not batched:
            query, key, value = (x[:, None] for x in (query, key, value))
        if self.batch_first and batched:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        batch = query.shape[1]
        q, k, v = self._projected(*(x.transpose(0, 1) for x in (query, key, value)))
        extra = 0
        if self.bias_k is not None:
            k, v = (torch.cat([x, one.expand(batch, 1, -1)], 1) for x, one in ((k, self.bias_k), (v, self.bias_v)))
            extra += 1
        if self.add_zero_attn:
            k, v = (functional.pad(x, (0, 0, 0, 1)) for x in (k, v))
            extra += 1
        y, weights = attend(self, *map(self._heads, (q, k, v)), self._mask(attn_mask, key_padding_mask, batch, extra),
                            self.dropout if self.training else 0.0)
        y = linear_product(self, y.transpose(1, 2).reshape(batch, -1, self.embed_dim), self.out_proj.weight, self.label)
        y = y if self.out_proj.bias is None else y + self.out_proj.bias
        weights = (weights.mean(1) if average_attn_weights else weights) if need_weights else None
        if not batched:
            return y[0], None if weights is None else weights[0]
        return y if self.batch_first else y.transpose(0, 1), weights


class TransformerEncoderLayer(Layer, nn.TransformerEncoderLayer):
    """nn.TransformerEncoderLayer that calls its parts, which are converted by themselves, in eval too, where PyTorch
    hands their weights to a kernel of its own."""
    # What PyTorch's containers go by when they choose that kernel.
    activation_relu_or_gelu = property(lambda self: 0, lambda self, value: None)

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        def attended(x):
            return self.dropout1(self.self_attn(x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask,
                                                need_weights=False)[0])

        def fed(x):
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = src + attended(self.norm1(src))
            return x + fed(self.norm2(x))
        x = self.norm1(src + attended(src))
        return self.norm2(x + fed(x))


LAYERS = {base: ours for ours, base in (
    (Linear, nn.Linear), (Conv1d, nn.Conv1d), (Conv2d, nn.Conv2d), (Conv3d, nn.Conv3d),
    (ConvTranspose1d, nn.ConvTranspose1d), (ConvTranspose2d, nn.ConvTranspose2d), (ConvTranspose3d, nn.ConvTranspose3d),
    (MultiheadAttention, nn.MultiheadAttention), (TransformerEncoderLayer, nn.TransformerEncoderLayer))}
"""PyTorch's class -> ours."""
