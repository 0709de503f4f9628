"""make bench-formats: GEMMs of 512^3 of every kind of operands and accumulators that vectors know, on the AVX-512 engine
without BF16, one thread, 1 to 8 streams in turns. Low products keep 4 bits, or as many as a name says; half of B is zeros.
"""
import argparse
import pathlib
import statistics
import sys
import time
import warnings

import numpy

import daa

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from command import Parser, main, save_json  # noqa: E402

EDGE = 512
STREAMS = (1, 2, 4, 8)
# Operands and accumulator; without more they are rounded at every step. A product's last bits are below a float's exponents
# where both operands are scaled by 2^-70.
KINDS = {
    "bf16, fp32": {"format": "bf16"},
    "e4m3 and e5m2, fp32": {"a_format": "e4m3", "b_format": "e5m2"},
    "e2m1 (T = 2), fp32": {"format": "e2m1", "lo_bits": 2},
    "fp16, fp32": {"format": "fp16"},
    "tf32, fp32": {"format": "tf32"},
    "bf16, fp32 anchored": {"format": "bf16", "accumulator": "anchored"},
    "fp16, fp32 anchored": {"format": "fp16", "accumulator": "anchored"},
    "tf32, fp32 anchored": {"format": "tf32", "accumulator": "anchored"},
    "bf16, fp32 anchored, static": {"format": "bf16", "accumulator": "anchored", "policy": "static"},
    "bf16, e8m15": {"format": "bf16", "acc_format": "e8m15"},
    "fp16, fp16": {"format": "fp16", "acc_format": "fp16"},
    "e4m3 (T = 3), e6m9": {"format": "e4m3", "acc_format": "e6m9", "lo_bits": 3},
    "e2m1 (T = 2), fp16": {"format": "e2m1", "acc_format": "fp16", "lo_bits": 2, "specials": "off"},
    "bf16, e8m22": {"format": "bf16", "acc_format": "e8m22"},
    "bf16 around 2^-70, fp32 anchored": {"format": "bf16", "accumulator": "anchored", "scale": 2**-70},
}


def is_golden(run):
    """Does it say that it is left to the golden model?"""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run()
    return any("golden" in str(warning.message) for warning in said)


def measure(kind, engine, rounds):
    """Streams -> GMAC/s: medians of the processor's time, after one that is not counted; without what is left to the golden model."""
    options = {"accumulator": "rounded", "lo_bits": 4, "scale": 1, **KINDS[kind]}
    scale = numpy.float32(options.pop("scale"))
    random = numpy.random.default_rng(1)
    a, b = (random.standard_normal((EDGE, EDGE)).astype(numpy.float32) * scale for _ in range(2))
    b = numpy.maximum(b, 0)

    def gemm(config, rows=EDGE):
        daa.gemm(a[:rows], b, config=config, engine=engine, threads=1)

    configs = {streams: daa.Config(streams=streams, **options) for streams in STREAMS}
    configs = {streams: config for streams, config in configs.items() if not is_golden(lambda: gemm(config, 1))}
    times = {streams: [] for streams in configs}
    for turn in range(rounds + 1):
        for streams, config in configs.items():
            begin = time.process_time()
            gemm(config)
            if turn:
                times[streams].append(time.process_time() - begin)
    return {str(streams): EDGE ** 3 * 1e-9 / statistics.median(taken) for streams, taken in times.items()}


def bench():
    parser = Parser(prog="bench-formats", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE.json", help="the figures as JSON")
    parser.add_argument("--rounds", type=int, default=9, help="of which the median counts (default 9)")
    parser.add_argument("--engine", choices=("avx512", "avx512bf16", "avx2", "auto"), default="avx512", help="default avx512")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this one; more than once for more")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")
    warnings.simplefilter("ignore")  # of doubles
    figures = {}
    print("GMAC/s with 1, 2, 4 and 8 streams")
    for kind in arguments.kind or KINDS:
        found = figures[kind] = measure(kind, arguments.engine, arguments.rounds)
        print(f"{kind:32}", *(f"{found[str(streams)]:6.1f}" if str(streams) in found else "golden" for streams in STREAMS), flush=True)
    if arguments.output:
        save_json(arguments.output, figures)


if __name__ == "__main__":
    sys.exit(main("bench-formats", bench))
