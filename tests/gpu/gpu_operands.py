"""Operands that meet every guard of the GPU engine."""
import numpy as np

EDGES = np.array([0x00000000, 0x80000000, 0x00000001, 0x807f0000, 0x00800000, 0x80ff0000, 0x3f7f0000, 0x3f800000,
                  0xbf810000, 0x3f880000, 0x3f8c0000, 0x3fa00000, 0x3fc00000, 0xbff80000, 0x3fff0000, 0x407f8000,
                  0x1f800000, 0x205f0000, 0x5f7f0000, 0x5f800000, 0x7e800000, 0x7f000000, 0x7f780000, 0xff7f0000, 0x3380ffff,
                  0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001], np.uint32).view(np.float32)
KINDS = ("normal", "relu", "spread", "close", "small", "large", "bottom", "top", "low", "finite", "edges", "mixed",
         "specials", "nothing", "drift")


def operands(rng, kind, shape, of_b=False):
    """Float32, not yet in the format."""
    x = rng.standard_normal(shape).astype(np.float32)
    if kind == "normal":
        return x
    if kind == "relu":
        return np.maximum(x, 0)
    if kind == "spread":
        return x * 2.0 ** rng.integers(-14, 14, shape).astype(np.float32)
    if kind == "close":  # ties of the low rounding, and sums that cancel
        return np.float32(rng.integers(-15, 16, shape) * 0.125)
    if kind in ("bottom", "top"):  # products are floats, and sums of two may not be
        sign = rng.choice([-1, 1], shape) * 2.0 ** (-66 if kind == "bottom" else 60)
        return (rng.integers(8, 16, shape) * sign).astype(np.float32)
    if kind in ("small", "large", "low"):
        at = dict(small=-58, large=58, low=-100)[kind]
        return (x * 2.0 ** (rng.integers(-4, 5, shape) + at)).astype(np.float32)
    if kind == "specials":  # products with an Inf or a NaN that are far below the others
        if of_b:
            return x * 2.0 ** rng.integers(-60, -8, shape).astype(np.float32)
        return np.where(rng.random(shape) < 0.04, EDGES[rng.integers(-4, 0, shape)], x * np.float32(2.0**100))
    if kind == "nothing":  # times an Inf or a NaN
        return np.where(rng.random(shape) < 0.02, EDGES[rng.integers(-8, 0, shape)], x) if of_b else x * 0
    if kind == "drift":  # sums that grow, and fall back now and then
        return abs(x) * np.where(rng.random(shape) < (0.25 if of_b else 0), -1, 1).astype(np.float32)
    edges = EDGES[rng.integers(0, len(EDGES) - (4 if kind == "finite" else 0), shape)]
    if kind == "mixed":
        return np.where(rng.random(shape) < 0.02, edges, x)
    return edges
