"""Linear and Conv2d of daa.torch: within the contract's bounds of float64, and with daagemm's bits."""

import copy
import itertools

import numpy as np
import pytest
from reference import FLUSHED, judge, numbers, relative_bound  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn
from torch.nn import functional

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* takes? .*--rows:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning"),
]
GEMMS = daa.torch.GEMMS


def gaussian(numbers, *shape):
    return torch.from_numpy(numbers.standard_normal(shape).astype(np.float32))


def spread(numbers, *shape):
    """Numbers of many sizes, so that another order of sums gives other bits."""
    return gaussian(numbers, *shape) * torch.from_numpy(2.0 ** numbers.integers(-8, 8, shape)).float()


def converted(layer, forward, *others, **options):
    return daa.torch.convert(copy.deepcopy(layer), forward, **dict(zip(GEMMS[1:], others)), **options)


def run_layer(layer, x, gradient):
    """Output, input gradient, weight gradient."""
    x = x.detach().requires_grad_()
    y = layer(x)
    y.backward(gradient)
    return y.detach(), x.grad, layer.weight.grad


# ---- against float64 ----


def product(name, layer, x_shape, a, b):
    """What a GEMM of the layer is for, from operands in float64 by PyTorch: its function, or a derivative of that."""

    def plain(x, weight):
        return functional.linear(x, weight) if isinstance(layer, nn.Linear) else layer._conv_forward(x, weight, None)

    if name == "forward":
        return plain(a, b)
    x = b if name == "weight_grad" else torch.zeros(x_shape, dtype=a.dtype)
    weight = b if name == "input_grad" else torch.zeros(layer.weight.shape, dtype=a.dtype)
    x, weight = x.requires_grad_(), weight.requires_grad_()
    return torch.autograd.grad(plain(x, weight), x if name == "input_grad" else weight, a)[0]


def depth(name, layer, gradient):
    """The K of a GEMM."""
    if name == "forward":
        return layer.weight[0].numel()
    channel = -1 if isinstance(layer, nn.Linear) else -3
    channels = layer.weight.shape[0]
    return (
        channels // getattr(layer, "groups", 1) if name == "input_grad" else gradient.numel() // gradient.shape[channel]
    )


def check_bounds(layer, configs, x, gradient, got):
    """Each GEMM on operands as it rounds them. Its bound is relative to the same product of magnitudes."""
    weight = layer.weight.detach()
    operands = {"forward": (x, weight), "input_grad": (gradient, weight), "weight_grad": (gradient, x)}
    shares = []
    for (name, (a, b)), config, result in zip(operands.items(), configs, got):
        if config is not None:
            a, b = daa.quantize(a, config.a_format), daa.quantize(b, config.b_format)
        a, b = a.double(), b.double()
        bound = relative_bound(config, depth(name, layer, gradient))
        if name == "input_grad" and isinstance(layer, nn.Conv2d):
            adds = (
                layer.weight[0, 0].numel() + 9
            ) * 2.0**-24  # overlapping patches, and up to 9 of padding, in float32
            bound = (1 + bound) * (1 + adds / (1 - adds)) - 1
        error = (result.double() - product(name, layer, x.shape, a, b)).abs()
        allowed = bound * product(name, layer, x.shape, a.abs(), b.abs()) + FLUSHED
        assert (error <= allowed).all(), f"{name}: {(error / allowed).max():.3g} times what {config} may be off"
        shares.append(float((error / allowed).max()))
    return shares


CONFIGS = [
    daa.Config("paper"),
    daa.Config("baseline"),
    daa.Config("quad", lo_bits=1),
    daa.Config("quad"),
    None,
    daa.Config("fp8"),
    daa.Config("paper", lo_bits=2, lo_round="truncate"),
    daa.Config(accumulator="anchored"),
]
GEOMETRIES = [  # channels in, out, kernel, height, width, and nn.Conv2d's options
    (4, 6, (3, 3), 7, 8, dict(padding=1)),
    (3, 5, (7, 7), 14, 13, dict(stride=2, padding=3)),
    (4, 4, (1, 1), 5, 6, {}),
    (4, 6, (1, 1), 6, 7, dict(stride=2)),
    (4, 6, (1, 1), 3, 4, dict(padding=1)),
    (6, 4, (1, 1), 5, 5, dict(groups=2)),
    (4, 4, (2, 4), 6, 7, dict(padding="same")),
    (4, 4, (3, 2), 6, 7, dict(padding="same", dilation=(1, 3))),
    (2, 3, (3, 2), 6, 7, dict(padding="valid")),
    (4, 8, (3, 3), 9, 8, dict(dilation=2, padding=2)),
    (6, 9, (3, 3), 6, 5, dict(groups=3, padding=1)),
    (5, 5, (3, 3), 6, 6, dict(groups=5, padding=1)),
    (3, 6, (3, 3), 6, 6, dict(groups=3, stride=2)),
    (3, 4, (2, 2), 9, 8, dict(stride=3)),
    (3, 4, (2, 3), 10, 11, dict(stride=(4, 5))),
    (2, 3, (5, 5), 1, 1, dict(padding=2)),
    (2, 3, (5, 3), 2, 1, dict(padding=(4, 3), stride=2)),
    (2, 3, (2, 2), 1, 1, dict(padding=3, stride=2)),
    (2, 3, (1, 1), 1, 1, dict(padding=1, stride=2)),
    (2, 3, (4, 4), 4, 4, {}),
    (3, 2, (3, 3), 6, 7, dict(padding=(1, 2), padding_mode="circular")),
    (3, 2, (3, 3), 6, 7, dict(padding=(2, 1), padding_mode="reflect")),
    (3, 2, (2, 4), 6, 7, dict(padding="same", padding_mode="replicate")),
    (1, 8, (3, 3), 8, 8, dict(padding=1)),
    (8, 1, (3, 3), 8, 8, dict(padding=1)),
]


def memory_formats(x):
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1])
    wide[..., ::2] = x
    return [x.contiguous(), x.contiguous(memory_format=torch.channels_last), wide[..., ::2], x.flip(0).flip(0)]


def check_conv(numbers, inputs, outputs, kernel, height, width, options, configs, samples=3):
    layer = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
    layer.weight.data = gaussian(numbers, *layer.weight.shape)
    x = gaussian(numbers, samples, inputs, height, width)
    gradient = gaussian(numbers, *layer(x).shape)
    first = None
    for form in memory_formats(x):
        got = run_layer(converted(layer, *configs), form, gradient)
        shares = check_bounds(layer, configs, x, gradient, got)
        first = first or got
        assert all(map(torch.equal, got, first))
    return shares


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_convolutions(numbers, geometry):
    for i in range(3):
        configs = [CONFIGS[j] for j in numbers.permutation(len(CONFIGS))[:3]] if i else [CONFIGS[0]] * 3
        shares = check_conv(numbers, *geometry, configs)
        assert None in configs or max(shares) > 1e-4 or not any(shares)


def test_random_convolutions(numbers):
    done = 0
    while done < 60:
        groups = int(numbers.choice([1, 1, 1, 2, 3]))
        inputs, outputs = (groups * int(n) for n in numbers.integers(1, 6, 2))
        (kernel, size), (stride, dilation, padding) = numbers.integers(1, [[5], [10]], (2, 2)), numbers.integers(
            1, 4, (3, 2)
        )
        if ((size + 2 * (padding - 1) - dilation * (kernel - 1)) < 1).any():
            continue
        options = dict(
            groups=groups,
            stride=tuple(stride.tolist()),
            dilation=tuple(dilation.tolist()),
            padding=tuple((padding - 1).tolist()),
        )
        check_conv(
            numbers,
            inputs,
            outputs,
            tuple(kernel.tolist()),
            *size.tolist(),
            options,
            [CONFIGS[i] for i in numbers.integers(0, len(CONFIGS), 3)],
            samples=int(numbers.integers(1, 4)),
        )
        done += 1


@pytest.mark.parametrize("lead", [(), (1,), (5,), (2, 3), (2, 1, 3)])
def test_linear(numbers, lead):
    for inputs, outputs, configs in itertools.product((1, 9, 40), (1, 7), [[c] * 3 for c in CONFIGS] + [CONFIGS[2:5]]):
        layer = nn.Linear(inputs, outputs, bias=False)
        x, gradient = gaussian(numbers, *lead, inputs), gaussian(numbers, *lead, outputs)
        check_bounds(layer, configs, x, gradient, run_layer(converted(layer, *configs), x, gradient))


@pytest.mark.parametrize(
    "layer, shape", [(nn.Linear(9, 4), (6, 9)), (nn.Conv2d(3, 4, 3, padding=1), (2, 3, 5, 6))], ids=str
)
def test_without_configurations_it_is_pytorch(numbers, layer, shape):
    x = gaussian(numbers, *shape)
    gradient = gaussian(numbers, *layer(x).shape)
    ours, theirs = converted(layer, None), copy.deepcopy(layer)
    for got, want in zip(run_layer(ours, x, gradient), run_layer(theirs, x, gradient)):
        assert torch.allclose(got, want, rtol=1e-5, atol=1e-5)
    assert torch.allclose(ours.bias.grad, theirs.bias.grad, rtol=1e-5, atol=1e-5)
    want = run_layer(converted(layer, None), x, gradient)
    with torch.autocast("cpu"):  # float32 all the same
        assert all(map(torch.equal, run_layer(converted(layer, None), x, gradient), want))


def test_the_bias_is_added_in_float32(numbers):
    for layer, x in ((nn.Linear(9, 4), gaussian(numbers, 6, 9)), (nn.Conv2d(3, 4, 3), gaussian(numbers, 2, 3, 5, 6))):
        ours = converted(layer, daa.Config())
        with_bias = ours(x)
        bias, ours.bias = ours.bias, None
        without = ours(x)
        assert torch.equal(with_bias, without + (bias if x.dim() == 2 else bias[:, None, None]))
        with_bias.sum().backward()
        assert torch.equal(bias.grad, torch.full_like(bias, with_bias.numel() / 4))


# ---- bit for bit ----


def taps_in_use(size, kernel, stride, padding, dilation, out):
    return [i for i in range(kernel) if any(0 <= i * dilation + o * stride - padding < size for o in range(out))]


def patches_of(layer, x, out):
    """im2col written out: for each group, rows of samples and output pixels, columns of kernel row, column, channel."""
    (sh, sw), (dh, dw), (ph, pw) = layer.stride, layer.dilation, layer.padding
    samples, channels, height, width = x.shape
    depth = channels // layer.groups
    rows = taps_in_use(height, layer.kernel_size[0], sh, ph, dh, out[0])
    cols = taps_in_use(width, layer.kernel_size[1], sw, pw, dw, out[1])
    rows, cols = range(rows[0], rows[-1] + 1), range(cols[0], cols[-1] + 1)
    patches = np.zeros((layer.groups, samples * out[0] * out[1], len(rows) * len(cols) * depth), np.float32)
    for g in range(layer.groups):
        for row, (n, oy, ox) in enumerate(itertools.product(range(samples), range(out[0]), range(out[1]))):
            for col, (i, j, c) in enumerate(itertools.product(rows, cols, range(depth))):
                y, z = oy * sh + i * dh - ph, ox * sw + j * dw - pw
                if 0 <= y < height and 0 <= z < width:
                    patches[g, row, col] = x[n, g * depth + c, y, z]
    return patches, rows, cols


BITWISE = [
    (4, 6, (3, 3), 6, 5, dict(padding=1)),
    (3, 4, (3, 2), 7, 8, dict(stride=2, padding=1)),
    (4, 6, (1, 1), 4, 3, {}),
    (6, 4, (2, 3), 5, 6, dict(groups=2, dilation=2, padding=2)),
    (3, 3, (2, 2), 5, 5, dict(groups=3, stride=3)),
    (3, 4, (5, 5), 2, 1, dict(padding=2)),
    (4, 2, (1, 1), 5, 4, dict(groups=2)),
]


@pytest.mark.parametrize(
    "config", [daa.Config("paper"), daa.Config("quad", lo_bits=1), daa.Config("fp8")], ids=["paper", "quad", "fp8"]
)
@pytest.mark.parametrize("geometry", BITWISE, ids=str)
def test_a_convolution_is_daagemm_on_its_patches(judge, numbers, tmp_path, geometry, config):
    """The operands that dump() writes are the patches, weights and gradients in the documented order, and daagemm's
    results on them, put where they belong, are the layer's."""
    inputs, outputs, kernel, height, width, options = geometry
    layer = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
    groups, taken = layer.groups, outputs // layer.groups
    layer.weight.data = spread(numbers, *layer.weight.shape)
    x = spread(numbers, 2, inputs, height, width)
    gradient = spread(numbers, *layer(x).shape)
    out = tuple(gradient.shape[2:])
    ours = converted(layer, config)
    with daa.torch.dump(ours, tmp_path / "dump"):
        y, of_input, of_weight = run_layer(ours, x, gradient)

    def operands(name):
        stems = [f"model.{name}" + (f".{g}" if g else "") for g in range(groups)]
        return [[np.load(tmp_path / "dump" / f"{stem}.{side}.npy") for stem in stems] for side in "ab"]

    def is_rounded(matrices, numbers, format):
        want = daa.quantize(np.ascontiguousarray(numbers), format)
        assert all(map(np.array_equal, matrices, want)) and len(matrices) == len(want)

    patches, rows, cols = patches_of(layer, x.numpy(), out)
    weights = layer.weight.detach().numpy()[:, :, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    weights = weights.transpose(0, 2, 3, 1).reshape(groups, taken, -1)
    gradients = gradient.numpy().transpose(1, 0, 2, 3).reshape(groups, taken, -1)

    a, b = operands("forward")
    is_rounded(a, patches, config.a_format)
    is_rounded(b, weights.swapaxes(1, 2), config.b_format)
    c = np.stack([judge(config, *pair)[0] for pair in zip(a, b)])  # groups, samples and pixels, channels
    want = c.reshape(groups, 2, *out, taken).transpose(1, 0, 4, 2, 3).reshape(y.shape)
    assert np.array_equal(y.numpy(), want)

    a, b = operands("weight_grad")
    is_rounded(a, gradients, config.a_format)
    is_rounded(b, patches, config.b_format)
    c = np.stack([judge(config, *pair)[0] for pair in zip(a, b)])
    want = np.zeros(layer.weight.shape, np.float32)
    want[:, :, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] = c.reshape(outputs, len(rows), len(cols), -1).transpose(
        0, 3, 1, 2
    )
    assert np.array_equal(of_weight.numpy(), want)

    a, b = operands("input_grad")
    is_rounded(a, gradients.swapaxes(1, 2), config.a_format)
    is_rounded(b, weights, config.b_format)
    c = np.stack([judge(config, *pair)[0] for pair in zip(a, b)]).reshape(groups, 2, *out, len(rows), len(cols), -1)
    want = np.zeros(x.shape, np.float32)
    (sh, sw), (dh, dw), (ph, pw), deep = layer.stride, layer.dilation, layer.padding, inputs // groups
    for (i, row), (j, col) in itertools.product(enumerate(rows), enumerate(cols)):  # the order of the float32 additions
        for oy, ox in np.ndindex(*out):
            top, left = oy * sh + row * dh - ph, ox * sw + col * dw - pw
            if 0 <= top < height and 0 <= left < width:
                for g in range(groups):
                    want[:, g * deep : (g + 1) * deep, top, left] += c[g, :, oy, ox, i, j]
    assert np.array_equal(of_input.numpy(), want)


@pytest.mark.parametrize("config", [daa.Config("paper"), daa.Config("quad"), daa.Config("fp8")], ids=["paper", "quad", "fp8"])
def test_a_linear_layer_is_daagemm(judge, numbers, config):
    layer = nn.Linear(13, 6, bias=False)
    x, gradient, weight = gaussian(numbers, 2, 5, 13), gaussian(numbers, 2, 5, 6), layer.weight.detach()
    y, of_input, of_weight = run_layer(converted(layer, config), x, gradient)
    rows, columns = x.reshape(10, 13), gradient.reshape(10, 6)
    assert np.array_equal(y.reshape(10, 6).numpy(), judge(config, rows, weight.t())[0])
    assert np.array_equal(of_input.reshape(10, 13).numpy(), judge(config, columns, weight)[0])
    assert np.array_equal(of_weight.numpy(), judge(config, columns.t(), rows)[0])


def test_extreme_numbers(judge):
    """Rounded to bf16 by PyTorch on the way in; the contract's rounding is the same."""
    values = torch.tensor(
        [0, -0.0, 1.0039062, float("inf"), float("nan"), 3.4e38, 1e-38, 1.1754942e-38, 1e-40, -3.39e38, 257]
    )
    x, layer = torch.stack([values.roll(i) for i in range(len(values))]), nn.Linear(11, 11, bias=False)
    layer.weight.data = x.flip(0).clone()
    ours = converted(layer, daa.Config())(x).detach().numpy()
    assert np.array_equal(ours.view(np.uint32), judge(daa.Config(), x, layer.weight.detach().t())[0].view(np.uint32))


# ---- inputs of every kind ----


@pytest.mark.parametrize("config", [daa.Config("paper"), None], ids=["paper", "float32"])
def test_empty_batches(config):
    for layer, shape, out in [
        (nn.Linear(4, 3), (0, 4), (0, 3)),
        (nn.Linear(4, 3), (2, 0, 4), (2, 0, 3)),
        (nn.Conv2d(4, 6, 3, padding=1, groups=2), (0, 4, 5, 5), (0, 6, 5, 5)),
        (nn.Conv2d(4, 6, 1), (0, 4, 5, 5), (0, 6, 5, 5)),
    ]:
        ours, x = converted(layer, config), torch.empty(shape, requires_grad=True)
        y = ours(x)
        assert y.shape == out
        y.sum().backward()
        assert x.grad.shape == shape and not ours.weight.grad.any() and not ours.bias.grad.any()


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_no_inputs_at_all():
    layer = converted(nn.Linear(0, 3), daa.Config())
    assert torch.equal(layer(torch.empty(5, 0)), layer.bias.expand(5, 3))


def test_an_image_without_a_batch(numbers):
    layer = converted(nn.Conv2d(3, 4, 3, padding=1), daa.Config())
    x = gaussian(numbers, 3, 6, 5)
    assert torch.equal(layer(x), layer(x[None])[0]) and layer(x).is_contiguous()


def test_memory_formats_follow_the_input(numbers):
    """As PyTorch's do, so that view() works where it did."""
    for kernel in (1, 3):
        layer, x = converted(nn.Conv2d(3, 4, kernel), daa.Config()), gaussian(numbers, 2, 3, 6, 5)
        for form, taken in (
            (torch.contiguous_format, x),
            (torch.channels_last, x.contiguous(memory_format=torch.channels_last)),
        ):
            taken = taken.detach().requires_grad_()
            y = layer(taken)
            assert y.is_contiguous(memory_format=form)
            y.backward(torch.ones_like(y))
            assert taken.grad.is_contiguous(memory_format=form)


def test_gradients_of_every_layout(numbers):
    """Expanded (from a sum), transposed, strided."""
    layer = converted(nn.Conv2d(3, 4, 3), daa.Config())
    x = gaussian(numbers, 2, 3, 6, 6)
    forms = memory_formats(gaussian(numbers, 2, 4, 4, 4))
    assert len({tuple(run_layer(copy.deepcopy(layer), x, form)[2].flatten().tolist()) for form in forms}) == 1
    ones = run_layer(copy.deepcopy(layer), x, torch.ones(1).expand(2, 4, 4, 4))
    assert torch.equal(ones[2], run_layer(copy.deepcopy(layer), x, torch.ones(2, 4, 4, 4))[2])
    linear = converted(nn.Linear(6, 4), daa.Config())
    assert torch.equal(
        run_layer(copy.deepcopy(linear), x, torch.ones(1).expand(2, 3, 6, 4))[1],
        run_layer(copy.deepcopy(linear), x, torch.ones(2, 3, 6, 4))[1],
    )


@pytest.mark.parametrize(
    "layer, shape", [(nn.Linear(9, 4), (6, 9)), (nn.Conv2d(3, 4, 3), (2, 3, 5, 6))], ids=["linear", "conv"]
)
def test_only_the_gradients_that_are_needed(numbers, layer, shape):
    for wants_input, wants_weight in itertools.product([False, True], repeat=2):
        ours, x = converted(layer, daa.Config()), gaussian(numbers, *shape).requires_grad_(wants_input)
        ours.weight.requires_grad_(wants_weight)
        with daa.torch.observe(ours) as record:
            ours(x).sum().backward()
        assert [row["gemm"] for row in record.rows] == ["forward"] + wants_input * ["input_grad"] + wants_weight * [
            "weight_grad"
        ]
        assert (x.grad is not None) == wants_input and (ours.weight.grad is not None) == wants_weight
    with torch.no_grad():
        assert not ours(x).requires_grad


def test_the_default_dtype_changes_nothing(numbers):
    layer, x = converted(nn.Conv2d(3, 4, 3), daa.Config()), gaussian(numbers, 2, 3, 5, 6)
    want = run_layer(copy.deepcopy(layer), x, torch.ones(2, 4, 3, 4))
    torch.set_default_dtype(torch.float64)
    try:
        got = run_layer(layer, x, torch.ones(2, 4, 3, 4, dtype=torch.float32))
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(map(torch.equal, got, want)) and {t.dtype for t in got} == {torch.float32}


def test_a_layer_changed_by_hand(numbers):
    """What nn.Conv2d goes by is the weight and the attributes as they are now."""
    ours, theirs = (make() for make in [lambda: nn.Conv2d(3, 4, 3)] * 2)
    daa.torch.convert(ours, None)
    weight = nn.Parameter(gaussian(numbers, 5, 2, 3, 2))
    for layer in (ours, theirs):
        layer.weight, layer.bias = weight, None
        layer.stride, layer.padding, layer.dilation = 2, (2, 1), (1, 2)
    x = gaussian(numbers, 2, 2, 7, 8)
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    linear = daa.torch.convert(nn.Linear(3, 4), None)
    linear.weight, linear.bias = nn.Parameter(gaussian(numbers, 2, 5)), None
    assert linear(gaussian(numbers, 6, 5)).shape == (6, 2)


CONV = daa.torch.convert(nn.Sequential(nn.Conv2d(3, 4, 3, groups=1)), daa.Config())
LINEAR = daa.torch.convert(nn.Sequential(nn.Linear(3, 4)), daa.Config())


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: CONV(torch.ones(2, 4, 5, 5)), "0 got (2, 4, 5, 5); it must be (N, 3, H, W)"),
        (lambda: CONV(torch.ones(5, 5)), "0 got (5, 5); it must be (N, 3, H, W)"),
        (lambda: CONV(torch.ones(2, 3, 2, 5)), "0 got 2 x 5 pixels; its kernel of (3, 3) needs more"),
        (
            lambda: CONV(torch.ones(2, 3, 5, 5).double()),
            "the input of 0 is torch.float64 on cpu; it must be float32 on the CPU or on an NVIDIA GPU",
        ),
        (lambda: LINEAR(torch.ones(2, 4)), "0 got (2, 4); the last size must be 3"),
        (lambda: LINEAR(torch.tensor(1.0)), "0 got (); the last size must be 3"),
        (
            lambda: LINEAR(torch.ones(2, 3).bfloat16()),
            "the input of 0 is torch.bfloat16 on cpu; it must be float32 on the CPU or on an NVIDIA GPU",
        ),
        (lambda: LINEAR(torch.ones(2, 3, device="meta")), "the input of 0 is torch.float32 on meta"),
        (
            lambda: copy.deepcopy(LINEAR).double()(torch.ones(2, 3)),
            "the weight of 0 is torch.float64 on cpu; it must be float32",
        ),
    ],
)
def test_refused(call, text):
    with pytest.raises(daa.Error) as caught:
        call()
    assert text in str(caught.value)
