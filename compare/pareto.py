"""The sweep's rows as docs/results/pareto.csv and its figure: energy and area of a MAC against the noise of the arithmetic.

`pareto.py ROW.json... -o DIRECTORY`, or `pareto.py PARETO.csv -o DIRECTORY`: the figure of such a table. A point is on the frontier where no other of at least its dB (the least of the three kinds
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


def overlap(one, other):
    """Area of what two boxes (left, bottom, right, top) share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


# Where a label may stand, seen from its point: near it, then farther off; right below first.
SPOTS = [(right * far, up * far) for far in (1, 2, 3) for right, up in ((1, -1), (1, 1), (-1, -1), (-1, 1), (1, 0), (-1, 0), (0, 1), (0, -1))]
GAP = 5  # typographic points, as all that follows: from a point to its label, and half a mark


def spread(points, sizes, taken, inside):
    """A box for each of POINTS, of SIZES (width, height), near it: not on one that is TAKEN nor on one another, and INSIDE, where there is room."""
    taken, boxes = list(taken), []
    for (x, y), (width, height) in zip(points, sizes):
        def at(right, up):
            left = x + GAP * right - (width if right < 0 else width / 2 if not right else 0)
            bottom = y + GAP * up - (height if up < 0 else height / 2 if not up else 0)
            return left, bottom, left + width, bottom + height

        def cost(box):
            return sum(overlap(box, other) for other in taken) + width * height - overlap(box, inside)

        boxes.append(min((at(*spot) for spot in SPOTS), key=cost))  # the first of equal ones
        taken.append(boxes[-1])
    return boxes


def write_labels(axis, labels, marks, legend):
    """LABELS, (x, y, text, colour), so that none lies on another, on one of MARKS or on the LEGEND."""
    def box(artist):
        extent = artist.get_window_extent()
        return extent.x0, extent.y0, extent.x1, extent.y1

    written = [axis.annotate(text, (x, y), fontsize=7, xytext=(0, 0), textcoords="offset points", color=colour) for x, y, text, colour in labels]
    places = axis.transData.transform([(x, y) for x, y, *_ in labels])
    taken = [(x - GAP, y - GAP, x + GAP, y + GAP) for x, y in axis.transData.transform(marks)] + ([box(legend)] if legend else [])
    sizes = [(right - left, top - bottom) for left, bottom, right, top in map(box, written)]
    for note, (x, y), (left, bottom, _, _) in zip(written, places, spread(places, sizes, taken, box(axis))):
        note.set_position((left - x, bottom - y))


def draw_panel(axis, points, cost, title):
    """One half of the figure; what is to be labelled in it, and its marks."""
    best = frontier(points, cost)
    labels, marks = [], []
    for point in points:
        _, mark = kind(point)
        on = point["name"] in best
        db = min(least_db(point), TOP_DB)
        axis.plot(point[cost], db, mark, color=COLOURS[point["streams"]], markersize=8 if on else 5,
                  markerfacecolor=COLOURS[point["streams"]] if on else "none")
        marks.append((point[cost], db))
        if on or len(points) < 20:
            name = point["name"] + (f", {least_db(point):.0f} dB" if db == TOP_DB else "")
            labels.append((point[cost], db, name, "#000000" if on else "#888888"))
    line = sorted((point[cost], min(least_db(point), TOP_DB)) for point in points if point["name"] in best)
    axis.plot(*zip(*line), color="#bbbbbb", linewidth=1, zorder=0)
    axis.set_xlabel(title)
    axis.grid(alpha=0.3)
    axis.margins(x=0.15, y=0.1)
    return labels, marks


def figure(points, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "daa"
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    picture, axes = pyplot.subplots(1, 2, figsize=(11, 4.5), dpi=72, sharey=True, layout="constrained")  # a pixel is a point
    panels = [draw_panel(axis, points, *what) for axis, what in zip(axes, (
        ("pj_all", "energy of a MAC, pJ"), ("um2_per_mac", "area of an element a MAC and cycle, um2")))]
    axes[0].set_ylabel("signal to noise, dB (the least of the three GEMMs)")
    handles = [Line2D([], [], color=colour, marker="o", linestyle="", label=f"{streams} stream{'s' if streams > 1 else ''}")
               for streams, colour in COLOURS.items() if any(point["streams"] == streams for point in points)]
    handles += [Line2D([], [], color="#333333", marker=mark, linestyle="", markerfacecolor="none", label=text)
                for text, mark in sorted({kind(point) for point in points})]
    handles.append(Line2D([], [], color="#333333", marker="o", linestyle="", label="filled: on the frontier"))
    legend = axes[0].legend(handles=handles, fontsize=8, loc="lower right")
    picture.draw_without_rendering()
    picture.set_layout_engine("none")  # what is measured now stays
    for axis, panel in zip(axes, panels):
        write_labels(axis, *panel, legend if axis is axes[0] else None)
    with written_beside(path) as beside:
        picture.savefig(beside, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(picture)


def read_table(path):
    """The points of a pareto.csv."""
    words = ("name", "accumulator", "policy")
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        points = [{name: row[name] if name in words else float(row[name]) if "." in row[name] else int(row[name]) for name in COLUMNS} for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Failed(f"{path} cannot be read ({error}); it must be a table that pareto.py wrote") from None
    if not points:
        raise Failed(f"{path} has no rows; there is nothing to draw")
    return points


def job():
    parser = Parser(prog="pareto", description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="+", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if arguments.rows[0].suffix == ".csv":
        figure(read_table(arguments.rows[0]), arguments.output / "pareto.svg")
        return
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
