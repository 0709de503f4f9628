"""The functions of daa.torch, attention, and the layers that are other ones in disguise."""
import copy
import itertools

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn
from torch.nn import functional

PAPER, QUAD = daa.Config("paper"), daa.Config("quad")


def run(function, *tensors):
    """The result, and the gradients of the sum of its products with fixed numbers."""
    tensors = [t.clone().requires_grad_() for t in tensors]
    y = function(*tensors)
    torch.manual_seed(7)
    return [y, *torch.autograd.grad((y * torch.randn(y.shape)).sum(), tensors)]


def near(ones, others, bound=1e-5):
    return len(ones) == len(others) and all(
        a.shape == b.shape and float((a - b).norm()) <= bound * float(b.norm()) + 1e-6 for a, b in zip(ones, others))


SHAPES = [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)),
          ((6, 1, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 0, 4), (4, 5))]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_matmul(numbers, shapes):
    a, b = (torch.randn(*shape) for shape in shapes)
    assert near(run(lambda a, b: daa.torch.matmul(a, b, config=None), a, b), run(torch.matmul, a, b))
    y, by_a, by_b = run(lambda a, b: daa.torch.matmul(a, b, config=QUAD), a, b)
    if a.dim() > 1 and b.dim() > 1:
        assert torch.equal(y, daa.gemm(a, b, config=QUAD))
        torch.manual_seed(7)
        g = torch.randn(y.shape)
        if a.shape[:-2] == b.shape[:-2] or a.dim() == 3 and b.dim() == 2:
            assert torch.equal(by_a, daa.gemm(g, b.transpose(-1, -2).contiguous(), config=QUAD))
    else:
        assert near([y], [torch.matmul(a, b)], 0.2)


def test_bmm_linear_and_conv2d(numbers):
    a, b = torch.randn(3, 4, 5), torch.randn(3, 5, 2)
    assert torch.equal(daa.torch.bmm(a, b), daa.gemm(a, b))
    x, weight, bias = torch.randn(2, 3, 7), torch.randn(4, 7), torch.randn(4)
    layer = daa.torch.convert(nn.Linear(7, 4), PAPER, input_grad=QUAD, weight_grad=None)
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    want = run(lambda x: layer(x), x)
    assert all(map(torch.equal, run(lambda x: daa.torch.linear(x, weight, bias, input_grad=QUAD, weight_grad=None), x), want))
    for options in (dict(padding="same"), dict(stride=(2, 1), padding=(0, 2), groups=2), dict(dilation=2)):
        layer = nn.Conv2d(4, 6, 3, **options)
        x = torch.randn(2, 4, 8, 7)
        want = run(daa.torch.convert(layer, QUAD), x)
        got = run(lambda x: daa.torch.conv2d(x, layer.weight, layer.bias, **options, config=QUAD), x)
        assert all(map(torch.equal, got, want))


def test_a_product_of_functions_has_second_derivatives(numbers):
    a, b = torch.randn(3, 4), torch.randn(4, 5)
    for config, bound in ((None, 1e-5), (PAPER, 0.1)):
        mine, exact = (torch.autograd.functional.hessian(lambda a, f=f: f(a, b).pow(2).sum(), a)
                       for f in (lambda a, b: daa.torch.matmul(a, b, config=config), torch.matmul))
        assert near([mine], [exact], bound) and float(exact.norm()) > 1


@pytest.mark.skipif(not hasattr(functional, "scaled_dot_product_attention"), reason="PyTorch 2.0 has it")
@pytest.mark.parametrize("options", [{}, dict(is_causal=True), dict(scale=0.3), dict(attn_mask=True)], ids=str)
def test_attention_without_configurations_is_pytorchs(numbers, options):
    q, k, v = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 4)
    if "attn_mask" in options:
        options = dict(attn_mask=torch.rand(5, 7) > 0.3)
    mine = run(lambda *x: daa.torch.scaled_dot_product_attention(*x, **options, config=None), q, k, v)
    if "scale" in options:
        q, options = q * 0.3 * 8**0.5, {}
        mine[1] = mine[1] / (0.3 * 8**0.5)
    assert near(mine, run(lambda *x: functional.scaled_dot_product_attention(*x, **options), q, k, v))


def test_attention_is_the_arrays(numbers):
    q, k, v = torch.randn(2, 5, 8), torch.randn(2, 7, 8), torch.randn(2, 7, 4)
    scores = daa.gemm(q, k.transpose(1, 2), config=QUAD) / 8**0.5
    want = daa.gemm(torch.softmax(scores, -1), v, config=QUAD)
    assert torch.equal(daa.torch.scaled_dot_product_attention(q, k, v, config=QUAD), want)


ATTENTIONS = {
    "plain": {}, "first": dict(batch_first=True), "sizes": dict(kdim=5, vdim=3), "no-bias": dict(bias=False),
    "extra": dict(add_bias_kv=True, add_zero_attn=True), "first-extra": dict(batch_first=True, add_zero_attn=True),
}


@pytest.mark.parametrize("name", ATTENTIONS)
@pytest.mark.parametrize("masks", ["none", "padding", "bool", "float", "heads"])
def test_multihead_attention_without_configurations_is_pytorchs(numbers, name, masks):
    options = ATTENTIONS[name]
    theirs = nn.MultiheadAttention(8, 2, **options)
    ours = daa.torch.convert(copy.deepcopy(theirs), None)
    sizes = [(6, 3, 8), (7, 3, options.get("kdim", 8)), (7, 3, options.get("vdim", 8))]
    q, k, v = (torch.randn(*size) for size in sizes)
    if options.get("batch_first"):
        q, k, v = (x.transpose(0, 1).contiguous() for x in (q, k, v))
    given = {
        "none": {}, "padding": dict(key_padding_mask=torch.arange(7)[None] > torch.tensor([[6], [3], [5]])),
        "bool": dict(attn_mask=torch.ones(6, 7, dtype=torch.bool).triu(2)), "float": dict(attn_mask=torch.randn(6, 7)),
        "heads": dict(attn_mask=torch.randn(6, 6, 7)),
    }[masks]
    for average in (True, False):
        mine, exact = (net(q, k, v, average_attn_weights=average, **given) for net in (ours, theirs))
        assert near(mine, exact)
    assert near(run(lambda *x: ours(*x, **given)[0], q, k, v), run(lambda *x: theirs(*x, **given)[0], q, k, v))
    assert ours(q, k, v, need_weights=False, **given)[1] is None
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_multihead_attention_of_one_sequence(numbers):
    theirs = nn.MultiheadAttention(8, 2)
    ours, x = daa.torch.convert(copy.deepcopy(theirs), None), torch.randn(5, 8)
    assert near(ours(x, x, x), theirs(x, x, x))


def test_every_gemm_of_a_transformer_runs_in_the_array(numbers):
    torch.manual_seed(3)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    theirs = nn.TransformerEncoder(layer, 2)
    ours, x = daa.torch.convert(copy.deepcopy(theirs), None), torch.randn(3, 5, 8)
    padding = torch.arange(5)[None] > torch.tensor([[4], [2], [3]])
    for network in (ours, theirs):
        network.train()
    assert near(run(ours, x), run(theirs, x))
    for network in (ours, theirs):
        network.eval()
    with torch.no_grad():
        a, b = (net(x, src_key_padding_mask=padding)[~padding] for net in (ours, theirs))
        assert near([a], [b])
    daa.torch.convert(ours, PAPER, strict=True)
    with daa.torch.observe(ours) as record:
        ours(x.requires_grad_()).sum().backward()
    assert [sum(row["gemm"] == gemm for row in record.rows) for gemm in daa.torch.GEMMS] == [16, 16, 16]
    before = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, norm_first=True)
    assert near(run(daa.torch.convert(copy.deepcopy(before), None), x), run(before, x))
    decoder = nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0)
    assert near(run(daa.torch.convert(copy.deepcopy(decoder), None), x, x), run(decoder, x, x))


def test_a_convolution_of_one_dimension_is_one_of_two(numbers):
    for stride, padding, dilation, groups in itertools.product((1, 2), (0, 2), (1, 2), (1, 2)):
        one = nn.Conv1d(4, 6, 3, stride, padding, dilation, groups)
        two = nn.Conv2d(4, 6, (1, 3), (1, stride), (0, padding), (1, dilation), groups)
        two.weight, two.bias = nn.Parameter(one.weight.detach()[:, :, None]), one.bias
        x = torch.randn(2, 4, 9)
        ours, other = (daa.torch.convert(layer, QUAD) for layer in (one, two))
        assert all(map(torch.equal, run(ours, x), run(lambda x: other(x[:, :, None])[:, :, 0], x)))


def test_a_transposed_convolution_is_the_gradient_of_one(numbers):
    """Its forward GEMM has the inputs as A and runs over the input's channels."""
    for make in (nn.Conv1d, nn.Conv2d, nn.Conv3d):
        turned = getattr(nn, make.__name__.replace("Conv", "ConvTranspose"))
        sizes = (8, 7, 5)[:int(make.__name__[4])]
        straight, back = make(6, 4, 3, 2, 1, bias=False), turned(4, 6, 3, 2, 1, bias=False)
        back.weight = straight.weight
        x = torch.randn(2, 6, *sizes)
        daa.torch.convert(straight, None, input_grad=QUAD)
        daa.torch.convert(back, QUAD, input_grad=None, weight_grad=None)
        y = straight(x.requires_grad_())
        g = torch.randn(y.shape)
        (want,) = torch.autograd.grad(y, x, g)
        with daa.torch.observe(back) as record:
            got = back(g, output_size=x.shape)
        assert torch.equal(got, want) and record.rows[0]["gemm"] == "forward" and record.rows[0]["k"] == 4


def test_a_transposed_convolution_of_other_sizes(numbers):
    theirs = nn.ConvTranspose2d(4, 6, 3, stride=3, padding=1, output_padding=(1, 2), groups=2)
    ours, x = daa.torch.convert(copy.deepcopy(theirs), None), torch.randn(2, 4, 5, 3)
    assert near(run(ours, x), run(theirs, x))
    assert near([ours(x, output_size=(14, 7))], [theirs(x, output_size=(14, 7))])
    assert near([ours(x[0])], [theirs(x[0])])
    with pytest.raises(ValueError, match="output size"):
        ours(x, output_size=(99, 7))


def test_three_dimensions_of_one_frame_are_two(numbers):
    three, two = nn.Conv3d(3, 4, (1, 3, 2), padding=(0, 1, 1)), nn.Conv2d(3, 4, (3, 2), padding=1)
    two.weight, two.bias = nn.Parameter(three.weight.detach()[:, :, 0]), three.bias
    x = torch.randn(2, 3, 1, 6, 5)
    ours, other = (daa.torch.convert(layer, PAPER) for layer in (three, two))
    assert all(map(torch.equal, run(ours, x), run(lambda x: other(x[:, :, 0])[:, :, None], x)))


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: daa.torch.matmul(torch.ones(2, 3), torch.ones(2, 3)), "matmul got (2, 3) and (2, 3); the second must have 3 rows"),
        (lambda: daa.torch.matmul(torch.tensor(1.0), torch.ones(3)), "must have a dimension or more"),
        (lambda: daa.torch.matmul(torch.ones(2, 3, 4), torch.ones(5, 4, 3)), "their batches must broadcast"),
        (lambda: daa.torch.matmul(torch.ones(2, 3).double(), torch.ones(3, 3)), "the first operand of matmul is torch.float64"),
        (lambda: daa.torch.bmm(torch.ones(2, 3), torch.ones(3, 2)), "it must be (N, M, K) and (N, K, P)"),
        (lambda: daa.torch.linear(torch.ones(2, 3), torch.ones(4, 5)), "linear got (2, 3); the last size must be 5"),
        (lambda: daa.torch.conv2d(torch.ones(1, 2, 5, 5), torch.ones(3, 4, 3, 3)), "conv2d got (1, 2, 5, 5)"),
        (lambda: daa.torch.conv2d(torch.ones(1, 2, 2, 2), torch.ones(3, 2, 3, 3)), "conv2d got 2 x 2 pixels"),
        (lambda: daa.torch.matmul(torch.ones(2, 2), torch.ones(2, 2), config="paper"), "'paper' is no daa.Config"),
    ],
)
def test_refused(call, text):
    with pytest.raises(daa.Error) as caught:
        call()
    assert text in str(caught.value)
