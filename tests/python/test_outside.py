"""What runs outside the array is told or refused; configurations by layer, undoing, and the summary."""
import copy
import io
import pickle
import warnings

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn
from torch.nn import functional

PAPER, QUAD = daa.Config("paper"), daa.Config("quad")


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4))

    def forward(self, x):
        return functional.linear(x, self.weight)


class Net(nn.Module):
    """A layer, and products written as functions in every manner."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(4, 4), Head()

    def forward(self, x):
        x = self.layer(x)
        x = x @ x.t() @ x
        x = torch.einsum("ij,jk->ik", x, x.t().contiguous()).mm(x)
        return self.head(x)


def told(model, x):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model(x)
    return [str(one.message) for one in caught if one.category is RuntimeWarning]


def test_products_outside_are_told_once_by_name(numbers):
    model, x = daa.torch.convert(Net(), PAPER), torch.randn(4, 4)
    (message,) = told(model, x)
    named = message[message.index(": ") + 2:message.index("; ")].split(", ")
    assert sorted(named) == ["__matmul__", "einsum", "head.linear", "mm"] or sorted(named) == [
        "einsum", "head.linear", "matmul", "mm"]
    assert told(model, x) == [] and not model._forward_hooks and not model._forward_pre_hooks
    assert told(daa.torch.convert(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), PAPER), x) == []
    assert told(daa.torch.convert(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), None), x) == []


def test_what_is_kept_may_multiply_outside(numbers):
    make, x = lambda: nn.Sequential(nn.Linear(4, 4), Head(), nn.GRU(4, 4)), torch.randn(2, 4)
    (message,) = told(daa.torch.convert(make(), PAPER, keep=["2"]), x)
    assert "1.linear" in message and "gru" not in message
    assert told(daa.torch.convert(make(), PAPER, keep=["1", "2"], strict=True), x) == []
    assert told(daa.torch.convert(make(), PAPER, layers=["0"], strict=True), x) == []


def test_strict_refuses_every_time(numbers):
    model, x = daa.torch.convert(Net(), PAPER, strict=True), torch.randn(4, 4)
    for _ in range(2):
        with pytest.raises(daa.Error, match="matmul.* is a product outside the array, which strict forbids"):
            model(x)
    daa.torch.convert(model, PAPER)
    assert len(told(model, x)) == 1
    assert model.layer(x).shape == (4, 4) and torch.equal(x @ x, torch.mm(x, x))


def test_copies_are_told_too(numbers):
    model, x = daa.torch.convert(Net(), PAPER), torch.randn(4, 4)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for one in (*copies, model):
        assert len(told(one, x)) == 1 and told(one, x) == []


def test_an_exception_in_the_first_pass_leaves_nothing_behind(numbers):
    model, x = daa.torch.convert(nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 4)), PAPER), torch.randn(2, 4)
    with pytest.raises(daa.Error):
        model(x)
    assert torch.equal(torch.matmul(x, x.t()), x @ x.t())
    model[1] = Head()
    assert told(model, x) and told(model, x) == []


# ---- configurations by layer ----

def network():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 1)), nn.Flatten(), nn.Linear(8, 5))


def test_configurations_by_layer(numbers):
    one_bit = daa.Config(lo_bits=1)
    model = daa.torch.convert(network(), {"*": PAPER, "1": (QUAD, None, one_bit), "1.1": QUAD, "3": None}, high=["0"])
    found = {name: module.arithmetic for name, module in model.named_modules() if hasattr(module, "arithmetic")}
    assert found == {
        "0": daa.torch.Arithmetic(*[PAPER.replace(streams=1)] * 3), "1.0": daa.torch.Arithmetic(QUAD, None, one_bit),
        "1.1": daa.torch.Arithmetic(QUAD, QUAD, QUAD), "3": daa.torch.Arithmetic(None, None, None)}
    model = daa.torch.convert(network(), {"1.*": PAPER})
    assert [type(m).__module__ for m in (model[0], model[1][0], model[1][1], model[3])] == [
        "torch.nn.modules.conv", "daa.torch", "daa.torch", "torch.nn.modules.linear"]


@pytest.mark.parametrize(
    "config, options, text",
    [
        ({"*": PAPER, "2": QUAD}, {}, "config has '2', which fits no layer that can be converted; those are 0, 1.0, 1.1, 3"),
        ({"conv?": PAPER}, {}, "config has 'conv?'"),
        ({"0": (PAPER, QUAD)}, {}, "config of 0 has 2 configurations; it must have 1, or 3: forward, input_grad"),
        ({"0": "paper"}, {}, "'paper' is no daa.Config"),
        ({"0": PAPER}, dict(weight_grad=None), "input_grad and weight_grad must not be given"),
        ({"0": PAPER}, dict(high=["1"]), "high names 1, which is not among"),
    ],
    ids=str,
)
def test_configurations_that_cannot_be(config, options, text):
    model = network()
    with pytest.raises(daa.Error) as caught:
        daa.torch.convert(model, config, **options)
    assert text in str(caught.value) and type(model[0]) is nn.Conv2d and not model._forward_hooks


def test_undone(numbers):
    plain = nn.Sequential(*network(), nn.Unflatten(1, (1, 5)), nn.MultiheadAttention(5, 1))
    model = copy.deepcopy(plain)
    daa.torch.convert(model, PAPER)
    state = io.BytesIO()
    torch.save(model.state_dict(), state)
    assert daa.torch.revert(model) is model
    assert [type(m) for m in model.modules()] == [type(m) for m in plain.modules()]
    assert [sorted(m.__dict__) for m in model.modules()] == [sorted(m.__dict__) for m in plain.modules()]
    assert not model._forward_hooks and not model._forward_pre_hooks
    with pytest.raises(daa.Error, match="there is no converted layer"):
        daa.torch.revert(plain)


def test_summary():
    model = daa.torch.convert(network(), {"*": PAPER, "1": (QUAD, None, daa.Config(lo_bits=1)), "3": daa.Config("fp8")})
    lines = [line.split("  ") for line in daa.torch.summary(model).splitlines()]
    rows = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert rows == [
        ["layer", "kind", "forward", "input_grad", "weight_grad"],
        ["0", "Conv2d", *["accumulator=rounded"] * 3],
        ["1.0", "Conv2d", "streams=4 accumulator=rounded", "float32", "lo-bits=1 window=14"],
        ["1.1", "Conv2d", "streams=4 accumulator=rounded", "float32", "lo-bits=1 window=14"],
        ["3", "Linear", *["a-format=e4m3 b-format=e5m2 accumulator=rounded"] * 3],
    ]
