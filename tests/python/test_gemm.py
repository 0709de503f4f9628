"""daa.gemm and daa.quantize: bit for bit what daagemm's golden model gives, whatever the memory looks like."""

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from reference import FLUSHED, ROOT, judge, numbers, relative_bound  # noqa: F401
import daa  # from the tree: `reference` says where it is

ENGINES = [name for name in daa.engines() if name != "golden"]
ROUNDED = dict(accumulator="rounded")
CONFIGS = [
    dict(ROUNDED),
    dict(ROUNDED, streams=1),
    dict(ROUNDED, streams=4),
    dict(ROUNDED, streams=4, lo_bits=1),
    dict(ROUNDED, streams=8),
    dict(ROUNDED, streams=8, policy="rotate", lo_bits=2),
    dict(ROUNDED, lo_bits=2, lo_round="truncate"),
    dict(ROUNDED, policy="static"),
    dict(ROUNDED, policy="rotate", streams=4),
    dict(ROUNDED, policy="high"),
    dict(ROUNDED, policy="low", lo_bits=3),
    dict(policy="magnitude"),
    dict(ROUNDED, window=0),
    dict(ROUNDED, streams=4, window=32),
    dict(specials=False),
    dict(ROUNDED, a_format="e4m3", b_format="e5m2"),
    dict(ROUNDED, format="fp16", streams=4),
    dict(format="tf32"),
    dict(format="e2m1"),
    dict(ROUNDED, acc_format="e8m15"),
    dict(ROUNDED, out_format="bf16", streams=4),
    dict(format="fp16", out_format="fp16"),
    dict(ROUNDED, format="e8m5", streams=4),
    dict(accumulator="anchored"),
    dict(accumulator="anchored", streams=1, acc_bits=24, acc_step=8),
    dict(accumulator="anchored", streams=8, format="e8m4", lo_bits=3, out_format="bf16"),
    dict(accumulator="anchored", acc_bits=40, streams=4),
    dict(accumulator="anchored", format="e4m3", policy="rotate"),
]
pytestmark = pytest.mark.filterwarnings("ignore:.* takes? .*--rows:RuntimeWarning")


def same(got, want):
    got = got.numpy() if isinstance(got, torch.Tensor) else got
    assert got.dtype == np.float32 and got.shape == want.shape
    assert np.array_equal(got.view(np.uint32), want.view(np.uint32))


# ---- the same numbers in other places ----


def _between(array, *steps):
    """Every step-th element of a larger array in each of the last dimensions."""
    lead = array.ndim - len(steps)
    larger = np.full(array.shape[:lead] + tuple(n * s for n, s in zip(array.shape[lead:], steps)), np.nan, array.dtype)
    view = larger[(...,) + tuple(slice(None, None, step) for step in steps)]
    view[...] = array
    return view


def _misaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def _read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def _reversed(array, *axes):
    return np.flip(np.flip(array, axes).copy(), axes)


PLACES = {
    "plain": lambda x: x,
    "transposed": lambda x: np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2),
    "rows apart": lambda x: _between(x, 2, 1),
    "columns apart": lambda x: _between(x, 1, 3),
    "both apart": lambda x: _between(x, 3, 2),
    "rows backwards": lambda x: _reversed(x, -2),
    "columns backwards": lambda x: _reversed(x, -1),
    "all backwards": lambda x: _reversed(x, *range(x.ndim)),
    "within": lambda x: np.pad(x, [(1, 1)] * x.ndim)[(slice(1, -1),) * x.ndim],
    "Fortran": np.asfortranarray,
    "misaligned": _misaligned,
    "read only": _read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}


def operand(numbers, *shape):
    """Gaussian numbers, a few of them zero or far from the others in size."""
    x = numbers.standard_normal(shape) * 2.0 ** numbers.choice([0, 0, 0, -3, 5, -12], shape)
    return np.where(numbers.random(shape) < 0.1, 0, x).astype(np.float32)


SHAPES = [
    (1, 1, 1),
    (1, 7, 5),
    (7, 1, 5),
    (7, 5, 1),
    (1, 1, 9),
    (9, 1, 1),
    (1, 9, 1),
    (33, 17, 70),
    (4, 4, 0),
    (0, 3, 4),
    (3, 0, 4),
    (1, 3, 0),
    (65, 33, 2),
]


@pytest.mark.parametrize("options", CONFIGS, ids=str)
def test_every_configuration(judge, numbers, options):
    config = daa.Config(**options)
    for m, n, k in SHAPES:
        a, b, c0 = operand(numbers, m, k), operand(numbers, k, n), operand(numbers, m, n)
        counts = daa.Counts()
        want, products = judge(config, a, b, c0)
        same(daa.gemm(a, b, c0, config=config, counts=counts), want)
        assert counts.as_dict(config.streams) == products
        assert sum(map(sum, counts.as_dict().values())) == m * n * k
        want, _ = judge(config, a, b)
        for engine in ENGINES:
            same(daa.gemm(a, b, config=config, engine=engine), want)


@pytest.mark.parametrize("a_place", PLACES)
def test_every_place(judge, numbers, a_place):
    """Each place of A and C0 with each of B."""
    for m, n, k in [(5, 7, 9), (1, 6, 4), (6, 1, 4), (4, 6, 1), (1, 1, 3)]:
        a, b, c0 = operand(numbers, m, k), operand(numbers, k, n), operand(numbers, m, n)
        want, _ = judge(daa.Config(), a, b, c0)
        for b_place in PLACES:
            x, y, z = PLACES[a_place](a), PLACES[b_place](b), PLACES[a_place](c0)
            before = [array.copy() for array in (x, y, z)]
            same(daa.gemm(x, y, z), want)
            assert all(np.array_equal(*pair) for pair in zip(before, (x, y, z)))


def _views(t):
    """A tensor's numbers in several layouts, PyTorch's own ways."""
    wide = torch.zeros(*t.shape[:-1], 2 * t.shape[-1], dtype=t.dtype)
    wide[..., ::2] = t
    return [
        t,
        t.transpose(-1, -2).contiguous().transpose(-1, -2),
        wide[..., ::2],
        torch.cat([t, t], -1)[..., : t.shape[-1]],
        (
            torch.complex(t.float(), -t.float()).conj().imag.to(t.dtype)
            if t.dtype != torch.float32
            else torch.complex(t, t.neg()).conj().imag
        ),
    ]


def test_tensors(judge, numbers):
    for m, n, k in [(5, 7, 9), (1, 6, 4), (6, 1, 4)]:
        a, b = torch.from_numpy(operand(numbers, m, k)), torch.from_numpy(operand(numbers, k, n))
        want, _ = judge(daa.Config(), a, b)
        for x in _views(a):
            for y in _views(b):
                got = daa.gemm(x, y)
                assert isinstance(got, torch.Tensor)
                same(got, want)
        assert isinstance(daa.gemm(a.numpy(), b), np.ndarray)


def test_expanded_tensors(judge, numbers):
    row, column = torch.from_numpy(operand(numbers, 1, 6)), torch.from_numpy(operand(numbers, 6, 1))
    want, _ = judge(daa.Config(), row.repeat(4, 1), column.repeat(1, 3))
    same(daa.gemm(row.expand(4, 6), column.expand(6, 3)), want)


@pytest.mark.parametrize("format, dtype", [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_16_bit_floats_are_the_bits_of_their_format(judge, numbers, format, dtype):
    config = daa.Config(format=format)
    a, b = (torch.from_numpy(operand(numbers, *shape)).to(dtype) for shape in ((6, 8), (8, 5)))
    want, _ = judge(config, a.float(), b.float())
    for x in _views(a):
        same(daa.gemm(x, b.t().contiguous().t(), config=config), want)
        same(daa.gemm(x, b.float(), config=config), want)
    if dtype == torch.float16:
        for place in PLACES.values():
            same(daa.gemm(place(a.numpy()), place(b.numpy()), config=config), want)


BATCHES = [
    ((3,), (3,)),
    ((2,), (2,)),
    ((3,), ()),
    ((), (3,)),
    ((1,), (3,)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((2, 3), (2, 3)),
    ((1, 1), ()),
    ((0,), (0,)),
    ((0,), ()),
    ((2, 0), (0,)),
    ((1,), (1,)),
]


@pytest.mark.parametrize("k", [5, 0])
@pytest.mark.parametrize("a_lead, b_lead", BATCHES)
def test_batches(numbers, a_lead, b_lead, k):
    """As each product on its own; C0 of every shape that broadcasts to the result."""
    m, n, lead = 4, 3, np.broadcast_shapes(a_lead, b_lead)
    a, b = operand(numbers, *a_lead, m, k), operand(numbers, *b_lead, k, n)
    for c0_shape in [None, (), (n,), (1, n), (m, 1), (m, n), (*lead, m, n), (1,) * len(lead) + (m, n), (*lead, 1, n)]:
        c0 = None if c0_shape is None else operand(numbers, *c0_shape)
        spread = [
            np.broadcast_to(x, lead + size) for x, size in ((a, (m, k)), (b, (k, n)), (0 if c0 is None else c0, (m, n)))
        ]
        want = np.empty(lead + (m, n), np.float32)
        for place in np.ndindex(*lead):
            want[place] = daa.gemm(*(x[place].astype(np.float32) for x in spread))
        counts = daa.Counts()
        same(daa.gemm(a, b, c0, counts=counts), want)
        same(daa.gemm(np.swapaxes(np.swapaxes(a, -1, -2).copy(), -1, -2), b, c0), want)
        assert sum(map(sum, counts.as_dict().values())) == math.prod(lead) * m * n * k


def test_a_batch_backwards_or_overlapping(judge, numbers):
    long = operand(numbers, 12)
    windows = np.lib.stride_tricks.as_strided(long, (4, 3, 3), (4, 12, 4))  # matrices that share elements
    b = operand(numbers, 4, 3, 2)
    want = np.stack([judge(daa.Config(), *pair)[0] for pair in zip(windows, b)])
    same(daa.gemm(windows, b), want)
    same(daa.gemm(windows[::-1], b[::-1]), want[::-1].copy())


def test_specials_and_extremes(judge):
    values = np.array(
        [
            0,
            -0.0,
            1,
            -1.5,
            np.inf,
            -np.inf,
            np.nan,
            3.4e38,
            -3.4e38,
            1e-38,
            -1e-40,
            1.2e-38,
            1e-45,
            257,
            65519,
            1.00390625,
            1.01171875,
        ],
        np.float32,
    )
    a, b = np.stack([values, values[::-1]]), np.stack([np.roll(values, i) for i in range(len(values))], 1)
    for options in [dict(ROUNDED, streams=1), dict(ROUNDED), dict(), dict(ROUNDED, streams=4, lo_bits=1), dict(a_format="e4m3", b_format="fp16")]:
        config = daa.Config(**options)
        want, _ = judge(config, a, b)
        for engine in daa.engines():
            same(daa.gemm(a, b, config=config, engine=engine), want)
        if config.a_format == "bf16":
            same(daa.gemm(torch.from_numpy(a).bfloat16(), torch.from_numpy(b).bfloat16(), config=config), want)


SHARED_OUT = """
import os, sys, threading, time
import numpy
import daa
a = numpy.random.default_rng(1).standard_normal((96, 96), dtype=numpy.float32)
want = daa.gemm(a, a, threads=1)

def right(count=20):
    return all((daa.gemm(a, a, threads=3) == want).all() for _ in range(count))

def alive():
    return len(os.listdir("/proc/self/task"))

assert right() and alive() == before + 2
assert right(200) and alive() == before + 2  # they live on
spent = time.process_time()
time.sleep(0.3)
assert time.process_time() - spent < 0.1  # and sleep
for _ in range(3):
    child = os.fork()
    if child == 0:
        os._exit(0 if alive() == 1 and right() and alive() == 3 else 1)
    assert right(5) and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
found = []
callers = [threading.Thread(target=lambda: found.append(right(50))) for _ in range(4)]
children = []
for caller in callers:
    caller.start()
for _ in range(5):  # while others are at work
    child = os.fork()
    if child == 0:
        os._exit(0 if right(3) else 1)
    children.append(child)
for caller in callers:
    caller.join()
assert found == [True] * 4 and all(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 for child in children)
"""


def test_threads_live_between_calls_and_in_children():
    """In a process of its own, which nothing else starts threads in but NumPy's BLAS."""
    code = SHARED_OUT.replace("def right", "before = len(os.listdir('/proc/self/task'))\n\ndef right", 1)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_threads_change_nothing(judge, numbers, threads):
    a, b = operand(numbers, 150, 90), operand(numbers, 90, 140)
    same(daa.gemm(a, b, threads=threads), judge(daa.Config(), a, b)[0])


# ---- out ----


def test_out_is_filled_and_returned(judge, numbers):
    a, b, c0 = operand(numbers, 4, 6), operand(numbers, 6, 5), operand(numbers, 4, 5)
    want, _ = judge(daa.Config(), a, b, c0)
    for out in (np.empty((4, 5), np.float32), torch.empty(4, 5)):
        assert daa.gemm(a, b, c0, out=out) is out
        same(out, want)
    for out in (c0.copy(), torch.from_numpy(c0.copy())):
        assert daa.gemm(a, b, out, out=out) is out
        same(out, want)
    with torch.no_grad():
        parameter = torch.nn.Parameter(torch.empty(4, 5))
        same(daa.gemm(a, b, c0, out=parameter).detach(), want)


def test_out_may_overlap_operands(numbers):
    """In batches: the first result may lie where the second product's operands do."""
    memory = operand(numbers, 3 * 72)
    for place, c0_place in itertools.product((0, 10, 36, 72, 100, 108, 144), (0, 36, 60, 72, 108, 144)):
        fresh = memory.copy()
        a, b = fresh[:72].reshape(2, 6, 6), fresh[72:144].reshape(2, 6, 6).transpose(0, 2, 1)
        c0, out = (fresh[at : at + 72].reshape(2, 6, 6) for at in (c0_place, place))
        want = daa.gemm(a, b, c0)
        same(daa.gemm(a, b, c0, out=out), want)


def test_autograd_notices_that_out_was_written():
    x = torch.ones(2, 2, requires_grad=True)
    held = torch.ones(2, 2)
    y = (x * held).sum()
    daa.gemm(torch.ones(2, 2), torch.ones(2, 2), out=held)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


# ---- the contract against real numbers ----


@pytest.mark.parametrize(
    "options",
    [
        dict(ROUNDED, streams=s, lo_bits=t, lo_round=r, policy=p)
        for s in (1, 2, 4)
        for t in (1, 2, 4, 8)
        for r, p in (
            ("nearest", "exponent"),
            ("truncate", "exponent"),
            ("nearest", "low"),
            ("nearest", "rotate"),
            ("truncate", "high"),
        )
    ]
    + [dict(ROUNDED, window=3), dict(), dict(streams=4, window=1), dict(format="e4m3"), dict(format="fp16")],
    ids=str,
)
def test_error_is_within_the_contracts_bound(numbers, options):
    config = daa.Config(**options)
    worst = 0.0
    for m, n, k in [(20, 20, 1), (20, 20, 2), (20, 20, 7), (10, 10, 400)]:
        a, b, c0 = operand(numbers, m, k), operand(numbers, k, n), operand(numbers, m, n)
        qa, qb = daa.quantize(a, config.a_format).astype(float), daa.quantize(b, config.b_format).astype(float)
        error = np.abs(daa.gemm(a, b, c0, config=config) - (qa @ qb + c0))
        magnitudes = np.abs(qa) @ np.abs(qb)
        bound = relative_bound(config, k) * (magnitudes + np.abs(c0)) + FLUSHED
        assert (error <= bound).all(), (error / bound).max()
        worst = max(worst, (error / bound).max())
    assert worst > 0.01  # the bound is one that could be broken


# ---- quantize ----


def _values(exp_bits, frac_bits, top):
    """Every magnitude of a small format with subnormals, by its bits: 0 .. top."""
    bias, values = 2 ** (exp_bits - 1) - 1, []
    for bits in range(top + 1):
        field, frac = divmod(bits, 2**frac_bits)
        scale = 2.0 ** (max(field, 1) - bias - frac_bits)
        values.append((frac + (2**frac_bits if field else 0)) * scale)
    return np.array(values)


@pytest.mark.parametrize(
    "format, exp_bits, frac_bits, top, beyond",
    [
        ("e4m3", 4, 3, 0x7E, 448),
        ("e5m2", 5, 2, 0x7B, np.inf),
        ("e3m2", 3, 2, 0x1F, 28),
        ("e2m3", 2, 3, 0x1F, 7.5),
        ("e2m1", 2, 1, 7, 6),
        ("e3m4", 3, 4, 0x6F, np.inf),
    ],
)
def test_quantize_takes_the_nearest_value(numbers, format, exp_bits, frac_bits, top, beyond):
    """By search among all values, the next one above the largest included, ties to even bits."""
    values = _values(exp_bits, frac_bits, top + 1)
    x = np.concatenate(
        [
            numbers.standard_normal(500) * 2.0 ** numbers.integers(-20, 12, 500),
            values,
            -values,
            (values[1:] + values[:-1]) / 2,
            [0, np.inf, 1e30],
        ]
    ).astype(np.float32)
    size = np.minimum(np.abs(x.astype(float)), values[-1])
    below = np.minimum(np.searchsorted(values, size, "right") - 1, top)
    half = (values[below] + values[below + 1]) / 2
    bits = below + ((size > half) | ((size == half) & (below % 2 == 1)))
    want = np.copysign(np.where(bits > top, beyond, values[bits]), x).astype(np.float32)
    got = daa.quantize(x, format)
    assert np.array_equal(got, want), [(i, g, w) for i, g, w in zip(x, got, want) if g != w][:5]


def test_quantize_bf16_and_fp16(numbers):
    x = (numbers.standard_normal(3000) * 2.0 ** numbers.integers(-140, 124, 3000)).astype(np.float32)
    x = np.concatenate([x, np.float32([0, -0.0, np.inf, -np.inf, 65519.9, 65520, 3.4e38, 1e-45, 2.0**-126, 2.0**-127])])
    with np.errstate(over="ignore"):
        assert np.array_equal(daa.quantize(x, "fp16"), x.astype(np.float16).astype(np.float32))
    rounded = torch.from_numpy(x).bfloat16().float().numpy()
    want = np.where(np.abs(rounded) < 2.0**-126, np.copysign(0, rounded), rounded).astype(np.float32)
    same(daa.quantize(x, "bf16"), want)
    nans = np.uint32([0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF]).view(np.float32)
    for format in ("bf16", "e8m5", "fp16", "e5m2", "e4m3"):
        assert (daa.quantize(nans, format).view(np.uint32) == 0x7FC00000).all(), format


def test_quantize_keeps_shape_kind_and_input():
    x = torch.randn(3, 4, 5).permute(2, 0, 1)
    before = x.clone()
    y = daa.quantize(x, "bf16")
    assert isinstance(y, torch.Tensor) and y.shape == x.shape and torch.equal(x, before)
    assert torch.equal(y, x.bfloat16().float())
    x = x.contiguous()  # which needs no copy to be read
    assert torch.equal(daa.quantize(x, "bf16"), y) and torch.equal(x, before)
    for shape in [(), (0,), (2, 0, 3), (1,)]:
        assert daa.quantize(np.ones(shape, np.float32), "e4m3").shape == shape
    assert daa.quantize(torch.ones(()), "e4m3").shape == ()


# ---- what cannot be ----

A, B = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: daa.gemm(A, A), "a is 2 x 3 and b is 2 x 3; b must have 3 rows"),
        (lambda: daa.gemm(A[0], B), "a has 1 dimensions; a matrix has two"),
        (lambda: daa.gemm(A, np.float32(1)), "b has 0 dimensions"),
        (lambda: daa.gemm(A.astype(float), B), "a is float64; it must be float32 or bfloat16"),
        (lambda: daa.gemm(A, B.astype(int)), "b is int64; it must be float32 or bfloat16"),
        (lambda: daa.gemm([[1, 2, 3]], B), "a is int64; it must be float32"),
        (lambda: daa.gemm(A.astype("f2"), B), "a is float16; it must be float32 or bfloat16"),
        (
            lambda: daa.gemm(torch.ones(2, 3).bfloat16(), B, config=daa.Config(format="fp16")),
            "a is bfloat16; it must be float32 or float16",
        ),
        (lambda: daa.gemm(A.astype("f2"), B, config=daa.Config(format="e4m3")), "a is float16; it must be float32"),
        (lambda: daa.gemm(A.astype(complex), B), "a is complex128; it must be float32"),
        (lambda: daa.gemm(A, B, np.ones((2, 4))), "c0 is float64; it must be float32"),
        (lambda: daa.gemm(A, B, np.ones((3, 4), "f4")), "c0 is (3, 4); it must broadcast to (2, 4)"),
        (lambda: daa.gemm(A, B, np.ones((5, 2, 4), "f4")), "c0 is (5, 2, 4); it must broadcast to (2, 4)"),
        (
            lambda: daa.gemm(np.ones((2, 2, 3), "f4"), np.ones((3, 3, 4), "f4")),
            "the batches of a and b are (2,) and (3,)",
        ),
        (lambda: daa.gemm(A, B, out=np.ones((2, 4))), "out is float64 (2, 4); it must be float32 (2, 4), C-contiguous"),
        (lambda: daa.gemm(A, B, out=np.ones((2, 4), ">f4")), "out is >f4 (2, 4); it must be float32"),
        (
            lambda: daa.gemm(A, B, out=np.ones((4, 2), "f4").T),
            "it must be float32 (2, 4), C-contiguous, aligned and writeable",
        ),
        (lambda: daa.gemm(A, B, out=np.broadcast_to(np.float32(0), (2, 4))), "C-contiguous, aligned and writeable"),
        (lambda: daa.gemm(A, B, out=_read_only(np.ones((2, 4), "f4"))), "C-contiguous, aligned and writeable"),
        (lambda: daa.gemm(A, B, out=_misaligned(np.ones((2, 4), "f4"))), "C-contiguous, aligned and writeable"),
        (lambda: daa.gemm(A, B, out=[[0.0] * 4] * 2), "out is a list; it must be a NumPy array or a tensor"),
        (lambda: daa.gemm(A, B, out=torch.ones(2, 4).bfloat16()), "out is torch.bfloat16 (2, 4); it must be float32"),
        (
            lambda: daa.gemm(torch.ones(2, 3, requires_grad=True), B),
            "a requires a gradient, which gemm() does not have",
        ),
        (lambda: daa.gemm(A, B, out=torch.ones(2, 4, requires_grad=True)), "out requires a gradient"),
        (
            lambda: daa.gemm(A, torch.ones(3, 4).to_sparse()),
            "b is a tensor on cpu, torch.sparse_coo; it must be dense and on the CPU, or all of them on one NVIDIA GPU",
        ),
        (lambda: daa.gemm(A, torch.ones(3, 4, device="meta")), "b is a tensor on meta"),
        (lambda: daa.gemm(A, B, engine="mmx"), "there is no engine 'mmx'; it must be one of auto, golden"),
        (lambda: daa.gemm(A, B, threads=-1), "threads is -1; it must be 0 to 256"),
        (lambda: daa.gemm(A, B, config="paper"), "config is 'paper'; it must be a daa.Config"),
        (lambda: daa.gemm(A, B, config=None), "config is None; it must be a daa.Config"),
        (lambda: daa.gemm(A * np.nan, B, config=daa.Config(format="e2m1")), "A[0][0] is NaN, and its format has none"),
        (
            lambda: daa.gemm(A, B * np.inf, config=daa.Config(specials=False)),
            "B[0][0] is an Inf, which needs specials on",
        ),
        (
            lambda: daa.gemm(A, B, np.float32(np.nan), config=daa.Config(specials=False)),
            "C0[0][0] is a NaN, which needs specials on",
        ),
        (lambda: daa.quantize(A.astype(float), "bf16"), "x is float64; it must be float32"),
        (lambda: daa.quantize(A, "bf17"), "'bf17' is no operand format"),
        (lambda: daa.quantize(A, "fp32"), "'fp32' is no operand format"),
        (lambda: daa.quantize(A * np.nan, "e2m1"), "element 0 is NaN, and e2m1 has none"),
    ],
)
def test_refused(call, text):
    with pytest.raises(daa.Error) as caught:
        call()
    assert text in str(caught.value) and "\n" not in str(caught.value)


def test_a_refused_call_leaves_out_and_counts_alone():
    out, counts = np.full((2, 4), 7, np.float32), daa.Counts()
    with pytest.raises(daa.Error):
        daa.gemm(A * np.inf, B, config=daa.Config(specials=False), out=out, counts=counts)
    assert (out == 7).all() and not any(map(sum, counts.as_dict().values()))


def test_an_engine_that_the_processor_lacks():
    for engine in {"avx2", "avx512", "avx512bf16"} - set(daa.engines()):
        with pytest.raises(
            daa.Error, match=f"this processor does not have the engine {engine}; auto takes one that it has"
        ):
            daa.gemm(A, B, engine=engine)


@pytest.mark.filterwarnings("default")
def test_a_slower_engine_says_so():
    with pytest.warns(RuntimeWarning, match="policies other than .* take the golden model .*magnitude"):
        daa.gemm(A, B, config=daa.Config(policy="magnitude"))


def test_counts_add_up(judge, numbers):
    a, b, config, counts = operand(numbers, 9, 31), operand(numbers, 31, 8), daa.Config("quad"), daa.Counts()
    _, products = judge(config, a, b)
    for _ in range(3):
        daa.gemm(a, b, config=config, counts=counts)
    assert counts.as_dict(config.streams) == {kind: [3 * n for n in of] for kind, of in products.items()}
    assert "dropped" in repr(counts)
