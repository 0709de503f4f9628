"""Operand matrices of a training run, as `train.run --dump` leaves them: DIR/step<N>/<layer>.<gemm>.<a|b>.npy."""
import json
import pathlib
import re
from typing import NamedTuple

import numpy as np

from train import StudyError, arms


class Operands(NamedTuple):
    step: int
    layer: str
    gemm: str
    a: np.ndarray  # M x K, float32 values of the operand format
    b: np.ndarray  # K x N

    @property
    def name(self):
        return f"step{self.step}.{self.layer}.{self.gemm}"


def files(directory):
    """(step, layer, gemm, stem of the two files), in the order of steps, layers as named and GEMMs."""
    found = []
    for path in directory.glob("step*/*.a.npy"):
        step = re.fullmatch(r"step(\d+)", path.parent.name)
        layer, _, gemm = path.name[: -len(".a.npy")].rpartition(".")
        if step and gemm in arms.GEMMS:
            found.append((int(step[1]), layer, gemm, str(path)[: -len(".a.npy")]))
    if not found:
        raise StudyError(f"{directory} holds no operands; train.run --dump {directory} writes them")
    return sorted(found, key=lambda entry: (*entry[:2], arms.GEMMS.index(entry[2])))


def load(directory):
    """The operands of every GEMM in the directory, one after the other."""
    for step, layer, gemm, stem in files(directory):
        yield Operands(step, layer, gemm, np.load(f"{stem}.a.npy"), np.load(f"{stem}.b.npy"))


# ---- a small set of them, to keep ----

ROWS = 32  # of A and columns of B: a random choice, in order; even steps would always hit the same pixel of an image
DEPTH = 256  # of K: neighbours from the middle, so that the streams of a step hold what they held in training


def crop(operands):
    """The operands cut down, and what of them is left as an entry of the index."""
    (m, k), n = operands.a.shape, operands.b.shape[1]
    rng = np.random.default_rng(0)
    rows, cols = (np.sort(rng.choice(size, min(size, ROWS), replace=False)) for size in (m, n))
    depth = min(k, DEPTH)
    start = (k - depth) // 2 // 4 * 4  # a step's first k, with up to 4 streams
    entry = dict(name=operands.name, m=m, n=n, k=k, depth=[start, start + depth], rows=rows.tolist(), cols=cols.tolist())
    return operands._replace(a=operands.a[rows, start : start + depth], b=operands.b[start : start + depth][:, cols]), entry


def write_crops(directory, output, layers, origin):
    """Writes cropped operands of the layers and an index that says where they are from. ORIGIN: text for the index."""
    output.mkdir(parents=True, exist_ok=True)
    entries = []
    for operands in load(directory):
        if operands.layer in layers:
            cropped, entry = crop(operands)
            entries.append(entry)
            for side in "ab":
                np.save(output / f"{cropped.name}.{side}.npy", np.ascontiguousarray(getattr(cropped, side), "<f4"))
    lines = ",\n    ".join(json.dumps(entry) for entry in entries)
    says = ("NAME.a.npy is A (M x K), NAME.b.npy is B (K x N). m, n, k: their sizes in training. What is kept of them: rows of A "
            "and cols of B, and of K the range depth, its end not included.")
    (output / "index.json").write_text(f'{{\n  "from": {json.dumps(origin)},\n  "says": {json.dumps(says)},\n  "gemms": [\n    '
                                       f"{lines}\n  ]\n}}\n")
    return entries


def main(arguments=None):
    import argparse

    from train.run import command, words

    parser = argparse.ArgumentParser(prog="train.operands", description="Cut a small set out of dumped operands.")
    parser.add_argument("directory", type=pathlib.Path, help="where train.run --dump wrote them")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--layers", type=words, required=True, metavar="LAYER,...")
    parser.add_argument("--origin", default="", help="what the index says about where they are from")
    options = parser.parse_args(arguments)
    with command("train.operands"):
        known = {layer for _, layer, _, _ in files(options.directory)}
        unknown = [layer for layer in options.layers if layer not in known]
        if unknown:
            raise StudyError(f"{options.directory} has no layer {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        write_crops(options.directory, options.output, options.layers, options.origin)


if __name__ == "__main__":
    main()
