"""`make compare`: conventional, paper, the winners and their rivals side by side; leaves docs/results/compare.json.

Area, clock and energy are of one element, mapped for speed (`make timing`) and for area (`make energy`) on standard cells; cycles
are of the Verilated array; dB of the results on real operands of training against exact ones.
"""
import argparse
import json
import pathlib
import sys

import row
from configurations import COMPARED

sys.path.insert(0, str(row.TOP / "common"))
from command import Parser, main, run, save_json, step  # noqa: E402

BASE = "conventional"
GEMMS = ("forward", "input_grad", "weight_grad")
KEPT = ("um2", "clock_ns", "macs_per_cycle", "pj_per_mac", "um2_small", "pj_per_mac_small", "db")


def file_name(name):
    return "-".join(name.replace(":", " ").replace(",", " ").split())


def measure(build, library):
    rows = {}
    for name, words in COMPARED.items():
        path = build / "compare" / f"{file_name(name)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with step(name.strip()):
            run(sys.executable, row.TOP / "compare/row.py", file_name(name), path, *words, "--build", build,
                *(["--liberty", library] if library else []))
        rows[name] = json.loads(path.read_text())
    return rows


def kept(one):
    """What compare.json keeps of a row, and the conditions that decide whether two rows may be compared."""
    return {**{figure: one[figure] for figure in KEPT}, "clock_gating": one["options"]["clock-gating"], "edges_of": one["options"]["rows"]}


def unlike(one, base):
    """In what ONE was measured otherwise than BASE, in words."""
    told = [f"{'with' if one['clock_gating'] == 'on' else 'without'} clock gates"] if one["clock_gating"] != base["clock_gating"] else []
    return told + ([f"edges of {one['edges_of']} x {one['edges_of']}"] if one["edges_of"] != base["edges_of"] else [])


def rate(figures):
    """GMAC/s an mm2 of elements."""
    return figures["macs_per_cycle"] / figures["clock_ns"] / figures["um2"] * 1e6


# Head, figure, form; a second form is for the ratio to the conventional element.
COLUMNS = (
    ("um2", lambda row: row["um2"], ",.0f"),
    ("clock ns", lambda row: row["clock_ns"], ".2f"),
    ("MACs/cycle", lambda row: row["macs_per_cycle"], ".2f"),
    ("GMAC/s/mm2", rate, ".2f"),
    ("pJ/MAC", lambda row: row["pj_per_mac"]["all"], ".1f"),
    ("forward", lambda row: row["pj_per_mac"]["forward"], ".1f"),
    ("input grad", lambda row: row["pj_per_mac"]["input_grad"], ".1f"),
    ("weight grad", lambda row: row["pj_per_mac"]["weight_grad"], ".1f"),
    ("small, um2", lambda row: row["um2_small"], ",.0f"),
    ("small, pJ", lambda row: row["pj_per_mac_small"]["all"], ".1f"),
    ("dB forward", lambda row: row["db"]["forward"], ".1f"),
    ("input grad", lambda row: row["db"]["input_grad"], ".1f"),
    ("weight grad", lambda row: row["db"]["weight_grad"], ".1f"),
)
RATIOS = (("area", lambda row: row["um2"]), ("clock", lambda row: 1 / row["clock_ns"]), ("MACs/s/mm2", rate),
          ("energy", lambda row: row["pj_per_mac"]["all"]), ("small energy", lambda row: row["pj_per_mac_small"]["all"]))


def table(rows):
    """Heads and bodies; docs/readme.py makes a document's table of them."""
    base = rows[BASE]
    heads = [head for head, _, _ in COLUMNS] + [f"{head}, ratio" for head, _ in RATIOS]
    bodies = {name: [format(figure(one), form) for _, figure, form in COLUMNS] +
                    [f"{figure(one) / figure(base):.2f}" for _, figure in RATIOS] for name, one in rows.items()}
    return heads, bodies


def lines(report):
    heads, bodies = table(report["configurations"])
    heads = ["", *heads]
    body = [[name, *cells] for name, cells in bodies.items()]
    widths = [max(len(line[i]) for line in [heads, *body]) for i in range(len(heads))]
    for line in [heads, *body]:
        yield "  ".join(text.ljust(width) if i == 0 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths)))
    yield ""
    yield f"One element, {report['library']}; {report['says']}"


SAYS = ("um2 and pJ at the highest clock, flip-flops included, no wires but a stated load for energy; `small` of the fewest cells, "
        "whatever their clock; pJ with glitches and the element's share of the edges of 16 x 16, weighted by the MACs of each GEMM; dB on bf16 operands, median over layers. Ratios are to the conventional element: one stream of bf16, rounded to fp32 at every step.")


def job():
    parser = Parser(prog="compare", description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=row.TOP / "build")
    parser.add_argument("--liberty", help="standard cells (default OSU 0.18 um)")
    parser.add_argument("--output", type=pathlib.Path, default=row.TOP / "docs/results/compare.json")
    arguments = parser.parse_args()
    rows = measure(arguments.build.resolve(), arguments.liberty)
    report = {"library": rows[BASE]["library"], "says": SAYS,
              "configurations": {name: kept(one) for name, one in rows.items()}}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_json(arguments.output, report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(main("compare", job))
