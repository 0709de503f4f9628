"""Tensors on a GPU, as daa.gemm and daa.torch take them, where there is none: those of the host stand in for them, and the
emulated kernels work on their memory."""
import copy
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import check_gpu  # noqa: E402
from emulation import launch, needs_compiler  # noqa: E402
from gpu_operands import KINDS  # noqa: E402
import daa  # noqa: E402
import daa.torch  # noqa: E402
from daa import _gpu  # noqa: E402

pytestmark = needs_compiler
macros = _gpu.macros


@pytest.fixture
def gpu(monkeypatch):
    """From now on tensors are on a GPU; arrays stay on the CPU."""
    launched = []
    monkeypatch.setattr(_gpu, "is_on_gpu", lambda array: isinstance(array, torch.Tensor))
    monkeypatch.setattr(_gpu, "_processors", lambda device: 132)
    monkeypatch.setattr(_gpu, "_launch", lambda *words: launched.append(words[2]) or launch(*words))
    return launched


@pytest.fixture
def numbers(rng):
    return torch.Generator().manual_seed(rng.getrandbits(32))


def same(got, want):
    assert isinstance(got, torch.Tensor) and got.dtype == torch.float32
    assert np.array_equal(got.numpy().view(np.uint32), want.view(np.uint32))


def layouts(x):
    """The same numbers in other places."""
    wide = torch.full((*x.shape[:-2], x.shape[-2] * 2, x.shape[-1] * 3), float("nan"))
    wide[..., ::2, ::3] = x
    turned = x.transpose(-1, -2).contiguous().transpose(-1, -2)
    return dict(plain=x, turned=turned, between=wide[..., ::2, ::3], odd=torch.cat([x.flatten(), x.new_zeros(1)])[:-1].view(x.shape),
                bf16=x.bfloat16())


@pytest.mark.parametrize("of_a, of_b", [("plain", "plain"), ("turned", "turned"), ("between", "bf16"), ("odd", "between")])
def test_any_layout(gpu, numbers, of_a, of_b):
    a, b = torch.randn(19, 36, generator=numbers), torch.randn(36, 11, generator=numbers)
    x, y = layouts(a)[of_a], layouts(b)[of_b]
    same(daa.gemm(x, y), daa.gemm(x.float().numpy(), y.float().numpy()))
    assert gpu == ["daa_gemm"]


def test_batches_starts_and_results(gpu, numbers):
    a, b = torch.randn(2, 1, 5, 8, generator=numbers), torch.randn(3, 8, 7, generator=numbers)
    c0 = torch.randn(3, 1, 7, generator=numbers)
    want = daa.gemm(a.numpy(), b.numpy(), c0.numpy())
    same(daa.gemm(a, b, c0), want)
    out = c0.expand(2, 3, 5, 7).clone()
    assert daa.gemm(a, b, out, out=out) is out
    same(out, want)
    square = torch.randn(6, 6, generator=numbers)
    want = daa.gemm(square.numpy(), square.T.numpy(), square.T.numpy())
    same(daa.gemm(square, square.T, square.T, out=square), want)
    same(daa.gemm(torch.ones(3, 0), torch.ones(0, 2), torch.ones(3, 1)), np.ones((3, 2), np.float32))
    assert daa.gemm(torch.ones(0, 4), torch.ones(4, 2)).shape == (0, 2)


def test_counts_and_formats(gpu, numbers):
    a, b = torch.randn(9, 20, generator=numbers).relu(), torch.randn(20, 6, generator=numbers)
    counts, want = daa.Counts(), daa.Counts()
    config = daa.Config(streams=4, a_format="e4m3", lo_bits=2)
    for _ in range(2):
        daa.gemm(a, b, config=config, counts=counts)
        daa.gemm(a.numpy(), b.numpy(), config=config, counts=want, engine="golden")
    assert counts.as_dict() == want.as_dict() and sum(counts.high) > 0
    same(daa.quantize(a, "e4m3"), daa.quantize(a.numpy(), "e4m3"))
    with pytest.raises(daa.Error, match="'e9m3' is no operand format"):
        daa.quantize(a, "e9m3")


def test_what_cannot_be_is_said_in_a_line(gpu):
    ones, nan, big = torch.ones(4, 4), torch.ones(4, 4), torch.ones(4, 4)
    nan[2, 1], big[3, 0] = float("nan"), 3.4e38
    plain = daa.Config(specials=False)
    cases = [
        (lambda: daa.gemm(ones, np.ones((4, 4), np.float32)), "b is a ndarray, and another operand on cpu"),
        (lambda: daa.gemm(ones, torch.ones(4, 4, device="meta")), "b is on meta, and another operand on cpu"),
        (lambda: daa.gemm(ones, ones.double()), "b is float64, torch.strided; it must be dense and float32 or bfloat16"),
        (lambda: daa.gemm(ones, ones.half()), "b is float16"),
        (lambda: daa.gemm(ones, torch.ones(3, 4)), "a is 4 x 4 and b is 3 x 4; b must have 4 rows"),
        (lambda: daa.gemm(ones[0], ones), "a has 1 dimensions"),
        (lambda: daa.gemm(ones, ones, torch.ones(3, 4)), "c0 is (3, 4); it must broadcast to (4, 4)"),
        (lambda: daa.gemm(ones, ones, out=torch.ones(4, 5)), "out is torch.float32 (4, 5); it must be float32 (4, 4)"),
        (lambda: daa.gemm(ones.expand(2, 4, 4), ones.expand(3, 4, 4)), "the batches of a and b are (2,) and (3,)"),
        (lambda: daa.gemm(ones, ones.clone().requires_grad_()), "b requires a gradient"),
        (lambda: daa.gemm(ones, ones, engine="portable"), "the engine is 'portable', which is for the CPU"),
        (lambda: daa.gemm(ones, ones, config=daa.Config(format="tf32", window=32)), "the window of 32 leads to sums of more"),
        (lambda: daa.gemm(ones, nan, config=daa.Config(format="e2m1")), "B[2][1] is NaN, and its format has none; remove it"),
        (lambda: daa.gemm(ones, nan, config=plain), "B[2][1] is a NaN, which needs specials on"),
        (lambda: daa.gemm(big, ones, config=plain), "A[3][0] is an Inf, which needs specials on"),
        (lambda: daa.gemm(ones, ones, nan, config=plain), "C0[2][1] is a NaN, which needs specials on"),
        (lambda: daa.quantize(nan, "e2m1"), "element 9 is NaN, and e2m1 has none; remove it"),
    ]
    for call, text in cases:
        with pytest.raises(daa.Error) as error:
            call()
        assert str(error.value).startswith(text) and "\n" not in str(error.value), str(error.value)


def test_layers(gpu, monkeypatch, numbers):
    """A training step's gradients, and what is observed."""
    torch.manual_seed(numbers.initial_seed())
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Flatten(),
                                torch.nn.Linear(72, 5))
    daa.torch.convert(model, daa.Config(lo_bits=3))
    x, twin = torch.randn(4, 3, 6, 6), copy.deepcopy(model)
    with daa.torch.observe(model) as seen:
        model(x).square().sum().backward()
    assert gpu.count("daa_gemm") == 5 == gpu.count("daa_count")
    monkeypatch.undo()
    with daa.torch.observe(twin) as want:
        twin(x).square().sum().backward()
    assert seen.rows == want.rows and len(want.rows) == 5
    for p, q in zip(model.parameters(), twin.parameters()):
        same(p.grad, q.grad.numpy())


# ---- without a GPU, or what it needs ----


def test_no_cuda_no_compiler_no_driver(monkeypatch):
    device, words = torch.device("cuda:0"), _gpu.macros(daa.Config(), "float32", "float32", True, False, _gpu.tile(32, 16, 16, 4, 4))
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(daa.Error, match="^a tensor is on cuda:0, and this PyTorch is built without CUDA; [^\n]*$"):
        _gpu._launch(device, words, "daa_gemm", 1, 32, 0)
    monkeypatch.setattr(torch.version, "cuda", "12.0")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(daa.Error, match="^cuda:0 has the compute capability 7.5; it must be 8.0 or later$"):
        _gpu._launch(device, words, "daa_gemm", 1, 32, 0)
    monkeypatch.setattr(_gpu, "find_nvrtc", lambda: None)
    monkeypatch.setattr(_gpu, "find_nvcc", lambda: None)
    with pytest.raises(daa.Error, match="^products on a GPU are compiled .* neither NVRTC nor nvcc is here; [^\n]*$"):
        _gpu.compile_for(words, "sm_90")

    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(_gpu.ctypes, "CDLL", missing)
    with pytest.raises(daa.Error, match="^the driver of the GPU could not be loaded [^\n]*; install NVIDIA's driver$"):
        _gpu._Driver()


# ---- the commands ----


def test_check_gpu_needs_one(refused):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: make check-gpu")
    refused(sys.executable, "tests/gpu/check_gpu.py", status=1, text="check-gpu: PyTorch finds no GPU; it takes an NVIDIA GPU")


def test_what_check_gpu_compares(gpu):
    configs = [dict(streams=4), dict(accumulator="anchored")]
    assert check_gpu.bits("cpu", configs, [(1, 17, 5, 40), (2, 3, 9, 31)]) == 2 * len(KINDS) * (17 * 5 + 2 * 3 * 9)
    assert gpu.count("daa_gemm") == 4 * len(KINDS)


def test_check_gpu_fails_where_bits_differ(gpu, monkeypatch, capsys):
    monkeypatch.setattr(_gpu, "macros", lambda *words: dict(macros(*words), WINDOW=7))
    with pytest.raises(SystemExit, match="1"):
        check_gpu.bits("cpu", [dict(lo_bits=2)], [(1, 17, 5, 40)])  # no other test's, whose macros are kept
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "results differ; C[0, " in said, said


def test_instructions_are_counted(run):
    if not _gpu.beside_packages("bin/nvdisasm"):
        pytest.skip("nvdisasm is not here: pip install nvidia-cuda-nvdisasm, and CUDA_HOME says where")
    done = run(sys.executable, "tests/gpu/count_gpu.py")
    assert done.returncode == 0, done.stderr
    steps = {line.split("  ")[0]: float(line[18:26]) for line in done.stdout.splitlines()[2:]}
    assert steps["1 stream"] < 1.5 and steps["2 streams"] < 8 and steps["4 streams"] < 20 and len(steps) == 7
