"""Compilers see one operator a GEMM; what records graphs is refused by name. torch.compile wants PyTorch 2.4 here."""
import copy
import pathlib

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn

PAPER = daa.Config("paper")
compiles = pytest.mark.skipif(not hasattr(torch.library, "custom_op"), reason="PyTorch 2.4 has torch.library.custom_op")

headers = pytest.mark.skipif(not pathlib.Path(torch.__file__).with_name("include").joinpath("ATen").exists(),
                             reason="inductor compiles with PyTorch's headers, which are not there")


def network():
    torch.manual_seed(2)
    return daa.torch.convert(nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=2), nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 2), nn.Flatten(), nn.Linear(36, 6), nn.ReLU(), nn.Linear(6, 5)), PAPER)


def gradients(model, compiled, x):
    model.zero_grad()
    y = compiled(x)
    y.pow(2).sum().backward()
    return [y.detach(), *(p.grad.clone() for p in model.parameters())]


@compiles
@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=[pytest.mark.long, headers])])
def test_a_compiled_network_has_the_same_bits(numbers, backend):
    from torch._dynamo.testing import CompileCounterWithBackend
    torch._dynamo.reset()
    model, counter = network(), CompileCounterWithBackend(backend)
    want = gradients(model, model, torch.randn(2, 3, 7, 7, generator=torch.manual_seed(1)))
    compiled = torch.compile(model, backend=counter, fullgraph=True)
    for _ in range(2):
        got = gradients(model, compiled, torch.randn(2, 3, 7, 7, generator=torch.manual_seed(1)))
        assert all(map(torch.equal, got, want))
    assert counter.frame_count == 1
    nodes = [str(node.target) for graph in counter.graphs for node in graph.graph.nodes if "daa" in str(node.target)]
    assert len(nodes) == 5
    assert all(map(torch.equal, gradients(model, compiled, torch.ones(3, 3, 7, 7)), gradients(model, model, torch.ones(3, 3, 7, 7))))


@compiles
def test_layers_of_a_copy_are_its_own(numbers):
    torch._dynamo.reset()
    model, x = network(), torch.randn(2, 3, 7, 7)
    other = copy.deepcopy(model)
    daa.torch.convert(other, daa.Config("quad", lo_bits=1))
    for one in (model, other):
        assert torch.equal(torch.compile(one, backend="eager")(x), one(x))
    with daa.torch.observe(model) as record:
        torch.compile(model, backend="eager")(x)
    assert len(record.rows) == 5


@compiles
def test_attention_compiles(numbers):
    torch._dynamo.reset()
    model, x = daa.torch.convert(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0), PAPER), torch.randn(4, 2, 8)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    assert torch.allclose(compiled(x), model(x), atol=1e-6)


@compiles
def test_functions_are_stepped_around(numbers):
    torch._dynamo.reset()
    x = torch.randn(3, 4)
    assert torch.equal(torch.compile(lambda x: daa.torch.matmul(x, x.t()) + 1, backend="eager")(x), daa.gemm(x, x.t()) + 1)


@compiles
def test_the_operator_is_sound(numbers):
    layer = daa.torch.convert(nn.Linear(4, 3), PAPER)
    x, w = torch.randn(2, 4, requires_grad=True), layer.weight.detach().requires_grad_()
    torch.library.opcheck(torch.ops.daa.product.default, (layer.number, "forward", x, w, [2, 3]))


@compiles
@pytest.mark.parametrize("strict", [False, True])
def test_export_is_refused_by_name(numbers, strict):
    model = daa.torch.convert(nn.Sequential(nn.Linear(4, 3)), PAPER)
    with pytest.raises(Exception, match="0 computes in libdaa, which torch.export cannot record"):
        torch.export.export(model, (torch.randn(2, 4),), strict=strict)
    assert model(torch.randn(2, 4)).shape == (2, 3)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
def test_trace_and_script_are_refused_by_name(numbers):
    model = daa.torch.convert(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), PAPER)
    with pytest.raises(daa.Error, match="0 computes in libdaa, which torch.jit.trace cannot record; .* torch.compile it"):
        torch.jit.trace(model, torch.randn(2, 4))
    with pytest.raises(daa.Error, match="0 computes in libdaa, which torch.jit.script cannot compile"):
        torch.jit.script(model)
    assert model(torch.randn(2, 4)).shape == (2, 3)
