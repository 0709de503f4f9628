"""`make compare`: named configurations side by side: area on cells, and cycles and error of the same GEMM in the Verilated arrays.

The GEMM has Gaussian operands without zeros, so that no array gains by gating. Its error is that of the results against
float64 on the operands as the array reads them: rms of the difference over rms of the exact result.
"""
import argparse
import json
import pathlib
import sys

import numpy

import job

CONFIGS = ("baseline", "paper", "quad", "high2", "low2")
SIZE = 256
TOP = job.ROOT.parent


def operands(place):
    """A and B of the GEMM as .npy files in PLACE, exact in bf16; and their product in float64."""
    random = numpy.random.default_rng(1)
    matrices = []
    for name in "AB":
        bits = random.standard_normal((SIZE, SIZE)).astype(numpy.float32).view(numpy.uint32)
        matrices.append(((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(numpy.uint32).view(numpy.float32))
        numpy.save(place / f"{name}.npy", matrices[-1])
    return matrices[0].astype(float) @ matrices[1].astype(float)


def measure(config, build, place, exact, library):
    directory = place / config
    with job.step(f"{config}: emitting, building, running"):
        job.run(build / "daagen", "--config", config, "-o", directory)
        job.run("make", "-s", "tb", f"DIR={directory}", f"BUILD={build}")
        job.run(directory / "daatb", "--a", place / "A.npy", "--b", place / "B.npy", "-o", directory / "C.npy",
            "--stats", directory / "stats.json")
    with job.step(f"{config}: area"):
        job.run(sys.executable, job.ROOT / "area.py", directory, *(["--liberty", library] if library else []))
    area = json.loads((directory / "area.json").read_text())
    stats = json.loads((directory / "stats.json").read_text())
    options = area["options"]
    error = numpy.load(directory / "C.npy") - exact
    return {
        "library": area["library"],
        "pe_um2": area["pe_um2"],
        "array_um2": area["array_um2"],
        "pe_flip_flops": area["pe"]["flip_flops"],
        "steering_share": area["pe"]["blocks"].get("steering", {"share": 0.0})["share"],
        "peak_macs_per_cycle": options["rows"] * options["cols"] * options["streams"],
        "macs_per_cycle": stats["macs_per_cycle"],
        "cycles": stats["cycles"],
        "rms_error": float(numpy.sqrt((error**2).mean() / (exact**2).mean())),
    }


def with_ratios(rows):
    """Each figure that a reader compares, over the baseline's."""
    base = rows[CONFIGS[0]]
    for row in rows.values():
        row["speed_up"] = base["cycles"] / row["cycles"]
        row["pe_ratio"] = row["pe_um2"] / base["pe_um2"]
        row["array_ratio"] = row["array_um2"] / base["array_um2"]
        row["per_pe_area"] = row["speed_up"] / row["pe_ratio"]
        row["per_array_area"] = row["speed_up"] / row["array_ratio"]
    return rows


COLUMNS = (
    ("PE um2", "pe_um2", ",.0f"), ("PE", "pe_ratio", ".2f"), ("array mm2", "array_um2", "mm2"), ("array", "array_ratio", ".2f"),
    ("steering", "steering_share", ".1%"), ("MACs/cycle", "macs_per_cycle", ".1f"), ("cycles", "cycles", ",d"),
    ("speed-up", "speed_up", ".2f"), ("per PE area", "per_pe_area", ".2f"), ("per array area", "per_array_area", ".2f"),
    ("rms error", "rms_error", ".2%"),
)


def cell(row, key, form):
    return f"{row[key] / 1e6:.2f}" if form == "mm2" else format(row[key], form)


def lines(report):
    """The table, a configuration a line; docs/readme.py makes the README's from the same columns."""
    heads = ["", *(head for head, _, _ in COLUMNS)]
    body = [[name, *(cell(row, key, form) for _, key, form in COLUMNS)] for name, row in report["configurations"].items()]
    widths = [max(len(line[i]) for line in [heads, *body]) for i in range(len(heads))]
    for line in [heads, *body]:
        yield "  ".join(text.ljust(width) if i == 0 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths)))
    yield ""
    yield f"{report['library']}; {report['gemm']}, Gaussian. PE, array, speed-up and the figures per area are relative to {CONFIGS[0]}."


def main():
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("--liberty", help="standard cells (default OSU 0.18 um)")
    arguments = parser.parse_args()
    place = arguments.build / "compare"
    place.mkdir(parents=True, exist_ok=True)
    exact = operands(place)
    rows = {config: measure(config, arguments.build, place, exact, arguments.liberty) for config in CONFIGS}
    report = {"library": rows[CONFIGS[0]]["library"], "gemm": f"{SIZE} x {SIZE} x {SIZE}", "configurations": with_ratios(rows)}
    job.save_json(arguments.build / "compare.json", report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("compare", main))
