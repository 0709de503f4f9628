"""One configuration measured from end to end: `row.py NAME ROW.json [--OPTION VALUE]...`, options as daagen takes them.

Emits an array of 16 x 16, and one of 4 x 4 through which a GEMM runs (Verilated; every bit against the golden model, and the cycles).
Finds its element's clock and the area at it (`make timing`), the energy of a MAC on real operands with its share of the edges of 16 x 16
(`make energy`), and the noise of its arithmetic on the same operands. What is up to date is not measured again.
"""
import hashlib
import json
import pathlib
import sys

import numpy as np

import noise

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "common"))
from command import Failed, Usage, main, run, save_json  # noqa: E402

SIDE = 16  # rows and columns of the array whose edges count
SIZE = 4  # of the one that is simulated
SHAPE = (32, 32, 2048)  # M, N, K of its GEMM


def cycles(directory, build):
    """MACs a cycle and element, of a dense Gaussian GEMM; daatb fails where a bit is not the golden model's."""
    m, n, k = SHAPE
    random = np.random.default_rng(1)
    for name, shape in ("a", (m, k)), ("b", (k, n)):
        np.save(directory / f"{name}.npy", random.standard_normal(shape).astype(np.float32))
    run("make", "-s", "tb", f"DIR={directory}", f"BUILD={build}")
    run(directory / "daatb", "--a", directory / "a.npy", "--b", directory / "b.npy", "-o", directory / "c.npy",
        "--stats", directory / "stats.json")
    return json.loads((directory / "stats.json").read_text())["macs_per_cycle"] / SIZE**2


def energy(directory, build, given, mapping):
    """At the clock, of the cells that `make timing` chose; or of the fewest cells, whatever their clock."""
    run("make", "-s", "energy", f"DIR={directory}", f"BUILD={build}", f"MAPPING={mapping}", "BLOCKS=no", *given)
    return json.loads((directory / "energy.json").read_text())


def measured(directory, small, build, library):
    """What a row has, besides its name and its options."""
    given = [f"LIBERTY={library}"] if library else []
    per_cycle = cycles(small, build)
    run("make", "-s", "timing", f"DIR={directory}", f"BUILD={build}", *given)
    timing = json.loads((directory / "timing.json").read_text())
    fast, small = (energy(directory, build, given, mapping) for mapping in ("timing", "area"))
    sys.path.insert(0, str(TOP / "python"))
    import daa

    return {
        "library": timing["library"],
        "um2": timing["um2"],
        "clock_ns": timing["period_ns"],
        "macs_per_cycle": per_cycle,
        "pj_per_mac": fast["pj_per_mac"],
        "um2_small": small["pe_um2"],
        "pj_per_mac_small": small["pj_per_mac"],
        "db": noise.measure(daa.Config(directory / "daa.json")),
    }


def key(directory, library):
    """Changes with the configuration and with whatever measures it."""
    digest = hashlib.sha256((directory / "daa.json").read_bytes())
    for path in sorted(directory.glob("rtl/*.v")) + sorted(TOP.glob("synth/*.[pcv]*")) + [TOP / "compare" / name for name in ("row.py", "noise.py")]:
        digest.update(path.read_bytes())
    digest.update(pathlib.Path(library).read_bytes() if library else b"")
    return digest.hexdigest()[:16]


def read_words(words):
    own, options = {"--build": TOP / "build", "--liberty": None}, []
    if len(words) < 2 or len(words) % 2:
        raise Usage("the words must be NAME ROW.json, then options with their values")
    for name, value in zip(words[2::2], words[3::2]):
        if name in own:
            own[name] = value
        else:
            options += [name, value]
    return words[0], pathlib.Path(words[1]), options, pathlib.Path(own["--build"]).resolve(), own["--liberty"]


def job():
    name, path, options, build, library = read_words(sys.argv[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    directory, small = build / "compare" / name, build / "compare" / f"{name}.small"
    for side, place in (SIDE, directory), (SIZE, small):
        run(build / "daagen", *options, "--rows", side, "--cols", side, "-o", place)
    found = key(directory, library)
    if path.exists() and json.loads(path.read_text()).get("key") == found:
        return
    row = measured(directory, small, build, library)
    if not all(value > 0 for value in (row["um2"], row["clock_ns"], row["macs_per_cycle"])):
        raise Failed(f"{name}: a figure is not above zero")
    emitted = json.loads((directory / "daa.json").read_text())["options"]
    save_json(path, {"name": name, "key": found, "options": emitted, **row})


if __name__ == "__main__":
    sys.exit(main("row", job))
