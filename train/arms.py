"""The arms of the study: which arithmetic each of the three GEMMs of a layer goes through. Everything else (batch
normalisation, activations, loss, master weights, optimizer) is float32 in all of them, and every convolution and linear
layer is converted, the first and the last included."""
import functools
from typing import NamedTuple, Optional

GEMMS = ("forward", "input_grad", "weight_grad")

BF16 = dict(streams=1, accumulator="rounded")


def _daa(streams, lo_bits, accumulator="rounded", **options):
    return dict(streams=streams, lo_bits=lo_bits, accumulator=accumulator, **options)


def _anchored(streams, high, low=None, **options):
    """Operands of HIGH significant bits, low products of LOW; without LOW all alike."""
    return _daa(streams, low or high, format=f"e8m{high - 1}", accumulator="anchored", **options)


class Arm(NamedTuple):
    forward: Optional[dict]  # options of daa.Config over the defaults; None is torch's own float32
    input_grad: Optional[dict]
    weight_grad: Optional[dict]
    seeds: int  # of the study: 0 .. seeds-1
    says: str
    scaled: bool = False  # as daa.torch.convert() has it


def _all(options, seeds, says):
    return Arm(options, options, options, seeds, says)


def _fp8(a_format):
    return dict(BF16, a_format=a_format, b_format="e4m3")


# The rivals of steering and the arms with one GEMM in DAA have T = 1: at T = 4 all of them, all-low included, are expected
# within the noise of bf16, so only a low value that hurts tells one steering, and one GEMM, from another. All-low is also
# there at T = 4, because it is what an architect would build instead.
# safe, lean and alike are the named configurations of config/config.c, alike also with the bits of lean's rivals.
# s2-t4, the literal paper, has the most pairs because its target is the smallest; s2-t3 has more than its like because the
# loss of one of its runs jumps.
ARMS = {
    "fp32": _all(None, 3, "float32 by PyTorch"),
    "bf16": _all(BF16, 15, "bf16 products, fp32 accumulation: the reference of the pairs"),
    "s2-t4": _all(_daa(2, 4), 15, "2 streams, 4 low bits"),
    "s2-t3": _all(_daa(2, 3), 5, "2 streams, 3 low bits"),
    "s2-t2": _all(_daa(2, 2), 3, "2 streams, 2 low bits"),
    "s2-t1": _all(_daa(2, 1), 3, "2 streams, 1 low bit: a power of two"),
    "s2-t4-trunc": _all(_daa(2, 4, lo_round="truncate"), 3, "2 streams, 4 low bits, truncated"),
    "s2-t3-trunc": _all(_daa(2, 3, lo_round="truncate"), 3, "2 streams, 3 low bits, truncated"),
    "s2-t2-trunc": _all(_daa(2, 2, lo_round="truncate"), 3, "2 streams, 2 low bits, truncated"),
    "s2-t1-trunc": _all(_daa(2, 1, lo_round="truncate"), 3, "2 streams, 1 low bit, truncated"),
    "s4-t4": _all(_daa(4, 4), 5, "4 streams, 4 low bits"),
    "s4-t3": _all(_daa(4, 3), 3, "4 streams, 3 low bits"),
    "s4-t2": _all(_daa(4, 2), 3, "4 streams, 2 low bits"),
    "static-t1": _all(_daa(2, 1, policy="static"), 3, "2 streams, 1 low bit, stream 0 always high"),
    "rotate-t1": _all(_daa(2, 1, policy="rotate"), 3, "2 streams, 1 low bit, the streams high in turn"),
    "low-t1": _all(_daa(2, 1, policy="low"), 3, "2 streams, all products low, 1 bit"),
    "low-t4": _all(_daa(2, 4, policy="low"), 3, "2 streams, all products low, 4 bits"),
    "safe2": _all(_anchored(2, 6, 4), 5, "2 streams of 6 bits, 4 low bits, anchored"),
    "lean2": _all(_anchored(2, 5, 3), 3, "2 streams of 5 bits, 3 low bits, anchored"),
    "alike2": _all(_anchored(2, 5), 3, "rival of safe2: 2 streams of 5 bits alike, anchored"),
    "alike2-4": _all(_anchored(2, 4), 3, "rival of lean2: 2 streams of 4 bits alike, anchored"),
    "safe4": _all(_anchored(4, 6, 4, groups=2, window=7), 5, "4 streams of 6 bits in 2 groups, 4 low bits, anchored"),
    "lean4": _all(_anchored(4, 5, 3), 3, "4 streams of 5 bits, 3 low bits, anchored"),
    "alike4": _all(_anchored(4, 5), 3, "rival of safe4: 4 streams of 5 bits alike, anchored"),
    "alike4-4": _all(_anchored(4, 4), 3, "rival of lean4: 4 streams of 4 bits alike, anchored"),
    # Where few bits are too few: what steering is worth there.
    "alike2-3": _all(_anchored(2, 3), 3, "2 streams of 3 bits alike, anchored"),
    "alike2-2": _all(_anchored(2, 2), 3, "2 streams of 2 bits alike, anchored"),
    "s2-4-1": _all(_anchored(2, 4, 1), 3, "2 streams of 4 bits, 1 low bit, anchored"),
    "s2-3-1": _all(_anchored(2, 3, 1), 3, "2 streams of 3 bits, 1 low bit, anchored"),
    "alike4-3": _all(_anchored(4, 3), 3, "4 streams of 3 bits alike, anchored"),
    "alike4-2": _all(_anchored(4, 2), 3, "4 streams of 2 bits alike, anchored"),
    "s4-4-1": _all(_anchored(4, 4, 1), 3, "4 streams of 4 bits, 1 low bit, anchored"),
    "s4-3-1": _all(_anchored(4, 3, 1), 3, "4 streams of 3 bits, 1 low bit, anchored"),
    "static2-3-1": _all(_anchored(2, 3, 1, policy="static"), 3, "s2-3-1 with stream 0 always high"),
    "rotate2-3-1": _all(_anchored(2, 3, 1, policy="rotate"), 3, "s2-3-1 with the streams high in turn"),
    "low2-3-1": _all(_anchored(2, 3, 1, policy="low"), 3, "s2-3-1 with all products low: 1 bit"),
    "fp8": Arm(_fp8("e4m3"), _fp8("e5m2"), _fp8("e5m2"), 3, "1 stream, e4m3 by e4m3, gradients e5m2, scaled", scaled=True),
    "only-forward": Arm(_daa(2, 1), BF16, BF16, 3, "s2-t1 in the forward GEMM, bf16 in the others"),
    "only-input-grad": Arm(BF16, _daa(2, 1), BF16, 3, "s2-t1 in the input gradient, bf16 in the others"),
    "only-weight-grad": Arm(BF16, BF16, _daa(2, 1), 3, "s2-t1 in the weight gradient, bf16 in the others"),
}

# Of the study of Fashion-MNIST, seed by seed: the important pairs first, so that a study cut short has them; the slow ones last.
ORDER = ("bf16", "safe2", "safe4", "lean2", "lean4", "alike2", "alike4", "alike2-4", "alike4-4", "s2-t4", "s4-t4", "fp32",
         "s2-t2", "s2-t1", "s4-t2", "low-t1", "s2-t3", "s4-t3", "s2-t2-trunc", "s2-t1-trunc", "only-forward",
         "only-input-grad", "only-weight-grad", "low-t4", "s2-t4-trunc", "s2-t3-trunc", "static-t1", "rotate-t1")

REFERENCE = "bf16"

# The named configurations that win, and their symmetric rivals.
WINNERS = ("safe2", "lean2", "alike2", "alike2-4", "safe4", "lean4", "alike4", "alike4-4")

# Of the study where it is hard (train/studies.py): a group is done for all seeds before the next one begins.
HARD = (
    ("bf16", "safe2", "alike2-2", "s2-3-1", "s2-4-1", "safe4", "lean2", "lean4"),
    ("s2-t4", "fp8", "alike2", "alike2-4", "alike2-3", "static2-3-1", "rotate2-3-1", "low2-3-1"),
    ("fp32", "s4-3-1", "s4-4-1", "alike4-2", "alike4-3", "alike4", "alike4-4", "s4-t4", "low-t4", "s2-t1", "low-t1"),
)
WORST = "alike2-2"  # with the reference, at other learning rates: is an arm helped by tuning?

# Steering, and what it is up against at about the same cost or with the same multipliers.
AGAINST = (("safe2", "alike2"), ("lean2", "alike2-4"), ("s2-4-1", "alike2-3"), ("s2-4-1", "alike2-2"), ("s2-3-1", "alike2-2"),
           ("s2-3-1", "static2-3-1"), ("s2-3-1", "rotate2-3-1"), ("s2-3-1", "low2-3-1"), ("safe4", "alike4"),
           ("lean4", "alike4-4"), ("s4-4-1", "alike4-3"), ("s4-4-1", "alike4-2"), ("s4-3-1", "alike4-2"), ("s2-t4", "low-t4"),
           ("s2-t1", "static-t1"), ("s2-t1", "rotate-t1"), ("s2-t1", "low-t1"))

# Not trained, but in the table of signal-to-noise ratios: the rivals at the default's low bits.
SNR_ONLY = {
    "static-t4": _daa(2, 4, policy="static"),
    "rotate-t4": _daa(2, 4, policy="rotate"),
    "high": _daa(2, 4, policy="high"),
}


def is_float32(name):
    """Does no GEMM of the arm go through daa?"""
    return ARMS[name][:3] == (None, None, None)


def cost(name):
    """Time of a run, roughly, in runs of the reference: a doubling of the streams costs the emulator one more, and the
    anchored accumulator three quarters of all."""
    def of(options):
        return 1 if options is None else options["streams"].bit_length() * (1.75 if options["accumulator"] == "anchored" else 1)

    return sum(map(of, ARMS[name][:3])) / len(GEMMS)


def is_uniform(name):
    """Do the three GEMMs share one arithmetic?"""
    arm = ARMS[name]
    return arm.forward == arm.input_grad == arm.weight_grad


def configs(name):
    """The arm's daa.Config for each GEMM, None for float32."""
    if is_float32(name):
        return dict.fromkeys(GEMMS)
    import daa

    return {gemm: daa.Config(**options) for gemm, options in zip(GEMMS, ARMS[name][:3])}


def convert(model, name, high=()):
    """MODEL with the arm's arithmetic, in place; float32 leaves it as it is. HIGH: layers with every product high."""
    if is_float32(name):
        return model
    import daa.torch
    from train.model import Attention

    forward, input_grad, weight_grad = configs(name).values()
    how = dict(input_grad=input_grad, weight_grad=weight_grad, scaled=ARMS[name].scaled)
    for module in model.modules():
        if isinstance(module, Attention):
            module.attend = functools.partial(daa.torch.scaled_dot_product_attention, config=forward, **how)
    return daa.torch.convert(model, forward, **how, high=high)


def describe(name):
    """One line: the canonical configuration, or those of the three GEMMs where they differ."""
    scaled = " scaled" * ARMS[name].scaled
    texts = {gemm: "float32" if config is None else f"{config}{scaled}" for gemm, config in configs(name).items()}
    if len(set(texts.values())) == 1:
        return texts["forward"]
    return "; ".join(f"{gemm}: {text}" for gemm, text in texts.items())
