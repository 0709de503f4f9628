"""The sweep's rows as docs/results/pareto.csv and its figure: energy and area of a MAC against the noise of the arithmetic.

`pareto.py ROW.json... -o DIRECTORY`. A point is on the frontier where no other of at least its dB (the least of the three kinds
of GEMM) costs less.
"""
import argparse
import csv
import io
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "common"))
from command import Failed, Parser, main, written_beside  # noqa: E402

GEMMS = ("forward", "input_grad", "weight_grad")
COLUMNS = ("name", "streams", "high", "low", "accumulator", "policy", "um2", "clock_ns", "macs_per_cycle", "um2_per_mac",
           *(f"pj_{gemm}" for gemm in (*GEMMS, "all")), *(f"db_{gemm}" for gemm in (*GEMMS, "all")), "frontier_energy",
           "frontier_area")


def record(row):
    options = row["options"]
    fraction = int(options["a-format"].partition("m")[2]) if options["a-format"].startswith("e8m") else 7
    high = fraction + 1
    return {
        "name": row["name"], "streams": int(options["streams"]), "high": high,
        "low": high if int(options["streams"]) == 1 else min(high, int(options["lo-bits"])),
        "accumulator": options["accumulator"], "policy": options["policy"], "um2": round(row["um2"]), "clock_ns": row["clock_ns"],
        "macs_per_cycle": round(row["macs_per_cycle"], 3), "um2_per_mac": round(row["um2"] / row["macs_per_cycle"]),
        **{f"pj_{gemm}": round(row["pj_per_mac"][gemm], 2) for gemm in (*GEMMS, "all")},
        **{f"db_{gemm}": round(row["db"][gemm], 2) for gemm in (*GEMMS, "all")},
    }


def least_db(point):
    return min(point[f"db_{gemm}"] for gemm in GEMMS)


def frontier(points, cost):
    """Names of those that no other beats."""
    return {point["name"] for point in points
            if not any(other is not point and other[cost] <= point[cost] and least_db(other) >= least_db(point)
                       and (other[cost], least_db(other)) != (point[cost], least_db(point)) for other in points)}


def table(points):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(points)
    return out.getvalue()


TOP_DB = 46  # what is above stands at the figure's upper edge, its dB written beside it
# Colour by streams, mark by kind.
COLOURS = {1: "#777777", 2: "#1f77b4", 4: "#d62728", 8: "#9467bd"}


def kind(point):
    if point["accumulator"] == "rounded":
        return "rounded accumulator", "s"
    if point["streams"] == 1 or point["low"] == point["high"]:
        return "products alike", "o"
    return "steered", "^"


def figure(points, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "daa"
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    picture, axes = pyplot.subplots(1, 2, figsize=(11, 4.5), sharey=True, layout="constrained")
    for axis, cost, label in (axes[0], "pj_all", "energy of a MAC, pJ"), (axes[1], "um2_per_mac", "area of an element a MAC and cycle, um2"):
        best = frontier(points, cost)
        for point in points:
            _, mark = kind(point)
            on = point["name"] in best
            db = min(least_db(point), TOP_DB)
            axis.plot(point[cost], db, mark, color=COLOURS[point["streams"]], markersize=8 if on else 5,
                      markerfacecolor=COLOURS[point["streams"]] if on else "none")
            name = point["name"] + (f", {least_db(point):.0f} dB" if db == TOP_DB else "")
            if on or len(points) < 20:
                axis.annotate(name, (point[cost], db), fontsize=7, xytext=(5, -9), textcoords="offset points",
                              color="#000000" if on else "#888888")
        line = sorted((point[cost], min(least_db(point), TOP_DB)) for point in points if point["name"] in best)
        axis.plot(*zip(*line), color="#bbbbbb", linewidth=1, zorder=0)
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
        axis.set_xlim(right=axis.get_xlim()[1] + 0.24 * (axis.get_xlim()[1] - axis.get_xlim()[0]))
    axes[0].set_ylabel("signal to noise, dB (the least of the three GEMMs)")
    handles = [Line2D([], [], color=colour, marker="o", linestyle="", label=f"{streams} stream{'s' if streams > 1 else ''}")
               for streams, colour in COLOURS.items() if any(point["streams"] == streams for point in points)]
    handles += [Line2D([], [], color="#333333", marker=mark, linestyle="", markerfacecolor="none", label=text)
                for text, mark in sorted({kind(point) for point in points})]
    handles.append(Line2D([], [], color="#333333", marker="o", linestyle="", label="filled: on the frontier"))
    axes[0].legend(handles=handles, fontsize=8, loc="lower right")
    with written_beside(path) as beside:
        picture.savefig(beside, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(picture)


def job():
    parser = Parser(prog="pareto", description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="+", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    rows = [json.loads(path.read_text()) for path in arguments.rows]
    points = sorted((record(row) for row in rows if least_finite(row)), key=lambda point: point["name"])
    if not points:
        raise Failed("no row has noise; there is nothing to draw")
    for cost, column in ("pj_all", "frontier_energy"), ("um2_per_mac", "frontier_area"):
        best = frontier(points, cost)
        for point in points:
            point[column] = int(point["name"] in best)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with written_beside(arguments.output / "pareto.csv") as beside:
        beside.write_text(table(points))
    figure(points, arguments.output / "pareto.svg")
    print(f"{len(points)} configurations: {arguments.output / 'pareto.csv'}, {arguments.output / 'pareto.svg'}")


def least_finite(row):
    return all(row["db"][gemm] < 1e3 for gemm in GEMMS)


if __name__ == "__main__":
    sys.exit(main("pareto", job))
