"""Area and clock of the parts of an emitted core (`make parts`), its array and memories apart.

Each part is mapped by one recipe of `make timing` and timed by OpenSTA between its flip-flops. The memories are all of one
module, which is a black box here: paths that begin or end in one are not timed, and its bits are listed.
"""
import pathlib
import sys

import area
import job
import opensta
import targets
from job import Usage

RECIPE = "delay, look-ahead, 8 sinks"
METHOD = (f"Method: Yosys and abc map each part by the recipe '{RECIPE}', OpenSTA times it between its flip-flops. Limits: cells "
          "without wires, one corner, an ideal clock; paths of memories and between parts are not timed.")


def read_arguments():
    parser = job.Parser(prog="parts", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote with --core on")
    parser.add_argument("--part", help="this part alone, printed and not kept (default all)")
    area.add_cell_arguments(parser)
    return parser.parse_args()


def memory_bits(emitted):
    """Bits of the buffers that docs/core.md lists."""
    options, derived = emitted.options, emitted.manifest["derived"]
    m, n, k = (options[f"block-{name}"] for name in "mnk")
    width = max(derived[name] for name in ("acc_width", "out_width", "state_bits"))
    return {"A": 2 * m * k * derived["a_width"], "B": 2 * n * k * derived["b_width"], "sums": 2 * m * n * width}


class Core:
    """The core, elaborated; `parts` maps each of its modules, but the array, to how often it stands in it."""

    def __init__(self, emitted, target, yosys):
        self.emitted, self.target, self.yosys = emitted, target, yosys
        self.sta = opensta.Sta(emitted.directory, yosys.work)
        self.recipe, = (recipe for recipe in targets.SPEED_RECIPES if recipe.name == RECIPE)
        top = f"{emitted.prefix}_core"
        yosys.run([*(f"read_verilog {name}" for name in emitted.files), f"hierarchy -check -top {top}", yosys.stat("core.json"),
                   "proc", f"write_rtlil {yosys.place('units.il')}"])
        modules = yosys.modules("core.json")
        inside = modules[top]["num_cells_by_type"]
        self.parts = {name: inside[name] for name in inside
                      if name in modules and job.base_name(name) != f"{emitted.prefix}_array"}
        self.memories = [name for name in modules if job.base_name(name) == f"{emitted.prefix}_ram"]

    def name(self, part):
        return job.base_name(part).removeprefix(self.emitted.prefix + "_")

    def measure(self, part):
        """Area, flip-flops and shortest period of a part."""
        boxes = [f"setattr -mod -set blackbox 1 {name}" for name in self.memories]
        source = [*self.target.source(self.yosys), *boxes, f"hierarchy -top {part}", "flatten"]
        figures = self.target.attempt(self.yosys, source, [part, *self.memories], self.recipe, "mapped.il")[part]
        place = self.yosys.place
        self.yosys.run([f"read_rtlil {place('mapped.il')}", f"rename {part} part", "splitnets", "opt_clean -purge",
                        f"write_verilog -noattr -noexpr {place('part.v')}"])
        said = self.sta.run([f"read_liberty {place('cells.lib')}", f"read_verilog {place('part.v')}", "link_design part",
                             "create_clock -name clk -period 1 [get_ports clk_i]",
                             "report_checks -path_delay max -format full -digits 4 -from [all_registers -clock_pins] "
                             "-to [all_registers -data_pins]"])
        worst = next(opensta.paths(said), None)
        return {"part": self.name(part), "count": self.parts[part], "um2": figures["um2"], "flip_flops": figures["flip_flops"],
                "period_ns": worst.needs(1.0) if worst else None}


def measure(emitted, target, yosys, only=None):
    with job.step(f"elaborating {emitted.prefix}_core"):
        core = Core(emitted, target, yosys)
    names = list(dict.fromkeys(core.name(part) for part in core.parts))
    if only and only not in names:
        raise Usage(f"PART is '{only}'; it must be {', '.join(sorted(names))}")
    found = []
    for part in (part for part in core.parts if only in (None, core.name(part))):
        with job.step(core.name(part)):
            found.append(core.measure(part))
    return {**target.describe(), "yosys": yosys.version, "opensta": core.sta.version, "hash": emitted.hash,
            "options": emitted.options, "recipe": RECIPE, "parts": found, "memory_bits": memory_bits(emitted)}


def lines(report):
    yield f"{'part, ' + report['library']:34}{'times':>6}{'um2 each':>12}{'flip-flops':>12}{'clock ns':>10}"
    for found in sorted(report["parts"], key=lambda found: -found["um2"] * found["count"]):
        period = f"{found['period_ns']:.2f}" if found["period_ns"] is not None else "-"
        yield f"{found['part']:34}{found['count']:>6}{found['um2']:>12,.0f}{found['flip_flops']:>12,}{period:>10}"
    yield f"{'all':40}{sum(found['um2'] * found['count'] for found in report['parts']):>12,.0f}"
    bits = report["memory_bits"]
    yield f"Not in it: the array; memories of {sum(bits.values()):,} bits (" + ", ".join(f"{name} {number:,}" for name, number in bits.items()) + ")."
    yield ""
    yield METHOD


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    if emitted.options.get("core") != "on":
        raise Usage(f"{arguments.directory} has no core; make it with build/daagen --core on -o {arguments.directory}")
    target = area.choose_cells(arguments)
    if not target.library.timed:
        raise job.Failed(f"library {target.library.name} has gates without delays; make parts needs them")
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        report = measure(emitted, target, yosys, arguments.part)
        if not arguments.part:
            job.save_json(emitted.directory / "parts.json", report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("parts", run))
