"""The GPU's source, compiled for this processor (emulate.h), against the golden model, bit for bit; and what CUDA's own
compiler makes of it, where that is at hand."""
import numpy as np
import pytest

from emulation import Emulated, needs_compiler
from gpu_operands import KINDS, operands
import daa  # from the tree: `emulation` says where it is
from daa import _gpu

TINY = _gpu.tile(32, 16, 16, 4, 4)  # a warp; for 8 streams two steps
WIDE = _gpu.tile(64, 32, 16, 4, 8)
GROUPED = {s: _gpu.tile(8, 16, 8 * s, 4, 4, groups=8) for s in (1, 2, 4, 8)}
ROUNDED = dict(accumulator="rounded")
A_BIT = dict(format="e8m5", policy="static")

CASES = [  # configuration, tile, types of A and B in memory
    (ROUNDED, TINY, "float32", "float32"),
    (dict(ROUNDED, lo_bits=1), WIDE, "bfloat16", "bfloat16"),
    (dict(ROUNDED, lo_bits=2, lo_round="truncate", window=13), GROUPED[2], "bfloat16", "float32"),
    (dict(ROUNDED, lo_bits=8), TINY, "float32", "bfloat16"),  # sums that no float holds
    (dict(ROUNDED, window=0, out_format="bf16"), TINY, "float32", "float32"),
    (dict(ROUNDED, streams=1), WIDE, "float32", "bfloat16"),
    (dict(streams=1, format="tf32"), GROUPED[1], "float32", "float32"),
    (dict(ROUNDED, streams=4), TINY, "bfloat16", "float32"),
    (dict(streams=4, lo_bits=3, window=9, specials=False), GROUPED[4], "float32", "float32"),
    (dict(ROUNDED, streams=8, lo_round="truncate"), TINY, "float32", "float32"),
    (dict(ROUNDED, a_format="e4m3", b_format="e5m2", streams=4), TINY, "float32", "float32"),
    (dict(ROUNDED, format="fp16", out_format="fp16"), TINY, "float16", "float16"),
    (dict(format="e2m1", streams=4), TINY, "float32", "float32"),
    (dict(A_BIT, **ROUNDED), TINY, "float32", "float32"),
    (dict(A_BIT, **ROUNDED, policy="rotate", streams=4), GROUPED[4], "float32", "float32"),
    (dict(A_BIT, **ROUNDED, policy="high", streams=4, format="e8m4"), TINY, "float32", "float32"),
    (dict(A_BIT, policy="low"), GROUPED[2], "float32", "float32"),
    (dict(ROUNDED, policy="static"), TINY, "float32", "float32"),
    (dict(policy="magnitude", streams=4, window=32), TINY, "float32", "float32"),
    (dict(ROUNDED, acc_format="e6m12", out_format="e5m10", format="e5m4"), TINY, "float32", "float32"),
    (dict(accumulator="anchored"), TINY, "float32", "float32"),
    (dict(accumulator="anchored", streams=1, acc_bits=24, acc_step=8), GROUPED[1], "float32", "bfloat16"),
    (dict(accumulator="anchored", streams=4, acc_bits=20, acc_step=1), GROUPED[4], "bfloat16", "bfloat16"),
    (dict(accumulator="anchored", acc_bits=60, acc_step=2, out_format="bf16"), TINY, "float32", "float32"),
    (dict(A_BIT, accumulator="anchored", policy="rotate", acc_bits=8), TINY, "float32", "float32"),
]


# ---- operands ----

def raw(x, kind):
    """Elements as they are in memory, and the float32 that they are."""
    if kind == "float16":
        with np.errstate(over="ignore"):
            half = x.astype(np.float16)
        return half.view(np.uint16), half.astype(np.float32)
    if kind == "bfloat16":
        bits = x.view(np.uint32) >> 16
        return bits.astype(np.uint16), (bits << 16).view(np.float32)
    return x, x


def same(got, want, what):
    different = np.argwhere(got.view(np.uint32) != want.view(np.uint32))
    if len(different):
        at = tuple(different[0])
        pytest.fail(f"{what}: {len(different)} of {want.size} results differ; {list(map(int, at))} is "
                    f"{float(got[at]).hex()}, the golden model has {float(want[at]).hex()}")


def refused(config, x, format):
    """A NaN in a format that has none; without specials, what becomes one or an Inf."""
    if np.isnan(x).any():
        return not config.specials or format == "e2m1"
    return not config.specials and not np.isfinite(daa.quantize(x, format)).all()


def hold(emulated, rng, kinds, shapes):
    """Results compared."""
    config, compared = emulated.config, 0
    for kind in kinds:
        for batch, m, n, k in shapes:
            (a, x), (b, y) = (raw(operands(rng, kind, shape, of_b), emulated.types[of_b])
                              for shape, of_b in (((batch, m, k), False), ((batch, k, n), True)))
            c0 = operands(rng, rng.choice(["normal", kind, "finite"]), (batch, m, n)) if rng.random() < 0.7 else None
            if kind in ("bottom", "top"):
                c0 = operands(rng, kind, (batch, m, n)) * operands(rng, kind, (batch, m, n))
            if refused(config, x, config.a_format) or refused(config, y, config.b_format):
                continue
            if c0 is not None and not config.specials and not np.isfinite(c0).all():
                c0 = None
            want = daa.gemm(x, y, c0, config=config, engine="golden")
            what = f"{kind}, {batch} of {m} x {n} x {k}, C0 {c0 is not None}, {config}"
            same(emulated.gemm(a, b, c0), want, what)
            if m * n < 200:
                counts = daa.Counts()
                daa.gemm(x, y, config=config, engine="golden", counts=counts)
                assert emulated.count(a, b).tolist() == list(counts.as_dict().values()), what
            compared += want.size
    return compared


@needs_compiler
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(f"{k}_{v}" for k, v in case[0].items()) or "paper")
def test_emulated(case, rng, seed):
    options, shape, a_type, b_type = case
    numbers = np.random.default_rng(rng.getrandbits(64))
    config = daa.Config(**options)
    emulated = Emulated(config, shape, a_type, b_type, rng.random() < 0.5, rng.random() < 0.5)
    shapes = [(1, 33, 17, 64), (2, 5, 19, 45), (1, 9, 8, 1), (1, 3, 2, 0)]
    compared = hold(emulated, numbers, KINDS, shapes)
    for kind in KINDS:
        x = operands(numbers, kind, 300)
        if not (config.a_format == "e2m1" and np.isnan(x).any()):
            same(emulated.quantize(x), daa.quantize(x, config.a_format), f"{kind} in {config.a_format}")
    print(f"{compared} results as the golden model has them, seed {seed}")
    assert compared > 3000


@needs_compiler
@pytest.mark.parametrize("m, n, k, processors, options", [
    (4096, 4096, 4096, 132, ROUNDED), (64, 576, 100352, 132, ROUNDED), (64, 576, 4096, 132, dict(ROUNDED, streams=4)),
    (700, 800, 64, 132, dict(accumulator="anchored"))])
def test_the_tiles_that_a_gpu_gets(rng, m, n, k, processors, options):
    """On fewer blocks."""
    config = daa.Config(**options)
    shape = _gpu.tile_for(config, m, n, k, 1, processors)
    emulated = Emulated(config, shape)
    assert emulated.words["SHARED_BYTES"] * shape["BLOCKS"] <= 227 * 1024
    assert hold(emulated, np.random.default_rng(rng.getrandbits(64)), ["spread", "mixed"], [(1, 70, 130, 72)]) == 2 * 9100


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize("by", ["nvrtc", "nvcc"])
def test_cuda_compiles_it(tmp_path, monkeypatch, by, arch):
    if (_gpu.find_nvrtc if by == "nvrtc" else _gpu.find_nvcc)() is None:
        pytest.skip(f"{by} is not here: pip install nvidia-cuda-{by}, and CUDA_HOME says where, if it is not found")
    monkeypatch.setenv("DAA_CACHE", str(tmp_path))
    for options in (ROUNDED, dict(streams=4, accumulator="anchored")):
        config = daa.Config(**options)
        words = _gpu.macros(config, "float32", "bfloat16", True, False, _gpu.tile_for(config, 64, 576, 9999, 1, 132))
        binary = _gpu.compile_for(words, arch, by=by)
        assert binary[:4] == b"\x7fELF" and b"daa_gemm" in binary
        kept = list(tmp_path.glob("*.cubin"))
        assert any(path.read_bytes() == binary for path in kept)
        kept[0].write_bytes(b"from the cache")
        assert _gpu.compile_for(words, arch, by=by) == b"from the cache"
        kept[0].unlink()


def test_what_does_not_run_is_named():
    assert _gpu.why_not(daa.Config()) is None
    assert "window of 32" in _gpu.why_not(daa.Config(format="tf32", window=32))
