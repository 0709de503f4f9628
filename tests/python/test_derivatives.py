"""Derivatives of any order: against PyTorch's where the GEMMs are float32, against daa.gemm where they are the array's."""
import copy

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn
from torch.autograd import forward_ad, functional

PAPER = daa.Config("paper")
LAYERS = {
    "linear": (lambda: nn.Linear(9, 4), (6, 9)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, groups=2, padding=2, stride=2), (2, 4, 9)),
    "conv2d": (lambda: nn.Conv2d(3, 4, 3, padding=1, stride=2, dilation=2), (2, 3, 7, 6)),
    "conv3d": (lambda: nn.Conv3d(2, 3, (1, 3, 3), padding="same"), (1, 2, 4, 5, 3)),
    "transposed1d": (lambda: nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2), (2, 4, 5)),
    "transposed2d": (lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, dilation=2, bias=False), (2, 3, 5, 4)),
    "transposed3d": (lambda: nn.ConvTranspose3d(2, 3, 2), (1, 2, 3, 4, 3)),
}


def derivatives(layer, x):
    """Outputs, first derivatives, and the derivatives of the sum of their squares."""
    x = x.clone().requires_grad_()
    parameters = [x, *layer.parameters()]
    y = layer(x)
    first = torch.autograd.grad(y.pow(3).sum(), parameters, create_graph=True)
    second = torch.autograd.grad(sum(g.pow(2).sum() for g in first), parameters, create_graph=True)
    third = torch.autograd.grad(sum(g.sum() for g in second), parameters)
    return [y, *first, *second, *third]


def near(a, b):
    return float((a - b).norm()) <= 1e-5 * float(b.norm())


@pytest.mark.parametrize("name", LAYERS)
def test_three_orders_without_configurations_are_pytorchs(numbers, name):
    make, shape = LAYERS[name]
    theirs, x = make(), torch.randn(*shape)
    ours = daa.torch.convert(copy.deepcopy(theirs), None)
    assert all(map(near, derivatives(ours, x), derivatives(theirs, x)))


def test_second_derivatives_are_the_arrays(numbers):
    """y = x w', so that the derivatives by x of its first ones are GEMMs that can be written down."""
    layer, x = daa.torch.convert(nn.Linear(5, 3, bias=False), PAPER), torch.randn(4, 5, requires_grad=True)
    weight, u, v = layer.weight, torch.randn(4, 3, requires_grad=True), torch.randn(4, 5)
    (by_x,) = torch.autograd.grad(layer(x), x, u, create_graph=True)
    assert torch.equal(by_x, daa.gemm(u.detach(), weight.detach(), config=PAPER))
    by_u, by_weight = torch.autograd.grad(by_x, [u, weight], v)
    assert torch.equal(by_u, daa.gemm(v, weight.detach().t(), config=PAPER))
    assert torch.equal(by_weight, daa.gemm(u.detach().t(), v, config=PAPER))
    (of_weight,) = torch.autograd.grad(layer(x), weight, u, create_graph=True)
    v = torch.randn(3, 5)
    by_u, by_x = torch.autograd.grad(of_weight, [u, x], v)
    assert torch.equal(by_u, daa.gemm(x.detach(), v.t(), config=PAPER)) and torch.equal(by_x, daa.gemm(u.detach(), v, config=PAPER))


def test_each_second_derivative_takes_the_configuration_of_its_sizes(numbers):
    configs = daa.Config(streams=1), daa.Config("quad"), daa.Config(lo_bits=1)
    layer = daa.torch.convert(nn.Linear(5, 3, bias=False), configs[0], input_grad=configs[1], weight_grad=configs[2])
    x = torch.randn(4, 5, requires_grad=True)
    with daa.torch.observe(layer) as record:
        derivatives(layer, x)
    for row in record.rows:
        assert row["config"] == str(configs[{5: 0, 3: 1, 4: 2}[row["k"]]])
        assert row["gemm"] == daa.torch.GEMMS[{5: 0, 3: 1, 4: 2}[row["k"]]]
    assert {row["gemm"] for row in record.rows} == set(daa.torch.GEMMS) and len(record.rows) > 8


@pytest.mark.parametrize("config", [None, PAPER], ids=["float32", "paper"])
def test_products_with_hessians_and_jacobians(numbers, config):
    theirs = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    ours, x, v = daa.torch.convert(copy.deepcopy(theirs), config), torch.randn(3, 4), torch.randn(3, 4)
    for call in (lambda f: functional.hvp(f, x, v)[1], lambda f: functional.vhp(f, x, v)[1],
                 lambda f: functional.hessian(f, x)):
        mine, exact = (call(lambda t, net=net: net(t).pow(2).sum()) for net in (ours, theirs))
        assert float(exact.norm()) > 0.1 and float((mine - exact).norm()) < (1e-4 if config is None else 0.1) * float(exact.norm())
    mine, exact = (functional.jvp(net, x, v)[1] for net in (ours, theirs))
    assert float((mine - exact).norm()) < (1e-4 if config is None else 0.1) * float(exact.norm())


def test_forward_mode_is_refused_by_name(numbers):
    model = daa.torch.convert(nn.Sequential(nn.Linear(4, 3)), PAPER)
    with forward_ad.dual_level():
        with pytest.raises(daa.Error, match="0 has no forward-mode derivative; use reverse mode"):
            model(forward_ad.make_dual(torch.randn(2, 4), torch.randn(2, 4)))


def test_an_operand_that_is_refused_names_layer_and_gemm(numbers):
    config = daa.Config(specials=False)
    model = daa.torch.convert(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), config)
    with pytest.raises(daa.Error, match=r"^0, forward: A\[1\]\[2\] is a NaN, which needs specials on"):
        model(torch.tensor([[0.0] * 4, [0.0, 0.0, float("nan"), 0.0]]))
    y = model(torch.ones(1, 4))
    with pytest.raises(daa.Error, match=r"^2, input_grad: A\[0\]\[1\] is an Inf"):
        y.backward(torch.tensor([[0.0, float("inf")]]))
