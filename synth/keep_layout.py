"""Keeps what `make layout` and `make energy WIRE=layout` found of an array: docs/results/layout.json, and its picture, docs/layout.png
(`make layout-results`). `make readme` makes the table in synth/README.md of it.
"""
import json
import pathlib
import sys

import job
from job import Failed

DOCS = job.ROOT.parent / "docs"
LAYOUT = ("library", "recipe", "um2", "flip_flops", "outline_um", "outline_um2", "wire_mm", "wire_pf", "wire_ff_per_sink", "clock_ns_without_wires",
          "clock_ns", "drc_errors", "lvs")


def read(path, made_by):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        raise Failed(f"{path} cannot be read; {made_by} makes it") from None


def run():
    parser = job.Parser(prog="keep-layout", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path)
    parser.add_argument("name", metavar="NAME", help="of the configuration")
    arguments = parser.parse_args()
    emitted = job.Emitted(arguments.directory)
    layout = read(emitted.directory / "layout/layout.json", "make layout")
    energy = read(emitted.directory / "energy.json", "make energy WIRE=layout")
    if not energy.get("routed") or {layout["hash"], energy["hash"]} != {emitted.hash} or energy["pe_um2"] != layout["um2"]:
        raise Failed(f"{emitted.directory / 'energy.json'} is not of the layout beside it; make energy WIRE=layout makes it")
    try:
        picture = (emitted.directory / "layout/element.png").read_bytes()
    except FileNotFoundError:
        raise Failed("make layout drew no picture; it needs pip's klayout") from None
    with job.written_beside(DOCS / "layout.png") as beside:
        beside.write_bytes(picture)
    job.save_json(DOCS / "results/layout.json", {
        "name": arguments.name, "options": emitted.options, **{name: layout[name] for name in LAYOUT},
        "pj_per_mac": energy["pj_per_mac"], "element_pj_per_mac": energy["element_pj_per_mac"]})


if __name__ == "__main__":
    sys.exit(job.main("keep-layout", run))
