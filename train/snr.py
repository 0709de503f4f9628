"""Signal-to-noise ratio of the GEMMs of training, arm by arm, on the same operands (`train.run --dump`), so that nothing
differs but the arithmetic. `python -m train.snr DIR snr.csv`."""
import argparse
import csv
import io
import pathlib

import numpy as np
import torch

from train import StudyError, arms, operands
from train.run import command, write_whole

KEY = ("step", "layer", "gemm", "m", "n", "k")


def configurations():
    """Name -> daa.Config: the arms with one arithmetic in all GEMMs, and rivals that are not trained."""
    import daa

    trained = {name: arms.configs(name)["forward"] for name in arms.ARMS if arms.is_uniform(name) and not arms.is_float32(name)}
    return {**trained, **{name: daa.Config(**options) for name, options in arms.SNR_ONLY.items()}}


def measure(directory, progress=lambda text: None):
    """A row for each GEMM: its place, its sizes and the ratio in dB by arm. Exact is what the reference's operands give, so that
    an arm of fewer bits is charged with what it loses of them too."""
    import daa
    from daa.torch import signal_to_noise

    rows, configs = [], configurations()
    for gemm in operands.load(directory):
        a, b = torch.from_numpy(gemm.a), torch.from_numpy(gemm.b)
        row = dict(step=gemm.step, layer=gemm.layer, gemm=gemm.gemm, m=a.shape[0], n=b.shape[1], k=a.shape[1])
        for name, config in configs.items():
            row[name] = signal_to_noise(configs[arms.REFERENCE], a, b, daa.gemm(a, b, config=config))
        rows.append(row)
        progress(gemm.name)
    return rows


def write(path, rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: value if name in KEY else f"{value:.2f}" for name, value in row.items()} for row in rows)
    write_whole(path, out.getvalue().encode())


def read(path):
    """{(step, gemm): {arm: array of dB by layer}}; empty without a file."""
    if not path.exists():
        return {}
    found = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if set(KEY) - set(row):
                raise StudyError(f"{path} is not a table of signal-to-noise ratios; make accuracy-snr makes it")
            by_arm = found.setdefault((int(row["step"]), row["gemm"]), {})
            for arm, value in row.items():
                if arm not in KEY:
                    by_arm.setdefault(arm, []).append(float(value))
    return {place: {arm: np.array(values) for arm, values in by_arm.items()} for place, by_arm in found.items()}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train.snr", description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args(arguments)
    with command("train.snr"):
        write(options.output, measure(options.directory, lambda text: print(text, flush=True)))


if __name__ == "__main__":
    main()
