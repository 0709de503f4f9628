"""Arrays under test: their list, their operands, and the commands that run them."""
import dataclasses
import fcntl
import json
import os
import pathlib
import subprocess

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
BUILD = ROOT / os.environ.get("BUILD", "build")


def _table(name):
    lines = (HERE / name).read_text().splitlines()
    return [[field.strip() for field in line.split("|")] for line in lines if line and not line.startswith("#")]


def configs():
    """name -> (tier, whether Icarus runs it, options of daagen)"""
    return {name: (tier, icarus == "icarus", options.split()) for name, tier, icarus, options in _table("configs.txt")}


def shapes():
    """(M, N, K, whether there is a C0)"""
    return [(*map(int, sizes.split()), c0 == "c0") for sizes, c0 in _table("shapes.txt")]


def run(*words, status=0):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == status, f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done


def make(*words, status=0):
    return run("make", "--no-print-directory", f"BUILD={BUILD.relative_to(ROOT)}", *words, status=status)


def emit(directory, *options):
    run(BUILD / "daagen", *options, "-o", directory)
    return directory


# Of Verilator's own builds: what it compiles is there soon rather than fast.
SOON = ("-MAKEFLAGS", "OPT_FAST=-O0", "-MAKEFLAGS", "OPT_GLOBAL=-O0")


def verilators_library():
    """The objects that all Verilated models share, built by one worker at a time."""
    with open(BUILD / "verilated.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make("verilated")
    return [BUILD / f"obj/verilated/{name}.o" for name in ("verilated", "verilated_dpi", "verilated_threads")]


def verilate(directory, *flags):
    """Builds DIRECTORY/daatb soon rather than fast."""
    verilators_library()
    make("tb", f"DIR={directory}", "OPT=-O0", "VERILATE_JOBS=1", *flags)
    return directory / "daatb"


def model(place, top, prefix, words, bench, *more, defines=()):
    """A program in PLACE: the C++ source BENCH on what Verilator, told WORDS, makes of the module TOP; MORE objects and libraries."""
    library = verilators_library()
    run("verilator", "--cc", "-O3", "--no-timing", "--x-initial", "unique", "--prefix", prefix, "--Mdir", place, "--top-module", top, *words)
    run("make", "-s", "-C", place, "-f", f"{prefix}.mk", "OPT_FAST=-O1", "OPT_SLOW=-O0", f"{prefix}__ALL.a")
    include = run("verilator", "--getenv", "VERILATOR_ROOT").stdout.strip() + "/include"
    run("g++", "-O1", "-Wall", "-Wextra", "-faligned-new", f"-I{place}", "-isystem", include, "-isystem", f"{include}/vltstd", *defines, "-c", bench,
        "-o", place / "bench.o")
    run("g++", place / "bench.o", *more, place / f"{prefix}__ALL.a", *library, "-lm", "-lpthread", "-o", place / "bench")
    return place / "bench"


ALIASES = {
    "bf16": (8, 7), "tf32": (8, 10), "fp16": (5, 10), "e5m2": (5, 2), "e4m3": (4, 3), "e3m2": (3, 2), "e2m3": (2, 3),
    "e2m1": (2, 1), "fp32": (8, 23),
}
NO_SPECIALS = ("e3m2", "e2m3", "e2m1")


@dataclasses.dataclass
class Format:
    name: str

    def __post_init__(self):
        name = self.name
        self.exp, self.frac = ALIASES[name] if name in ALIASES else map(int, name[1:].split("m"))
        self.width = 1 + self.exp + self.frac

    def special(self, bits):
        """Which of the raw BITS are Inf or NaN."""
        below_sign = bits & ((1 << (self.width - 1)) - 1)
        if self.name in NO_SPECIALS:
            return bits != bits
        if self.name == "e4m3":
            return below_sign == (1 << (self.width - 1)) - 1
        return (below_sign >> self.frac) == (1 << self.exp) - 1


def raw(random, form, shape, wild):
    """Raw bits of FORM: mostly near one, so that sums align and cancel, some zero or subnormal. WILD: also of any
    size, at the edges of the format, and now and then Inf or NaN; sums of those soon overflow."""
    bias = (1 << (form.exp - 1)) - 1
    ends = (1 << form.exp) - 1
    kind = random.choice(5, size=shape, p=[0.6, 0.12, 0.16, 0.06, 0.06] if wild else [0.8, 0, 0.14, 0.06, 0])
    spread = min(bias, int(random.integers(2, 9)))
    exponent = numpy.choose(kind, [
        bias + random.integers(-spread, spread + 1, shape), random.integers(0, ends + 1, shape), 0 * kind, 0 * kind,
        random.choice([1, ends - 1, ends], size=shape)])
    fraction = random.integers(0, 1 << form.frac, shape) & random.choice([-1, -1, 1 << (form.frac - 1)], size=shape)
    fraction = numpy.where(kind == 2, 0, fraction)
    bits = random.integers(0, 2, shape) << (form.exp + form.frac) | exponent << form.frac | fraction
    harmless = bits & ~(1 << (form.width - 2))  # without its exponent's top bit nothing is Inf or NaN
    bits = numpy.where(form.special(bits) & (random.random(shape) > (0.25 if wild else 0)), harmless, bits)
    return bits.astype(numpy.uint8 if form.width <= 8 else numpy.uint16 if form.width <= 16 else numpy.uint32)


def cancel(random, a, b, form):
    """Repeats some products with the other sign, in the same step or in another."""
    k = a.shape[1]
    for _ in range(k // 3):
        one, other = random.integers(0, k, 2)
        if one != other:
            a[:, other] = a[:, one]
            b[other, :] = b[one, :] ^ b.dtype.type(1 << (form.width - 1))


def operands(random, directory, m, n, k, c0, wild=True):
    """Saves operands for the array in DIRECTORY beside it; the arguments that name them. Without `specials` in the
    array there is no Inf or NaN."""
    options = json.loads((directory / "daa.json").read_text())["options"]
    a_form, b_form, acc_form = (Format(options[name]) for name in ("a-format", "b-format", "acc-format"))
    a, b, c = (raw(random, form, shape, wild)
               for form, shape in ((a_form, (m, k)), (b_form, (k, n)), (acc_form, (m, n))))
    cancel(random, a, b, b_form)
    if options["specials"] == "off":
        for bits, form in (a, a_form), (b, b_form), (c, acc_form):
            bits[form.special(bits)] = 0
    words = []
    for name, matrix in (("a", a), ("b", b), ("c", c))[:3 if c0 else 2]:
        numpy.save(directory / f"{name}.npy", matrix)
        words += [f"--{name}", directory / f"{name}.npy"]
    return words


def icarus(directory, words, stall=0, seed=1, status=0):
    """`make icarus` with the arguments that daatb takes."""
    named = {words[i]: words[i + 1] for i in range(0, len(words), 2)}
    c0 = [f"C0={named['--c']}"] if "--c" in named else []
    return make("icarus", f"DIR={directory}", f"A={named['--a']}", f"B={named['--b']}", *c0, f"STALL={stall}",
                f"SEED={seed}", status=status)
