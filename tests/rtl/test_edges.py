"""Arrays at the edges of their formats: the values where something changes, crossed, each pair onto an accumulator
that makes the rounding count: one that nearly or exactly cancels their product, its own edges, the output format's."""
import json

import numpy
import pytest

import arrays

SIZE = 64  # rows and columns of cases
CONFIGS = {
    "bf16": "--rows 4 --cols 4 --accumulator rounded",
    "fp16-onto-fp16": "--rows 4 --cols 4 --streams 1 --format fp16 --acc-format fp16 --accumulator rounded --pipeline 2",
    "bf16-onto-bf16": "--rows 4 --cols 4 --acc-format e8m7 --out-format e5m2 --accumulator rounded --pipeline 3",
    "anchored": "--rows 4 --cols 4 --accumulator anchored",
    "anchored-narrow": "--rows 4 --cols 4 --format e5m2 --accumulator anchored --acc-format e6m10 --acc-bits 12 --out-format e4m3",
    "fp8-onto-e5m7": "--rows 4 --cols 4 --streams 4 --a-format e4m3 --b-format e5m2 --acc-format e5m7 --lo-bits 2 --accumulator rounded",
    "groups": "--rows 4 --cols 4 --streams 4 --groups 2 --format e5m2 --lo-bits 2 --window 5 --acc-format e6m10",
    "eight-streams": "--rows 4 --cols 4 --streams 8 --lo-bits 2 --window 9",
    "plain-fp16": "--rows 4 --cols 4 --streams 4 --format fp16 --policy static --specials off --out-format e4m3 --accumulator rounded",
}


def edges(form, specials):
    """Ends of the ranges, and numbers with one or two bits of the fraction: the ties of every rounding. Inf and NaN a
    third as often as the others."""
    sign, fraction, least = 1 << (form.exp + form.frac), (1 << form.frac) - 1, 1 << form.frac
    one, top = ((1 << (form.exp - 1)) - 1) << form.frac, ((1 << form.exp) - 1) << form.frac
    bits = [0, 1, least >> 1, least - 1, least, least + 1, one - 1, one, one + 1, one | fraction, 2 * one, top - least,
            top - 2, top - 1]
    bits += [one | kind << bit & fraction for bit in range(form.frac) for kind in (1, 3)]
    bits = numpy.array(bits + [bit | sign for bit in bits])
    special = numpy.array([top, top | 1, top | fraction, sign | top])
    bits = bits[~form.special(bits)]
    return numpy.concatenate([numpy.repeat(bits, 3), special[form.special(special)]]) if specials else bits


def draw(random, form, shape, specials):
    """Edges, some of them moved to other exponents."""
    bits = random.choice(edges(form, specials), shape)
    exponent = random.integers(0, (1 << form.exp) - 1, shape) << form.frac  # less than the largest: no Inf, no NaN
    moved = bits & ~(((1 << form.exp) - 1) << form.frac) | exponent
    return numpy.where((random.random(shape) < 0.3) & ~form.special(bits), moved, bits)


def saved(directory, name, form, bits):
    path = directory / f"{name}.npy"
    size = numpy.uint8 if form.width <= 8 else numpy.uint16 if form.width <= 16 else numpy.uint32
    numpy.save(path, bits.astype(size))
    return path


def opposite(array, a, a_form, b, acc):
    """The accumulators that the products of -A and B make, as raw bits."""
    negated = numpy.load(a)
    numpy.save(array / "minus.npy", negated ^ negated.dtype.type(1 << (a_form.width - 1)))
    arrays.run(arrays.BUILD / "daagemm", "--config", array / "daa.json", "--out-format", acc.name, "--raw", "--a",
               array / "minus.npy", "--b", b, "-o", array / "minus-c.npy")
    return numpy.load(array / "minus-c.npy").astype(numpy.int64)


def starts(random, acc, out, opposite_sum, specials):
    """Accumulators to start from: a few units beside what the sum cancels, edges, and edges among the output format's
    subnormal numbers."""
    shape = opposite_sum.shape
    near = opposite_sum + random.integers(-2, 3, shape)
    near = numpy.where((near < 0) | acc.special(near) | (near >> acc.width != 0), 0, near)
    edge = draw(random, acc, shape, specials)
    exponent = (1 << (acc.exp - 1)) - (1 << (out.exp - 1)) + 1 - random.integers(0, out.frac + 3, shape)
    small = edge & ((1 << acc.frac) - 1) | numpy.maximum(exponent, 0) << acc.frac
    return numpy.choose(random.choice(3, shape, p=[0.4, 0.4, 0.2]), [near, edge, small])


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.long) if name == "groups" else name for name in CONFIGS])
def test_edges(name, tmp_path, rng):
    array = arrays.emit(tmp_path / "array", *CONFIGS[name].split())
    daatb = arrays.verilate(array)
    options = json.loads((array / "daa.json").read_text())["options"]
    a_form, b_form, acc, out = (arrays.Format(options[f"{side}-format"]) for side in ("a", "b", "acc", "out"))
    specials, streams = options["specials"] == "on", options["streams"]
    random = numpy.random.default_rng(rng.getrandbits(64))
    cases = 0
    for steps in (1, 1, 1, 1, 1, 1, 2, 4):
        a = draw(random, a_form, (SIZE, steps * streams), specials)
        b = draw(random, b_form, (steps * streams, SIZE), specials)
        a[:, 1:][random.random(a[:, 1:].shape) < 0.5] = 0
        a[random.random(SIZE) < 0.1] = 0
        a, b = saved(array, "a", a_form, a), saved(array, "b", b_form, b)
        c0 = saved(array, "c0", acc, starts(random, acc, out, opposite(array, a, a_form, b, acc), specials))
        arrays.run(daatb, "--a", a, "--b", b, "--c", c0, "-o", array / "c.npy")
        cases += numpy.load(array / "c.npy").size
    assert cases == 8 * SIZE * SIZE


PAIRS = {
    "e2m1": "--format e2m1 --lo-bits 1 --acc-format e5m7 --accumulator rounded",
    "e2m1-truncate": "--format e2m1 --lo-bits 1 --lo-round truncate --window 2",
    "e2m1-static": "--format e2m1 --lo-bits 1 --policy static --window 3 --pipeline 2 --accumulator rounded",
    "e2m1-low": "--format e2m1 --lo-bits 1 --policy low --window 4",
    "e3m2": "--format e3m2 --lo-bits 2 --accumulator rounded",
}


@pytest.mark.parametrize("name", [*list(PAIRS)[:-1], pytest.param("e3m2", marks=pytest.mark.long)])
def test_all_pairs_of_products(name, tmp_path):
    """Two streams, one step: the rows hold all pairs of operands of A, the columns all pairs of B."""
    array = arrays.emit(tmp_path / "array", "--rows", 4, "--cols", 4, *PAIRS[name].split())
    form = arrays.Format(PAIRS[name].split()[1])
    pairs = numpy.array([(i, j) for i in range(1 << form.width) for j in range(1 << form.width)])
    a, b = saved(array, "a", form, pairs), saved(array, "b", form, pairs.T)
    arrays.run(arrays.verilate(array), "--a", a, "--b", b, "-o", array / "c.npy")
    assert numpy.load(array / "c.npy").shape == (1 << 2 * form.width, 1 << 2 * form.width)
