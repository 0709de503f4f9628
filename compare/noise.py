"""Signal to noise of a configuration on the operands of real training (tests/data/training), GEMM by GEMM."""
import json
import math
import pathlib
import statistics
import sys

import numpy as np

TOP = pathlib.Path(__file__).resolve().parent.parent
OPERANDS = TOP / "tests/data/training"
GEMMS = ("forward", "input_grad", "weight_grad")
FIRST = "conv1"  # the first layer's operands are images, not activations: left out


def ratio(result, exact):
    """10 log10 of the squares of the exact result over those of the error, in dB."""
    noise = float(((result - exact) ** 2).sum())
    return 10 * math.log10(float((exact**2).sum()) / noise) if noise else math.inf


def measure(config, directory=OPERANDS):
    """Median dB by kind of GEMM, and of all. CONFIG is a daa.Config; the exact products are of the operands as they are, in
    bf16, so that a narrower operand format counts as noise."""
    sys.path.insert(0, str(TOP / "python"))
    import daa

    found = {gemm: [] for gemm in GEMMS}
    for entry in json.loads((directory / "index.json").read_text())["gemms"]:
        _, _, rest = entry["name"].partition(".")
        layer, _, gemm = rest.rpartition(".")
        if layer == FIRST:
            continue
        a, b = (np.load(directory / f"{entry['name']}.{side}.npy") for side in "ab")
        found[gemm].append(ratio(daa.gemm(a, b, config=config).astype(np.float64), a.astype(np.float64) @ b.astype(np.float64)))
    medians = {gemm: statistics.median(values) for gemm, values in found.items()}
    return {**medians, "all": statistics.median(value for values in found.values() for value in values)}
