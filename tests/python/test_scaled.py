"""Scaled operands of narrow formats: the golden model's bits on operands times powers of two that are found here anew."""
import itertools
import math

import numpy as np
import pytest
from reference import judge, numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn

FORWARD = daa.Config("paper", format="e4m3", lo_bits=2)
BACKWARD = daa.Config("paper", a_format="e5m2", b_format="e4m3", lo_bits=2)
LARGEST = {"e4m3": 448.0, "e5m2": 57344.0, "e3m2": 28.0, "e2m3": 7.5, "e2m1": 6.0, "fp16": 65504.0, "e6m3": 1.875 * 2**31}


def fitted(x, format):
    """x times the largest power of two with which nothing in it is beyond the format, and the exponent."""
    n = max(n for n in range(-200, 127) if float(x.abs().max()) * 2.0**n <= LARGEST[format])
    return (x.double() * 2.0**n).float(), n


def back(c, n):
    return torch.from_numpy(np.ldexp(c, -n))


@pytest.fixture
def expected(judge):
    def call(config, a, b):
        (a, n), (b, m) = fitted(a, config.a_format), fitted(b, config.b_format)
        return back(judge(config, a.numpy(), b.numpy())[0], n + m)

    return call


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (1e-7, 3e5, 1e-12), (2.0**-90, 2.0**70, 2.0**-40)], ids=str)
def test_a_linear_layer(numbers, expected, sizes):
    """Forward e4m3, gradients e5m2: tensors of any size, all three GEMMs."""
    x, w, g = (torch.randn(*shape) * size for shape, size in zip(((7, 12), (5, 12), (7, 5)), sizes))
    layer = daa.torch.convert(nn.Linear(12, 5, bias=False), FORWARD, input_grad=BACKWARD, weight_grad=BACKWARD, scaled=True)
    layer.weight = nn.Parameter(w)
    y = layer(x.requires_grad_())
    y.backward(g)
    assert torch.equal(y, expected(FORWARD, x.detach(), w.t()))
    assert torch.equal(x.grad, expected(BACKWARD, g, w))
    assert torch.equal(layer.weight.grad, expected(BACKWARD, g.t(), x.detach()))
    exact = x.detach().double() @ w.t().double()
    assert float((y.double() - exact).norm() / exact.norm()) < 0.1
    if sizes[0] != 1:  # as it comes, such a tensor is zeros, or all the largest number
        plain = daa.torch.convert(layer, FORWARD, input_grad=BACKWARD, weight_grad=BACKWARD)(x).double()
        assert float((plain - exact).norm() / exact.norm()) > 0.5


@pytest.mark.parametrize("format", LARGEST)
@pytest.mark.filterwarnings("ignore:.* takes? .*--rows:RuntimeWarning")
def test_the_power_is_the_largest_that_fits(numbers, format):
    from daa._products import exponent_of, largest

    most = LARGEST[format]
    assert largest(format) == most and daa.quantize(np.float32([[most]]), format) == most
    above = float(np.nextafter(np.float32(most), np.float32(np.inf)))
    for value, n in ((most, 0), (above, -1), (most / 2, 1), (above / 2, 0), (-most * 2.0**20, -20), (0.0, 0), (math.inf, 0),
                     (math.nan, 0), (2.0**-149, 126)):
        assert exponent_of(torch.tensor([0.0, value]), format) == n, value
    config = daa.Config("paper", format=format)
    a, b = torch.full((1, 3), above), torch.eye(3)
    y = daa.torch.matmul(a, b, config=config, scaled=True)
    assert torch.allclose(y, a, rtol=1e-3) and torch.isfinite(y).all()


def test_wide_formats_stay_as_they_are(numbers):
    a, b = torch.randn(4, 9) * 1e-10, torch.randn(9, 3) * 1e12
    for format in ("bf16", "e8m3", "e7m4"):
        config = daa.Config("paper", format=format)
        assert torch.equal(daa.torch.matmul(a, b, config=config, scaled=True), daa.torch.matmul(a, b, config=config))


def test_convolutions_scale_their_tensors(numbers):
    """The same bits as the layer without scaling on tensors scaled by hand: groups side by side, strides, transposed ones."""
    kinds = [nn.Conv2d(8, 6, 3, 2, 1, groups=2), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.ConvTranspose2d(8, 6, 3, 2, 1),
             nn.Conv1d(8, 4, 3)]
    for layer, size in itertools.product(kinds, (1e-3, 700.0)):
        layer.bias, layer.weight.grad = None, None
        one = isinstance(layer, nn.Conv1d)
        x = torch.randn(*((2, 8, 9) if one else (2, 8, 7, 7))) * size
        arithmetic = dict(input_grad=BACKWARD, weight_grad=BACKWARD)
        w = layer.weight.detach().clone()
        daa.torch.convert(layer, FORWARD, **arithmetic, scaled=True)
        y = layer(x.requires_grad_())
        g = torch.randn(y.shape) * size * 1e-6
        y.backward(g)
        got = [y.detach(), x.grad, layer.weight.grad]
        daa.torch.convert(layer, FORWARD, **arithmetic)
        (x_fit, n), (w_fit, m), (g_fit, k) = fitted(x.detach(), "e4m3"), fitted(w, "e4m3"), fitted(g, "e5m2")
        layer.weight = nn.Parameter(w_fit)
        y = layer(x_fit.requires_grad_())
        y.backward(g_fit)
        for found, want, power in zip(got, (y.detach(), x_fit.grad, layer.weight.grad), (n + m, k + m, k + n)):
            assert torch.equal(found, back(want.numpy(), power))


def test_observers_see_what_the_array_sees(numbers, tmp_path):
    layer = daa.torch.convert(nn.Linear(6, 4), daa.Config(streams=1, format="e4m3"), scaled=True)
    x = torch.randn(3, 6) * 1e-9
    with daa.torch.observe(layer) as record, daa.torch.dump(layer, tmp_path) as paths:
        layer(x)
    assert record.rows[0]["snr_db"] > 100
    a = np.load(paths[0])
    assert np.array_equal(a, daa.quantize(fitted(x, "e4m3")[0].numpy(), "e4m3")) and 224 < abs(a).max() <= 448
    assert " scaled" in daa.torch.summary(layer)


def test_attention_and_derivatives(numbers):
    q, k, v = (torch.randn(2, 5, 8, requires_grad=True) for _ in range(3))
    exact = daa.torch.scaled_dot_product_attention(q, k, v, config=None)
    near = daa.torch.scaled_dot_product_attention(q, k, v, config=FORWARD, input_grad=BACKWARD, weight_grad=BACKWARD, scaled=True)
    for ours, theirs in zip(torch.autograd.grad(near.sum(), (q, k, v)), torch.autograd.grad(exact.sum(), (q, k, v))):
        assert float((ours - theirs).norm()) < 0.3 * float(theirs.norm()) + 1e-6
    a, b = torch.randn(3, 4) * 1e-8, torch.randn(4, 2)
    mine, theirs = (torch.autograd.functional.hessian(lambda a, f=f: f(a, b).pow(2).sum(), a) for f in (
        lambda a, b: daa.torch.matmul(a, b, config=FORWARD, scaled=True), torch.matmul))
    assert float((mine - theirs).norm()) < 0.2 * float(theirs.norm())


def test_an_accumulator_of_few_exponents_is_refused():
    config = daa.Config(format="e4m3", acc_format="e5m10")
    with pytest.raises(daa.Error, match="acc_format is (fp16|e5m10), and scaled .* 8 exponent bits, as fp32 has"):
        daa.torch.convert(nn.Linear(2, 2), config, scaled=True)
    daa.torch.convert(nn.Linear(2, 2), config)
