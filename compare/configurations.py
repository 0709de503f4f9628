"""What is compared: the named configurations with their rivals, and the sweep of the Pareto figure. Name -> daagen's options.

A name says streams and significant bits: `s2-6-4` has two streams, 6 bits in high and 4 in low products; `s2-5` two streams of
5 bits alike, aligned by the controller; `s1-8` one stream; `-pairs`: steered two by two, a high product in each pair. The
accumulator is anchored unless the name ends in `-rounded`. All have clock gates, the baselines too: each takes less area and energy
with them.
"""
# (high, low) of steered elements and bits of those with products alike: what `make pareto` measures, the winners with their
# rivals and the fewest bits with theirs, and what WIDE=yes adds.
STEERED, ALIKE, SINGLE = ((6, 4), (5, 3), (3, 1)), (5, 4, 2), (8, 6, 5)
WIDE_STEERED = ((8, 4), (7, 4), (6, 3), (5, 4), (5, 2), (4, 3), (4, 2), (4, 1), (3, 2))
WIDE_ALIKE = (8, 6, 3)

GATED = ("--clock-gating", "on")


def options(streams, high, low=None, accumulator="anchored", policy="exponent"):
    """HIGH and LOW are significant bits; without LOW all products are alike."""
    return ["--streams", str(streams), "--format", f"e8m{high - 1}", "--lo-bits", str(low or high), "--policy", policy,
            "--accumulator", accumulator, *GATED]


def sweep(wide=False):
    found = {}
    for high in SINGLE + ((4, 3, 2) if wide else ()):
        found[f"s1-{high}"] = options(1, high)
    for streams in (2, 4):
        for high, low in STEERED + (WIDE_STEERED if wide else ()):
            found[f"s{streams}-{high}-{low}"] = options(streams, high, low)
        for high in ALIKE + (WIDE_ALIKE if wide else ()):
            found[f"s{streams}-{high}"] = options(streams, high)
    found["s4-6-4-pairs"] = [*options(4, 6, 4), "--groups", "2", "--window", "7"]
    for streams in (1, 2, 4) if wide else (1, 2):
        found[f"s{streams}-8-4-rounded" if streams > 1 else "s1-8-rounded"] = options(streams, 8, 4, "rounded")
    return found


# The rows of `make compare`. `conventional` is what a reviewer would build: one stream of bf16, rounded at every step.
COMPARED = {
    "conventional": ["--config", "baseline", *GATED],
    "conventional, anchored": options(1, 8),
    "paper": ["--config", "paper", *GATED],
    "safe2": options(2, 6, 4),
    "  rival: 5 bits alike": options(2, 5),
    "lean2": options(2, 5, 3),
    "  rival: 4 bits alike": options(2, 4),
    "safe4": ["--config", "safe4", *GATED],
    "  rival: 4 x 5 bits alike": [*options(4, 5), "--window", "7"],  # that of safe4
    "lean4": options(4, 5, 3),
    "  rival: 4 x 4 bits alike": options(4, 4),
}
