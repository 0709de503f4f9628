"""daa.torch.observe and daa.torch.dump."""

import math

import numpy as np
import pytest
from reference import judge, numbers  # noqa: F401
import daa
import daa.torch
import torch
from torch import nn
from torch.nn import functional

pytestmark = pytest.mark.filterwarnings("ignore:.* takes? .*--rows:RuntimeWarning")
KINDS = ("high", "low", "zero", "dropped", "special")


def network(*configs, **options):
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 6, 3, groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 4 * 4, 5),
    )
    return daa.torch.convert(model, configs[0], **dict(zip(("input_grad", "weight_grad"), configs[1:])), **options)


def step(model):
    loss = functional.cross_entropy(model(torch.randn(2, 3, 6, 6)), torch.arange(2))
    loss.backward()


ORDER = [
    ("0", "forward"),
    ("2", "forward"),
    ("5", "forward"),
    ("5", "input_grad"),
    ("5", "weight_grad"),
    ("2", "input_grad"),
    ("2", "weight_grad"),
    ("0", "weight_grad"),
]


@pytest.mark.parametrize(
    "configs",
    [
        (daa.Config(),),
        (daa.Config("quad", window=4),),
        (daa.Config("fp8"),),
        (daa.Config(accumulator="anchored"), daa.Config("quad", accumulator="anchored", format="e8m5"), daa.Config()),
        (daa.Config("quad"), daa.Config("baseline"), daa.Config(policy="rotate", lo_bits=1)),
    ],
    ids=str,
)
def test_counts_and_noise_are_those_of_the_operands(judge, numbers, tmp_path, configs):
    """observe() on what dump() wrote: daagemm's counts, and the noise of daagemm's results against float64."""
    model = network(*configs)
    with daa.torch.observe(model) as record, daa.torch.dump(model, tmp_path / "dump") as written:
        step(model)
    assert [(row["layer"], row["gemm"]) for row in record.rows] == ORDER
    paths = {path.name: np.load(path) for path in written}
    assert len(paths) == 2 * (len(ORDER) + 3)  # one GEMM more a group of layer 2
    for row in record.rows:
        config = dict(zip(daa.torch.GEMMS, configs * 3 if len(configs) == 1 else configs))[row["gemm"]]
        products, signal, noise, batch = (
            np.zeros((len(KINDS), config.streams), int),
            0.0,
            0.0,
            2 if row["layer"] == "2" else 1,
        )
        for number in range(batch):
            stem = f"{row['layer']}.{row['gemm']}" + (f".{number}" if number else "")
            a, b = paths.pop(f"{stem}.a.npy"), paths.pop(f"{stem}.b.npy")
            c, found = judge(config, a, b)
            products += [found[kind] for kind in KINDS]
            exact = a.astype(float) @ b.astype(float)
            signal, noise = signal + (exact**2).sum(), noise + ((c - exact) ** 2).sum()
        assert (row["batch"], row["m"], row["k"], row["n"]) == (batch, *a.shape, b.shape[1])
        assert products.sum() == row["batch"] * row["m"] * row["n"] * row["k"]
        shares = np.array([row[kind] for kind in KINDS])
        assert np.array_equal(shares, products / np.maximum(products.sum(0), 1))  # K = 2 leaves streams 2 and 3 idle
        assert row["snr_db"] == (pytest.approx(10 * math.log10(signal / noise), abs=1e-6) if noise else math.inf)
        assert row["config"] == str(config)
    assert not paths


def test_the_results_stay_the_same_bits(numbers, tmp_path):
    model, plain = network(daa.Config("quad")), network(daa.Config("quad"))
    plain.load_state_dict(model.state_dict())
    torch.manual_seed(9)
    step(plain)
    torch.manual_seed(9)
    with daa.torch.observe(model), daa.torch.dump(model, tmp_path):
        step(model)
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), plain.parameters()))


def test_zero_and_special_products(numbers):
    layer = daa.torch.convert(nn.Linear(4, 3, bias=False), daa.Config())
    x = torch.tensor([[1.0, 0, math.inf, 2], [0, 3, 1, math.nan]])
    layer.weight.data = torch.ones(3, 4)
    with daa.torch.observe(layer) as record:
        layer(x)
    (row,) = record.rows
    assert row["zero"] == [1 / 4, 1 / 4] and row["special"] == [1 / 4, 1 / 4] and row["high"] == [1 / 2, 1 / 2]
    assert math.isnan(row["snr_db"])


def test_signal_to_noise():
    one, config = torch.tensor([[1.0]]), daa.Config()
    snr = daa.torch.signal_to_noise
    assert snr(config, one, one, one) == math.inf
    assert snr(config, 0 * one, one, one) == -math.inf
    assert snr(config, 0 * one, one, 0 * one) == math.inf
    assert snr(None, 10 * one, one, 11 * one) == pytest.approx(20)
    assert snr(config, 10 * one, one, 9.9 * one) == pytest.approx(40, abs=1e-4)
    assert snr(config, 1.001 * one, one, one) == math.inf  # rounding of operands is not the array's noise
    for tiny in (1e-40 * one, (1e-40 * one).bfloat16()):
        assert snr(config, tiny, 1e38 * one, 0 * one) == math.inf  # nor is the flush of a subnormal one
    assert math.isnan(snr(config, one, one, math.nan * one))


def test_float32_gemms_have_noise_but_no_counts(numbers):
    model = network(daa.Config(), None)
    with daa.torch.observe(model) as record:
        step(model)
    for row in record.rows:
        assert (row["config"] == "float32") == (row["gemm"] == "input_grad") == ("high" not in row)
        assert row["snr_db"] > (100 if row["config"] == "float32" else 20)


def test_layers_are_chosen_by_name(numbers, tmp_path):
    model = nn.ModuleDict({"body": network(daa.Config()), "head": daa.torch.convert(nn.Linear(5, 2), daa.Config())})

    def run():
        model["head"](model["body"](torch.randn(1, 3, 6, 6)))

    for layers, names in [
        (None, ["body.0", "body.2", "body.5", "head"]),
        ("head", ["head"]),
        (["body"], ["body.0", "body.2", "body.5"]),
        (["body.2", "head"], ["body.2", "head"]),
    ]:
        with daa.torch.observe(model, layers) as record:
            run()
        assert [row["layer"] for row in record.rows] == names
    with daa.torch.dump(model, tmp_path / "new" / "place", "body.0", "forward") as written:
        run()
        run()
    assert [path.name for path in written] == [
        "body.0.forward.a.npy",
        "body.0.forward.b.npy",
        "body.0.forward.1.a.npy",
        "body.0.forward.1.b.npy",
    ]
    assert sorted(path.name for path in (tmp_path / "new" / "place").iterdir()) == sorted(path.name for path in written)


def test_dumped_matrices_are_plain_float32_of_the_format(numbers, tmp_path):
    model = network(daa.Config("fp8"))
    with daa.torch.dump(model, tmp_path) as written:
        step(model)
    for path in written:
        matrix = np.load(path)
        assert matrix.dtype == np.float32 and matrix.ndim == 2 and matrix.flags.c_contiguous
        assert np.array_equal(matrix, daa.quantize(matrix, "e4m3" if path.name.endswith(".a.npy") else "e5m2"))


def test_an_exception_leaves_the_layers_as_they_were(numbers, tmp_path):
    model = network(daa.Config())
    for watch in (lambda: daa.torch.observe(model), lambda: daa.torch.dump(model, tmp_path)):
        with pytest.raises(daa.Error):
            with watch():
                model(torch.randn(1, 4, 6, 6))
        with pytest.raises(ZeroDivisionError):
            with watch(), daa.torch.observe(model, "0"):
                1 / 0
        assert not any(module.observers for module in model if hasattr(module, "observers"))


def test_a_place_that_cannot_be_written(numbers, tmp_path):
    model = network(daa.Config())
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        with daa.torch.dump(model, tmp_path / "file"):
            pass
    with pytest.raises(FileNotFoundError):
        with daa.torch.dump(model, tmp_path / "gone"):
            (tmp_path / "gone").rmdir()
            step(model)
    step(model)  # nobody is watching any more


@pytest.mark.parametrize(
    "call, text",
    [
        (
            lambda model: daa.torch.observe(model, ["1"]),
            "there is no converted layer in 1; the converted layers are 0, 2, 5",
        ),
        (
            lambda model: daa.torch.observe(nn.Linear(2, 2)),
            "there is no converted layer in the model; the converted layers are none",
        ),
        (
            lambda model: daa.torch.dump(model, "x", gemms=["backward"]),
            "there is no GEMM backward; they are forward, input_grad",
        ),
    ],
)
def test_refused(call, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(daa.Error) as caught:
        with call(network(daa.Config())):
            pass
    assert text in str(caught.value)
