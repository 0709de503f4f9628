"""make bench-rivals: emulators that round after every step of a GEMM, and ours, in turns in one run on one core.

The work of all: bf16 operands, whose products are exact, and an accumulator rounded to nearest after every product (ours
with two streams: after every second one). The accumulator is fp32 where the rival can, and bf16 where it keeps numbers in
floats and could not round to fp32. A rival without a GEMM of its own gets the best that its rounding allows: a rank-1
update, then one call that rounds it.
"""
import ctypes
import importlib
import os
import pathlib
import statistics
import sys
import time

import numpy

import daa

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from command import ROOT, Parser, main, save_json  # noqa: E402

# ResNet-18 on 32 x 32 images, batch 8, as in engine/bench.c.
SHAPES = {"256^3": (256, 256, 256), "layer2 1x1": (128, 2048, 64), "layer4 3x3": (512, 128, 4608)}
SLOW = 5  # seconds of a run that is not repeated
LONGEST = 60  # seconds that a shape may take


class Absent(Exception):
    """The rival is not installed; the text says how to get it."""


def module(name, how):
    # Two packages compile an extension of one name as they are imported: each gets a place of its own.
    os.environ["TORCH_EXTENSIONS_DIR"] = str(ROOT / "build" / "rivals" / name)
    try:
        return importlib.import_module(name)
    except Exception as error:  # a package that builds itself as it is imported fails in many ways
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Absent(f"{how} ({lines[0][:100]})") from None


# ---- rivals: each function returns what computes A B of float32 arrays ----

def ours(streams):
    def make():
        config = daa.Config(streams=streams, accumulator="rounded")
        return lambda a, b: daa.gemm(a, b, config=config, threads=1)
    return make


def golden():
    config = daa.Config("baseline")
    return lambda a, b: daa.gemm(a, b, config=config, engine="golden", threads=1)


def cpfloat(accumulator):
    def make():
        path = os.environ.get("RIVAL_CPFLOAT")
        if not path:
            raise Absent("install github.com/north-numerical-computing/cpfloat, then make bench-rivals CPFLOAT=PREFIX")
        function = getattr(ctypes.CDLL(path), f"rival_{accumulator}")
        function.argtypes = [ctypes.c_size_t] * 3 + [ctypes.c_void_p] * 3
        function.restype = None

        def run(a, b):
            c = numpy.empty((a.shape[0], b.shape[1]), numpy.float32)
            function(*c.shape, a.shape[1], a.ctypes.data, b.ctypes.data, c.ctypes.data)
            return c
        return run
    return make


def apytypes():
    package = module("apytypes", "pip install apytypes")

    def run(a, b):
        a, b = (package.APyFloatArray.from_float(x, exp_bits=8, man_bits=7) for x in (a, b))
        with package.APyFloatAccumulatorContext(exp_bits=8, man_bits=23):
            return (a @ b).to_numpy().astype(numpy.float32)
    return run


def mptorch():
    mm = module("mptorch.quant", "pip install -e . in github.com/mptorch/mptorch").float_mm
    torch = module("torch", "apt-get install python3-torch")

    def run(a, b):
        return mm(torch.from_numpy(a), torch.from_numpy(b), man_add=7, exp_add=8, fma=True, saturate=False).numpy()
    return run


def qtorch():
    quantize = module("qtorch.quant", "pip install qtorch ninja; it needs PyTorch's headers").float_quantize
    torch = module("torch", "apt-get install python3-torch")

    def run(a, b):
        a, b = torch.from_numpy(a), torch.from_numpy(b)
        c = torch.zeros(a.shape[0], b.shape[1])
        for k in range(a.shape[1]):
            c = quantize(c.addr_(a[:, k], b[k]), exp=8, man=7, rounding="nearest")
        return c.numpy()
    return run


def pychop():
    package = module("pychop", "pip install pychop")
    package.backend("numpy")
    chop = package.Chop(exp_bits=8, sig_bits=23)

    def run(a, b):
        a, b = a.astype(numpy.float64), b.astype(numpy.float64)
        c = numpy.zeros((a.shape[0], b.shape[1]))
        for k in range(a.shape[1]):
            c = chop(c + a[:, k, None] * b[k])
        return c.astype(numpy.float32)
    return run


CONTENDERS = [  # name, accumulator, maker
    ("daa, 1 stream", "fp32", ours(1)),
    ("daa, 2 streams", "fp32", ours(2)),
    ("daa, golden model, 1 stream", "fp32", golden),
    ("CPFloat", "fp32", cpfloat("fp32")),
    ("CPFloat", "bf16", cpfloat("bf16")),
    ("APyTypes", "fp32", apytypes),
    ("MPTorch", "bf16", mptorch),
    ("QPyTorch", "bf16", qtorch),
    ("pychop", "fp32", pychop),
]


# ---- measuring ----

def operands(shape):
    m, n, k = shape
    random = numpy.random.default_rng(1)
    return [daa.quantize(random.standard_normal(size).astype(numpy.float32), "bf16") for size in ((m, k), (k, n))]


def agreement(name, accumulator, result, a, b):
    """The share of results that one stream of ours has too, bit for bit; None for what is not meant to be equal."""
    if name == "daa, 2 streams":
        return None
    options = {} if accumulator == "fp32" else {"acc_format": "e8m7"}
    want = daa.gemm(a, b, config=daa.Config("baseline", **options), threads=1)
    return float(numpy.mean(result == want))


def measure(shape, contenders, rounds, speeds):
    """Medians of the processor's time, every contender in every round; one that is slow only in the first."""
    a, b = operands(shape)
    macs = float(numpy.prod(shape, dtype=float))
    times, results = {key: [] for key in contenders}, {}
    for round_number in range(rounds):
        for key, run in contenders.items():
            late = speeds.get(key) and macs / speeds[key] > LONGEST
            if late or (round_number and times[key][0] > SLOW):
                continue
            begin = time.process_time()
            results[key] = run(a, b)
            times[key].append(time.process_time() - begin)
    found = []
    for (name, accumulator), taken in times.items():
        entry = {"name": name, "accumulator": accumulator, "runs": len(taken), "gmacs": None, "equal": None}
        if taken:
            speed = macs / statistics.median(taken)
            speeds[name, accumulator] = speed
            entry["gmacs"] = speed * 1e-9
            if shape == SHAPES["256^3"]:  # where the golden model takes a second
                entry["equal"] = agreement(name, accumulator, results[name, accumulator], a, b)
        found.append(entry)
    return found


def show(name, shape, found):
    print(f"{name} ({shape[0]} x {shape[1]} x {shape[2]})")
    best = max(entry["gmacs"] for entry in found if entry["gmacs"])
    for entry in found:
        line = f"  {entry['name']:28} {entry['accumulator']}"
        if entry["gmacs"] is None:
            print(f"{line}  not run: it would take more than {LONGEST} s")
            continue
        equal = "" if entry["equal"] is None else f", {entry['equal']:.2%} of the results are ours"
        print(f"{line} {entry['gmacs']:9.4f} GMAC/s, {best / entry['gmacs']:7.1f} times the time of the fastest{equal}")
    sys.stdout.flush()


def bench():
    parser = Parser(prog="bench-rivals", description="GEMMs that round after every step: ours and other emulators'.")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE.json", help="the figures as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (default 5)")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="only this one; more than once for more")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")
    contenders, absent = {}, {}
    for name, accumulator, make in CONTENDERS:
        try:
            contenders[name, accumulator] = make()
        except Absent as error:
            absent[name] = str(error)
    for name, how in absent.items():
        print(f"{name} is not here: {how}")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    speeds, figures = {}, []
    for name in arguments.shape or SHAPES:
        found = measure(SHAPES[name], contenders, arguments.rounds, speeds)
        show(name, SHAPES[name], found)
        figures.append({"shape": name, "m_n_k": SHAPES[name], "contenders": found})
    if arguments.output:
        save_json(arguments.output, {"shapes": figures, "absent": absent})


if __name__ == "__main__":
    sys.exit(main("bench-rivals", bench))
