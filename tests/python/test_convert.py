"""daa.torch.convert on models: what it converts, what it leaves, what it refuses; PyTorch's other tools go on."""

import copy
import functools
import io
import pickle

import pytest
from reference import numbers  # noqa: F401
import daa
import daa.torch
import torch
import torchvision
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune
from torch.utils.checkpoint import checkpoint

PAPER, QUAD = daa.Config("paper"), daa.Config("quad")


def small():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=4),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 5),
    )


def images(count=4):
    return torch.randn(count, 3, 6, 6)


def train(model, x, steps=1):
    """Loss and gradients after some steps of SGD."""
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), torch.arange(len(x)) % 5)
        loss.backward()
        optimizer.step()
    return [loss.detach(), *(p.grad for p in model.parameters())]


def same(ones, others):
    return len(ones) == len(others) and all(map(torch.equal, ones, others))


# ---- what is converted ----


def kinds(model):
    return {name: type(module) for name, module in model.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d))}


def test_everything_by_default():
    model = small()
    assert daa.torch.convert(model, PAPER) is model
    assert kinds(model) == {"0": daa.torch.Conv2d, "3": daa.torch.Conv2d, "5": daa.torch.Linear}
    assert model[0].arithmetic == daa.torch.Arithmetic(PAPER, PAPER, PAPER)
    assert "--streams 2" in repr(model) and "Conv2d(3, 8, kernel_size=(3, 3)" in repr(model)


@pytest.mark.parametrize(
    "options, names",
    [
        (dict(layers=["0"]), "0"),
        (dict(layers="5"), "5"),
        (dict(keep=["0"]), "3 5"),
        (dict(keep="5"), "0 3"),
        (dict(keep=None), "0 3 5"),
        (dict(layers=["0", "3"], keep=["3"]), "0"),
        (dict(layers=[""]), "0 3 5"),
    ],
    ids=str,
)
def test_layers_and_keep(options, names):
    found = kinds(daa.torch.convert(small(), PAPER, **options))
    assert [name for name in found if found[name].__module__ == "daa.torch"] == names.split()


def test_names_may_come_from_a_generator():
    found = kinds(daa.torch.convert(small(), PAPER, layers=(name for name in "035"), keep=iter("3"), high=iter("5")))
    assert [name for name in found if found[name].__module__ == "daa.torch"] == ["0", "5"]


def test_names_stand_for_what_they_hold():
    model = nn.ModuleDict({"a": small(), "ab": small()})
    daa.torch.convert(model, PAPER, layers=["a"], keep=["a.3"], high=["a.0"])
    assert {name for name, kind in kinds(model).items() if kind.__module__ == "daa.torch"} == {"a.0", "a.5"}
    assert model["a"][0].arithmetic.forward.streams == 1 and model["a"][5].arithmetic.forward.streams == 2


def test_a_configuration_for_each_gemm(numbers):
    x, fp8 = torch.randn(6, 9), daa.Config("fp8")
    model = daa.torch.convert(nn.Linear(9, 4, bias=False), PAPER, input_grad=None, weight_grad=QUAD)
    assert model.arithmetic == daa.torch.Arithmetic(PAPER, None, QUAD)
    leaf, gradient, weight = x.clone().requires_grad_(), torch.randn(6, 4), model.weight.detach()
    y = model(leaf)
    y.backward(gradient)
    assert torch.equal(y.detach(), daa.gemm(x, weight.t(), config=PAPER))
    assert torch.equal(leaf.grad, gradient @ weight)
    assert torch.equal(model.weight.grad, daa.gemm(gradient.t(), x, config=QUAD))
    assert daa.torch.convert(model, fp8, weight_grad=None).arithmetic == daa.torch.Arithmetic(fp8, fp8, None)


def test_high_layers_have_one_stream_of_the_same_formats():
    fp16 = daa.Config("quad", format="fp16", lo_bits=2)
    model = daa.torch.convert(small(), fp16, input_grad=None, high=["0", "5"])
    assert model[0].arithmetic == daa.torch.Arithmetic(fp16.replace(streams=1), None, fp16.replace(streams=1))
    assert model[0].arithmetic.forward.a_format == "fp16" and model[3].arithmetic.forward == fp16


def test_converted_twice(numbers):
    x, model = images(), small()
    once = daa.torch.convert(copy.deepcopy(model), QUAD)
    twice = daa.torch.convert(daa.torch.convert(model, PAPER, high=["0"]), QUAD)
    assert same(train(once, x), train(twice, x))


def test_converted_between_forward_and_backward(numbers):
    """The graph keeps the arithmetic of its forward pass."""
    x, model = images(), daa.torch.convert(small(), PAPER)
    want = train(copy.deepcopy(model), x)[1:]
    loss = functional.cross_entropy(model(x), torch.arange(4))
    daa.torch.convert(model, daa.Config("fp8"))
    loss.backward()
    assert same([p.grad for p in model.parameters()], want)


def test_a_model_that_is_a_layer(numbers, tmp_path):
    model = daa.torch.convert(nn.Linear(4, 3), PAPER, high=[""])
    assert type(model) is daa.torch.Linear and model.arithmetic.forward.streams == 1
    with daa.torch.dump(model, tmp_path) as written, daa.torch.observe(model) as record:
        model(torch.randn(2, 4))
    assert [path.name for path in written] == ["model.forward.a.npy", "model.forward.b.npy"]
    assert record.rows[0]["layer"] == ""


def test_layers_made_directly(numbers):
    layer, x = daa.torch.Linear(6, 3), torch.randn(5, 6)
    assert torch.equal(layer(x), daa.gemm(x, layer.weight.detach().t()) + layer.bias)
    assert daa.torch.Conv2d(3, 4, 3, stride=2)(images()).shape == (4, 4, 2, 2)


# ---- what is refused ----


class Own(nn.Linear):
    pass


def refused(model, text, *arguments, **options):
    before = {name: type(module) for name, module in model.named_modules()}
    with pytest.raises(daa.Error) as caught:
        daa.torch.convert(model, *(arguments or [PAPER]), **options)
    assert text in str(caught.value) and "\n" not in str(caught.value)
    assert {name: type(module) for name, module in model.named_modules()} == before


@pytest.mark.parametrize(
    "make, kind",
    [
        (lambda: nn.LSTM(3, 4).double(), "LSTM"),
        (lambda: nn.MultiheadAttention(4, 2).double(), "MultiheadAttention"),
        (lambda: nn.Bilinear(2, 3, 4), "Bilinear"),
        (lambda: nn.LazyLinear(4), "LazyLinear"),
        (lambda: nn.LazyConv2d(4, 3), "LazyConv2d"),
        (lambda: Own(3, 4), "Own"),
        (lambda: nn.Linear(3, 4).double(), "Linear"),
        (lambda: nn.Conv2d(3, 4, 3).bfloat16(), "Conv2d"),
        (lambda: nn.Linear(3, 4, device="meta"), "Linear"),
        (lambda: torch.jit.script(nn.Linear(3, 4)), "RecursiveScriptModule"),
        (lambda: nn.utils.parametrizations.orthogonal(nn.Linear(3, 4)), "ParametrizedLinear"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_cannot_be_converted_is_named(make, kind):
    model = nn.Sequential(nn.Linear(3, 3), nn.ModuleDict({"odd": make()}))
    refused(model, f"1.odd ({kind})")
    refused(model, "keep=")
    daa.torch.convert(model, PAPER, keep=["1.odd"])
    assert type(model[0]) is daa.torch.Linear
    refused(make(), f"the model ({kind})")


def test_all_that_is_in_the_way_is_named_at_once():
    refused(
        nn.Sequential(nn.Linear(3, 3), Own(3, 4), nn.Bilinear(2, 3, 4)), "cannot convert 1 (Own), 2 (Bilinear); only"
    )


class OwnEncoderLayer(nn.TransformerEncoderLayer):
    pass


def test_linears_that_pytorch_passes_by():
    """In eval, nn.TransformerEncoderLayer hands their weights to a kernel of its own: it is converted with them."""
    refused(nn.Sequential(OwnEncoderLayer(4, 2)), "0 (OwnEncoderLayer)", layers=["0.linear1"])
    for options in (dict(keep=["layers.0.self_attn"]), dict(layers=["layers.0.linear1"])):
        model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 1).eval()
        daa.torch.convert(model, PAPER, **options)
        assert type(model.layers[0]) is daa.torch.TransformerEncoderLayer
        with torch.no_grad(), daa.torch.observe(model) as record:
            model(torch.randn(3, 1, 4))
        assert "layers.0.linear1" in {row["layer"] for row in record.rows}


@pytest.mark.parametrize(
    "arguments, options, text",
    [
        (["paper"], {}, "'paper' is no daa.Config"),
        ([PAPER], dict(weight_grad="quad"), "'quad' is no daa.Config"),
        ([PAPER], dict(layers=["5", "7", "6"]), "the model has no layer 6, 7; its layers are in"),
        ([PAPER], dict(keep=["conv"]), "the model has no layer conv"),
        ([PAPER], dict(layers="conv"), "the model has no layer conv"),
        ([PAPER], dict(high=["1"]), "high names 1, which is not among the converted layers"),
        ([PAPER], dict(high=["0"], keep=["0"]), "high names 0, which is not among"),
        ([PAPER], dict(layers=["1"]), "there is no layer to convert; it must be one of Linear"),
        ([PAPER], dict(keep=[""]), "there is no layer to convert"),
        ([PAPER], dict(layers=[]), "there is no layer to convert"),
        ([PAPER], dict(engine="mmx"), "this processor has no engine 'mmx'; it has auto, golden"),
        ([PAPER], dict(threads=-1), "threads is -1; it must be 0 to 256"),
        ([PAPER], dict(threads=1.5), "threads is 1.5"),
        ([PAPER], dict(threads=257), "threads is 257"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be(arguments, options, text):
    refused(small(), text, *arguments, **options)


def test_what_is_no_model():
    with pytest.raises(daa.Error, match="the model is a list; it must be a torch.nn.Module"):
        daa.torch.convert([nn.Linear(3, 4)], PAPER)


def test_an_engine_that_the_processor_lacks():
    for engine in {"avx2", "avx512", "avx512bf16"} - set(daa.engines()):
        refused(small(), f"this processor has no engine '{engine}'", engine=engine)


# ---- the rest of PyTorch ----


def test_state_dicts_go_both_ways(numbers):
    x, plain, ours = images(), small(), daa.torch.convert(small(), PAPER)
    train(ours, x, 2)
    assert list(ours.state_dict()) == list(plain.state_dict())
    assert plain.load_state_dict(ours.state_dict())
    again = daa.torch.convert(small(), PAPER)
    again.load_state_dict(plain.state_dict())
    for model in (ours, again):
        model.eval()
    assert torch.equal(ours(x), again(x))
    before = {name: t.clone() for name, t in plain.state_dict().items()}
    after = daa.torch.convert(plain, PAPER).state_dict()
    assert list(before) == list(after) and all(torch.equal(before[name], after[name]) for name in before)


def test_an_optimizer_made_before_goes_on(numbers):
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    daa.torch.convert(model, PAPER)
    x, losses = images(), []
    for _ in range(30):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), torch.arange(4))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


def saved(model):
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    try:
        return torch.load(buffer, weights_only=False)
    except TypeError:  # before it had the argument
        buffer.seek(0)
        return torch.load(buffer)


@pytest.mark.parametrize(
    "other",
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), saved],
    ids=["deepcopy", "pickle", "torch.save"],
)
def test_copies_compute_the_same(numbers, other):
    model, x = daa.torch.convert(small(), QUAD, weight_grad=None, input_grad=daa.Config(policy="magnitude"), high=["0"]), images()
    twin = other(model)
    assert [m.arithmetic for m in twin if hasattr(m, "arithmetic")] == [
        m.arithmetic for m in model if hasattr(m, "arithmetic")
    ]
    with pytest.warns(RuntimeWarning, match="golden"):
        assert same(train(model, x, 2), train(twin, x, 2))


def test_train_and_eval(numbers):
    x, model = images(), daa.torch.convert(nn.Sequential(small(), nn.Dropout(0.5)), PAPER)
    model.train()
    assert not torch.equal(model(x), model(x))
    model.eval()
    with torch.no_grad():
        want = model(x)
    with torch.inference_mode():
        assert torch.equal(model(x), want)
    assert torch.equal(model(x), want)


def test_hooks_stay(numbers):
    seen, model, x = [], small(), images()
    model[5].register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
    model[3].register_full_backward_hook(lambda module, inputs, outputs: seen.append(tuple(inputs[0].shape)))
    train(daa.torch.convert(model, PAPER), x)
    assert seen == [(4, 5), (4, 8, 6, 6)]


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_weights_made_by_hooks(numbers):
    """weight_norm and pruning set `weight` before each forward pass; gradients go on to what they made it of."""

    def make():
        torch.manual_seed(5)
        return nn.Sequential(
            nn.utils.weight_norm(nn.Linear(6, 5)), prune.l1_unstructured(nn.Linear(5, 3), "weight", 0.5)
        )

    x, theirs, ours = torch.randn(4, 6), make(), daa.torch.convert(make(), None)
    for network in (ours, theirs):
        network(x).sum().backward()
    for our, their in zip(ours.parameters(), theirs.parameters()):
        assert their.grad is not None and torch.allclose(our.grad, their.grad, atol=1e-5)


def test_a_module_used_twice_and_tied_weights(numbers):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.tied = nn.Linear(5, 5), nn.Linear(5, 5, bias=False)
            self.again, self.tied.weight = self.one, self.one.weight

        def forward(self, x):
            return self.tied(self.again(self.one(x)))

    torch.manual_seed(3)
    model, x = daa.torch.convert(Net(), PAPER), torch.randn(4, 5)
    assert len(list(model.parameters())) == 2
    with daa.torch.observe(model) as record:
        model(x).sum().backward()
    assert [row["layer"] for row in record.rows if row["gemm"] == "forward"] == ["one", "one", "tied"]
    weight, bias = model.one.weight.detach(), model.one.bias.detach()
    gemm = functools.partial(daa.gemm, config=PAPER)
    h1 = gemm(x, weight.t()) + bias
    h2 = gemm(h1, weight.t()) + bias
    g2 = torch.ones(4, 5)
    g1 = gemm(g2, weight)
    parts = [gemm(g2.t(), h2), gemm(g1.t(), h1), gemm(gemm(g1, weight).t(), x)]
    want = parts[0] + parts[1] + parts[2]
    assert torch.allclose(model.one.weight.grad, want, rtol=1e-6, atol=1e-6)


def test_gradient_checkpointing(numbers):
    model, x = daa.torch.convert(nn.Sequential(small()[:4], nn.Flatten(), nn.Linear(128, 5)), PAPER), images()
    twin = copy.deepcopy(model)

    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = twin

        def forward(self, x):
            return self.model[1:](checkpoint(self.model[0], x.requires_grad_(), use_reentrant=False))

    assert same(train(model, x), train(Checkpointed(), x))


def test_frozen_layers(numbers):
    model = daa.torch.convert(small(), PAPER)
    for p in model[:4].parameters():
        p.requires_grad_(False)
    gradients = train(model, images())
    assert [g is None for g in gradients] == [False] + 6 * [True] + 2 * [False]


def test_a_weight_changed_before_backward_is_noticed_or_kept(numbers):
    for config in (PAPER, None):
        layer, x = daa.torch.convert(nn.Linear(4, 3), config), torch.randn(2, 4, requires_grad=True)
        want = torch.autograd.grad(layer(x).sum(), x)[0]
        y = layer(x).sum()
        with torch.no_grad():
            layer.weight.zero_()
        try:
            assert torch.equal(torch.autograd.grad(y, x)[0], want)
        except RuntimeError as error:
            assert "modified by an inplace operation" in str(error)


def test_view_after_a_convolution(numbers):
    """What works with PyTorch's contiguous outputs goes on working."""
    conv = daa.torch.convert(nn.Conv2d(3, 4, 3), PAPER)
    assert functional.max_pool2d(conv(images()), 2).view(4, -1).shape == (4, 16)


def test_autocast_changes_what_reaches_a_layer_and_nothing_in_it(numbers):
    model, x = daa.torch.convert(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), PAPER, keep=["0"]), torch.randn(2, 4)
    want = model[1](x)
    with torch.autocast("cpu"):
        assert torch.equal(model[1](x), want)
        half = model[0](x)
        y = model(x)
        y.sum().backward()
    assert half.dtype == torch.bfloat16 and y.dtype == torch.float32
    assert torch.equal(y, model[1](half.float())) and model[0].weight.grad is not None
    with pytest.raises(daa.Error, match="the input of 1 is torch.bfloat16 on cpu; it must be float32 on the CPU or on an NVIDIA GPU"):
        model[1](half)


# ---- torchvision ----


def resnet18():
    return torchvision.models.resnet18(weights=None, num_classes=10)


def test_resnet18_forward_and_backward(numbers):
    plain = resnet18()
    model, x = daa.torch.convert(copy.deepcopy(plain), PAPER, high=["conv1", "fc"]), torch.randn(3, 3, 40, 40)
    twin = copy.deepcopy(model)
    results = train(model, x)
    assert same(results, train(twin, x))
    assert len(results) == 1 + 62 and all(g is not None and torch.isfinite(g).all() and g.any() for g in results)
    assert list(model.state_dict()) == list(plain.state_dict())
    other = copy.deepcopy(plain)
    other.load_state_dict(model.state_dict())
    for network in (model, twin):
        network.eval()
    with torch.no_grad():
        assert torch.equal(model(x), twin(x)) and torch.isfinite(model(x)).all()


def test_resnet18_without_configurations_is_pytorchs(numbers):
    """The gradients of every layer come out in their places; a ReLU may flip where float32 rounds otherwise."""
    plain, x = resnet18(), torch.randn(3, 3, 40, 40)
    ours, theirs = train(daa.torch.convert(copy.deepcopy(plain), None), x), train(plain, x)
    assert min(float(functional.cosine_similarity(a.flatten(), b.flatten(), 0)) for a, b in zip(ours, theirs)) > 0.99


@pytest.mark.parametrize(
    "make, size, engines",
    [
        (
            lambda: torchvision.models.ResNet(torchvision.models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=10),
            16,
            ["golden", "portable"],
        ),
        pytest.param(resnet18, 40, daa.engines(), marks=pytest.mark.long),
    ],
    ids=["tiny", "resnet18"],
)
def test_engines_give_the_same_network(numbers, make, size, engines):
    plain, x = make(), torch.randn(2, 3, size, size)
    x = torch.cat([x, x.flip(3)])
    want = train(daa.torch.convert(copy.deepcopy(plain), PAPER, weight_grad=QUAD), x)
    for engine in engines:
        assert same(train(daa.torch.convert(copy.deepcopy(plain), PAPER, weight_grad=QUAD, engine=engine), x), want)


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        "efficientnet_b0",
        "vgg11_bn",
        "densenet121",
        "convnext_tiny",
        "googlenet",
        "shufflenet_v2_x0_5",
        "squeezenet1_0",
        "regnet_y_400mf",
    ],
)
def test_other_networks(numbers, name):
    options = dict(init_weights=True, aux_logits=False) if name == "googlenet" else {}
    plain = getattr(torchvision.models, name)(weights=None, num_classes=10, **options)
    model, x = daa.torch.convert(copy.deepcopy(plain), None), torch.randn(2, 3, 64, 64)
    for network in (plain, model):
        network.eval()
    assert torch.allclose(plain(x), model(x), rtol=1e-3, atol=1e-3 * float(plain(x).abs().max()))
    daa.torch.convert(model, PAPER)
    gradients = train(model, x)
    assert all(g is not None and torch.isfinite(g).all() for g in gradients)
