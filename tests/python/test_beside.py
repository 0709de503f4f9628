"""Grouped convolutions side by side in vectors: the golden model's bits, forward and backward."""
import copy

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
from daa import _beside
from torch import nn

CONFIGS = [daa.Config("paper"), daa.Config("safe2"), daa.Config("quad", lo_bits=1), daa.Config("baseline"), daa.Config("fp8"),
           daa.Config(streams=1, accumulator="anchored"), daa.Config(streams=8, accumulator="anchored", lo_bits=3),
           daa.Config(policy="low", lo_round="truncate", accumulator="anchored", acc_bits=14)]
LAYERS = {
    "depthwise": (lambda: nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False), (2, 24, 9, 8)),
    "odd": (lambda: nn.Conv2d(40, 80, 3, stride=2, padding=(1, 0), dilation=(1, 2), groups=20, bias=False), (2, 40, 7, 8)),
    "one": (lambda: nn.Conv1d(70, 70, 5, padding=2, groups=70, bias=False), (2, 70, 11)),
    "deep": (lambda: nn.Conv3d(16, 16, (2, 3, 2), stride=(1, 2, 1), padding=(0, 1, 1), groups=16, bias=False), (2, 16, 3, 6, 5)),
    "transposed": (lambda: nn.ConvTranspose2d(32, 16, 3, stride=2, groups=16, bias=False), (2, 32, 5, 4)),
    "points": (lambda: nn.Conv2d(16, 32, 1, groups=16, bias=False), (2, 16, 5, 4)),
}


@pytest.fixture
def ran(monkeypatch):
    """What each call of the engines came to."""
    found, product = [], _beside.product

    def watched(*arguments):
        result = product(*arguments)
        found.append(result is not None)
        return result

    monkeypatch.setattr(_beside, "product", watched)
    return found


def results(layer, config, x, g, **options):
    layer, x = daa.torch.convert(copy.deepcopy(layer), config, **options), x.clone().requires_grad_()
    y = layer(x)
    y.backward(g(y))
    return y, x.grad, layer.weight.grad


def same(layer, config, x, scale=1.0):
    g = torch.randn(layer(x).shape) * scale
    ours, golden = (results(layer, config, x, lambda y: g, **options) for options in ({}, dict(engine="golden")))
    return all(a.shape == b.shape and torch.equal(a.nan_to_num(7, 8, 9), b.nan_to_num(7, 8, 9)) for a, b in zip(ours, golden))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_bits(numbers, ran, name, config):
    if "avx2" not in daa.engines():
        pytest.skip("the vectors are x86's")
    make, shape = LAYERS[name]
    assert same(make(), config, torch.randn(shape)) and ran == [True] * 3


@pytest.mark.parametrize("name", ["depthwise", "odd", "deep", "points"])
def test_memory_formats_and_threads(numbers, ran, name):
    """channels_last comes back as channels_last, without the padding in between; several images, several threads."""
    if "avx2" not in daa.engines():
        pytest.skip("the vectors are x86's")
    make, (_, *sizes) = LAYERS[name]
    layer, x = make(), torch.randn(5, *sizes)
    form = torch.channels_last if x.dim() == 4 else torch.channels_last_3d
    config = daa.Config("safe2")
    g = torch.randn(layer(x).shape)
    want = results(layer, config, x, lambda y: g)
    found = results(layer, config, x.contiguous(memory_format=form), lambda y: g, threads=3)
    assert ran == [True] * 6 and all(torch.equal(a, b) for a, b in zip(want, found))
    assert all(a.is_contiguous() and b.is_contiguous(memory_format=form) for a, b in zip(want[:2], found[:2]))


def test_gradients_are_rounded_once(numbers, ran, monkeypatch):
    rounded, put = [], _beside.put
    monkeypatch.setattr(_beside, "put", lambda x, *rest: rounded.append(x.shape) or put(x, *rest))
    make, shape = LAYERS["depthwise"]
    results(make(), daa.Config("safe2"), torch.randn(shape), torch.ones_like)
    assert ran in ([], [True] * 3) and len(rounded) in (0, 5)  # weights twice, inputs twice, gradients once


@pytest.mark.parametrize("format", ["bf16", "e8m5", "e4m3", "e5m2", "e3m2", "e2m1", "e8m1"])
def test_numbers_in_bf16(numbers, format):
    """Those of quantize(), but for subnormals, which count as zeros, and NaNs."""
    x = torch.tensor(numbers.standard_normal((7, 9, 13)), dtype=torch.float32) * 2.0**torch.arange(-150, -150 + 23 * 13, 23)
    x[0, 0, :4] = torch.tensor([float("inf"), -float("inf"), 0.0, -0.0])
    for of in (x, x.transpose(0, 1), x.permute(2, 0, 1).contiguous().permute(1, 2, 0), x[1::2, :5], x[:, :1].expand(7, 4, 13)):
        into = torch.full((*of.shape[:2], 16), 3.0, dtype=torch.bfloat16)
        _beside.put(of, format, into)
        found, want = into[..., :13].float(), daa.quantize(of, format)
        found = torch.where(found.abs() < 2.0**-126, found * 0, found)
        want = torch.where(want.abs() < 2.0**-126, want * 0, want)
        assert torch.equal(found, want) and torch.equal(found.signbit(), want.signbit())
        assert (into[..., 13:] == 3).all()
    with pytest.raises(daa.Error, match="10 fraction bits, and bf16 7"):
        _beside.put(x, "fp16", into)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e-30, 3e38])
def test_what_is_out_of_range_goes_another_way(numbers, ran, value):
    make, shape = LAYERS["depthwise"]
    x = torch.randn(shape) * 1e-3
    x[1, 3, 2, 4] = value
    assert same(make(), daa.Config("paper"), x, 1e-9)
    assert ran == [] or (ran[0] is (value == 1e-30) and ran[1])


def test_what_the_vectors_do_not_have_goes_another_way(numbers, ran):
    make, shape = LAYERS["depthwise"]
    for config in (daa.Config(policy="rotate"), daa.Config(format="fp16"), daa.Config("quad", window=20)):
        assert not _beside.possible(config) and same(make(), config, torch.randn(shape))
    assert ran == []
