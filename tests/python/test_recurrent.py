"""LSTM, GRU, RNN and their cells: PyTorch's without configurations, the golden model's bits with them."""
import copy
import pickle

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

QUAD = daa.Config("quad")
KINDS = [nn.LSTM, nn.GRU, nn.RNN]
SHAPES = {"plain": {}, "both": dict(num_layers=2, bidirectional=True, batch_first=True), "bare": dict(bias=False)}


def flat(hidden):
    return list(hidden) if isinstance(hidden, tuple) else [hidden]


def near(ones, others):
    return len(ones) == len(others) and all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ones, others))


def results(model, x, *hx):
    """Outputs, states, and the gradients of everything."""
    x = x.clone().requires_grad_()
    y, hidden = model(x, *hx)
    model.zero_grad()
    ((y ** 2).sum() + sum(h.sum() for h in flat(hidden))).backward()
    return [y, *flat(hidden), x.grad, *(p.grad for p in model.parameters())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_without_configurations_they_are_pytorchs(numbers, kind, shape):
    theirs = kind(5, 7, **SHAPES[shape])
    ours = daa.torch.convert(copy.deepcopy(theirs), None, strict=True)
    x, one = torch.randn(4, 3, 5), torch.randn(4, 5)
    assert near(results(ours, x), results(theirs, x))
    assert near(results(ours, one), results(theirs, one))
    packed = pack_padded_sequence(torch.randn(6, 3, 5), [2, 6, 4], enforce_sorted=False)
    hidden = theirs(packed)[1]
    (mine, my_last), (exact, last) = (model(packed, hidden) for model in (ours, theirs))
    assert near([mine.data, *flat(my_last)], [exact.data, *flat(last)])
    assert near(flat(pickle.loads(pickle.dumps(ours))(x)[0]), [theirs(x)[0]])
    assert type(daa.torch.revert(ours)) is kind and list(ours.state_dict()) == list(theirs.state_dict())


def test_projected_states_and_another_nonlinearity(numbers):
    x = torch.randn(4, 3, 5)
    for theirs in (nn.LSTM(5, 7, proj_size=3, bidirectional=True), nn.RNN(5, 7, nonlinearity="relu")):
        assert near(results(daa.torch.convert(copy.deepcopy(theirs), None), x), results(theirs, x))


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_cells(numbers, kind):
    theirs, x = kind(5, 7), torch.randn(3, 5)
    ours = daa.torch.convert(copy.deepcopy(theirs), None, strict=True)
    hidden = theirs(x)
    assert near(flat(ours(x)), flat(hidden)) and near(flat(ours(x, hidden)), flat(theirs(x, hidden)))
    assert near(flat(ours(x[0])), flat(theirs(x[0])))


def golden(a, b):
    return daa.gemm(a.detach(), b.detach(), config=QUAD, engine="golden")


def test_a_grus_gemms_are_the_golden_models(numbers):
    """Unrolled by hand, each product by the golden model; the gradients' products by it as well."""
    model, x, state = nn.GRU(6, 4), torch.randn(3, 2, 6), torch.zeros(2, 4)
    daa.torch.convert(model, QUAD)
    projected = (golden(x.reshape(6, 6), model.weight_ih_l0.t()) + model.bias_ih_l0).reshape(3, 2, 12)
    want, states = [], []
    for t in range(3):
        h = golden(state, model.weight_hh_l0.t()) + model.bias_hh_l0
        states.append(state.detach())
        r, z = (torch.sigmoid(a + b) for a, b in zip(projected[t].chunk(3, -1)[:2], h.chunk(3, -1)[:2]))
        n = torch.tanh(projected[t].chunk(3, -1)[2] + r * h.chunk(3, -1)[2])
        state = n + z * (state - n)
        want.append(state)
    y, last = model(x)
    assert torch.equal(y, torch.stack(want)) and torch.equal(last, want[-1][None])
    seen = []
    model.observers = (lambda name, config, a, b, c, counts: seen.append((name, a, b, c)),)
    model(x.requires_grad_())[0].sum().backward()
    assert all(torch.equal(c, golden(a, b)) for _, a, b, c in seen)
    assert [sum(name == gemm for name, *_ in seen) for gemm in daa.torch.GEMMS] == [4, 3, 4]  # no gradient of zeros
    by_time = [(a, b) for name, a, b, _ in seen if name == "weight_grad" and b.shape == (2, 4)]
    assert [any(torch.equal(b, s) for _, b in by_time) for s in states] == [True] * 3


@pytest.mark.parametrize("call, text", [
    (lambda m: m(torch.ones(4, 3, 9)), "got (12, 9); the last size must be 5"),
    (lambda m: m(torch.ones(4, 3, 5), torch.ones(1, 2, 7)), "got states of (1, 2, 7); they must be (1, 3, 7)"),
    (lambda m: m(torch.ones(0, 3, 5)), "no step; it must have one or more"),
    (lambda m: m(torch.ones(5)), "it must be a batch of sequences, or one"),
    (lambda m: m(torch.ones(4, 3, 5).double()), "the input of the model is torch.float64"),
])
def test_refused(call, text):
    with pytest.raises(daa.Error) as caught:
        call(daa.torch.convert(nn.GRU(5, 7), QUAD))
    assert text in str(caught.value)
