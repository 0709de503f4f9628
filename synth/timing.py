"""Clock of an emitted array (`make timing`): the fastest that its cells and flip-flops allow, by OpenSTA, and the area at it.

The element and the units at the array's edges are mapped in several ways, from small and slow to large and fast. Each way is
timed as an array of two by two elements with everything around them, so that every path between registers is a real one.
"""
import hashlib
import json
import pathlib
import sys

import area
import blocks
import frame
import job
import opensta
import structure
import targets
from job import Failed, Usage

ROWS_COLS = (2, 2)
PERIOD = 1.0  # ns, of the timing runs; a path's own period is this less its slack
ELEMENT, EDGES, PORTS, GATES = "element", "edges", "ports", "clock gates"
SOURCES = ("timing.py", "opensta.py", "blocks.py", "structure.py", "targets.py", "liberty.py", "frame.py", "ripple.v", "prefix.v")
METHOD = ("Method: Yosys and abc map each way, OpenSTA times 2 x 2 elements with the units at their edges, flip-flops included. "
          "The whole array likewise, its nets between units buffered; of the elements and memories that repeat only the gates at their ports. "
          "Limits: cells without wires but the stated load a pin, one corner, an ideal clock.")
WIRE = 6.0  # fF a pin


def read_arguments():
    parser = job.Parser(prog="timing", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote")
    area.add_cell_arguments(parser)
    return parser.parse_args()


class Flow:
    """The small array of one emitted directory: mapped by a recipe, put together, timed."""

    def __init__(self, emitted, target, yosys):
        self.emitted, self.target, self.yosys = emitted, target, yosys
        self.sta = opensta.Sta(emitted.directory, yosys.work)
        self.shape = structure.Structure(emitted, yosys, ROWS_COLS)
        self.element = self.shape.element
        self.gate_cells = [target.library.clock_gate()[0]] if target.gated else []
        self.written = None

    def measure(self, recipe):
        """Figures of the element by one recipe, and its paths."""
        figures = self.map(recipe)[self.element]
        self.assemble()
        worst = self.time()
        # What gates a clock has half a period.
        period = max(worst[name].needs(PERIOD) for name in (ELEMENT, GATES) if name in worst)
        return {"recipe": recipe.name, "blocks": self.blocks(worst[ELEMENT]), "period_ns": period, "um2": figures["um2"],
                "flip_flops": figures["flip_flops"], "edges_ns": worst[EDGES].needs(PERIOD),
                "ports_ns": worst[PORTS].needs(PERIOD), "worst": worst}

    def blocks(self, path):
        """The element's share of a path by block, and its ends by name."""
        place, work = self.yosys.place, self.yosys.work
        if self.written is None:
            self.yosys.run([f"read_rtlil {place('units.il')}", "flatten", *job.keep_only([self.element]),
                            "synth -run coarse:fine -noshare", "techmap", f"json -o {place('written.json')} {self.element}"])
            self.written = blocks.one_module(work / "written.json")
            self.instances = {name.removeprefix("."): role for name, (role, _) in self.shape.element_instances().items()}
        self.yosys.run([f"read_rtlil {place('mapped.il')}", f"json -o {place('mapped.json')} {self.element}"])
        found = blocks.Blocks(self.written, blocks.one_module(work / "mapped.json"), self.target.library, self.instances)
        steps = [(structure.within_element(point.pin), point.delay) for point in path.points]
        start, end = steps[0][0], steps[-1][0]
        # The last point is the register's input, at no delay without wires.
        return {"from": found.net_name(start), "to": found.net_name(end), "split": [*found.split(steps[:-1], end), ["setup", path.setup]]}

    def map(self, recipe):
        """The units mapped by a recipe, left in mapped.il; their figures."""
        place = self.yosys.place
        figures = self.target.attempt(self.yosys, [*self.target.source(self.yosys), "flatten"], self.shape.unit_modules(),
                                      recipe, "unnamed.il")
        self.yosys.run([f"read_rtlil {place('unnamed.il')}", "rename -enumerate -pattern _%_", f"write_rtlil {place('mapped.il')}"])
        return figures

    def assemble(self):
        """The small array as one flat netlist, small.v: a cell is named after the unit it came from, g_row[0].g_col[0].u_pe._N_."""
        place, top = self.yosys.place, self.emitted.top
        self.yosys.run([*self.shape.read(), self.shape.hierarchy, *job.keep_only([top, *self.shape.containers()]), "proc",
                        f"read_rtlil {place('mapped.il')}", f"read_liberty -lib -ignore_miss_func {place('cells.lib')}",
                        f"hierarchy -top {top}", "flatten", "splitnets", "opt_clean -purge",
                        f"write_verilog -noattr -noexpr {place('small.v')}"])

    def array(self, recipe):
        """The array at its own size: its longest paths without wires, and with WIRE fF a pin."""
        shape = structure.Structure(self.emitted, self.yosys)
        buffers, levels = frame.build(shape, self.target, self.yosys, recipe)
        found = {"buffers": buffers, "levels": levels, "wire_ff": WIRE, "paths": {}}
        for name, wire in ("ns", 0), ("wired_ns", WIRE):
            worst = self.time("frame.v", wire)
            found[name] = {kind: path.needs(PERIOD) for kind, path in worst.items()}
            found["paths"][name] = {kind: describe(path) for kind, path in worst.items()}
        return found

    def time(self, netlist="small.v", wire=0):
        """The worst path of each kind; WIRE: fF of wire for each pin that a net goes to."""
        place = self.yosys.place
        setup = [f"read_liberty {place('cells.lib')}", f"read_verilog {place(netlist)}", f"link_design {self.emitted.top}",
                 f"set period {PERIOD}", "set io_delay 0", "source daa.sdc"]
        if wire:
            setup += opensta.wire_load(wire)
        ends = opensta.summary(self.sta.run([*setup, "report_checks -path_delay max -format summary -digits 4 -group_count 1000000"]))
        worst = {}
        for end in ends:  # the worst first
            worst.setdefault(GATES if end.end_cell in self.gate_cells else kind(end), end)
        if len(worst) < 3 + self.target.gated:
            raise Failed(f"sta found only paths of {', '.join(sorted(worst)) or 'no kind'}")
        report = self.sta.run([*setup, *(f"report_checks -path_delay max -format full -digits 4 -from {end.source()} -to {end.target()}"
                                         for end in worst.values())])
        return dict(zip(worst, opensta.paths(report)))


def kind(path):
    """Of a path: does it end in an element, elsewhere in the array, or is one end outside?"""
    if path.from_port or path.to_port:
        return PORTS
    return ELEMENT if structure.in_element(path.end) else EDGES


def chosen(tries, clock_ps):
    """The smallest that meets the clock; without one, or if none meets it, the fastest."""
    met = [found for found in tries if clock_ps and found["period_ns"] * 1000 <= clock_ps]
    return min(met, key=lambda found: found["um2"]) if met else min(tries, key=lambda found: (found["period_ns"], found["um2"]))


def report_key(emitted, target, versions):
    """A hash of all that decides the figures."""
    digest = hashlib.sha256(json.dumps([versions, target.describe()]).encode())
    files = [emitted.directory / name for name in (*emitted.files, "daa.sdc")]
    for file in files + [job.ROOT / name for name in SOURCES]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def measure(emitted, target, yosys):
    with job.step(f"elaborating {emitted.top}, 2 x 2 elements"):
        flow = Flow(emitted, target, yosys)
    tries = []
    for recipe in targets.SPEED_RECIPES:
        with job.step(f"{recipe.name}"):
            tries.append(flow.measure(recipe))
    best = chosen(tries, target.clock_ps)
    worst = best["worst"]
    rows, columns = emitted.options["rows"], emitted.options["cols"]
    with job.step(f"the array, {rows} x {columns} elements, {best['recipe']}"):
        array = flow.array(next(recipe for recipe in targets.SPEED_RECIPES if recipe.name == best["recipe"]))
    report = {**target.describe(), "yosys": yosys.version, "opensta": flow.sta.version, "hash": emitted.hash,
              "options": emitted.options, **{name: value for name, value in best.items() if name != "worst"},
              "clock_mhz": 1000 / best["period_ns"],
              "macs_per_s_per_mm2": emitted.options["streams"] / best["period_ns"] / best["um2"] * 1e15,
              "paths": {name: describe(path) for name, path in worst.items()}, "array": array,
              "tries": [{name: value for name, value in found.items() if name != "worst"} for found in tries]}
    return area.rounded(report)


def describe(path):
    return {"from": path.start, "to": path.end, "ns": path.needs(PERIOD), "setup_ns": path.setup,
            "points": [{"pin": point.pin, "cell": point.cell, "ns": point.delay} for point in path.points]}


def lines(report):
    streams = report["options"]["streams"]
    yield f"{'one element, ' + report['library']:34}{'clock ns':>10}{'MHz':>8}{'um2':>10}{'flip-flops':>12}{'GMAC/s/mm2':>12}"
    for found in report["tries"]:
        rate = streams / found["period_ns"] / found["um2"] * 1e6
        mark = "*" if found["recipe"] == report["recipe"] else " "
        yield (f"{mark} {found['recipe']:32}{found['period_ns']:>10.2f}{1000 / found['period_ns']:>8.1f}{found['um2']:>10,.0f}"
               f"{found['flip_flops']:>12,}{rate:>12.2f}")
    asked = report["clock_ps"]
    if asked:
        met = report["period_ns"] * 1000 <= asked
        yield f"* {'the smallest at' if met else 'MISSED: the fastest, not'} {asked / 1000:g} ns"
    else:
        yield "* the fastest"
    yield ""
    yield f"{'longest paths of *':34}{'ns':>10}   from, to"
    for name, path in report["paths"].items():
        yield f"  {name:32}{path['ns']:>10.2f}   {path['from']}, {path['to']}"
    named = report["blocks"]
    yield f"  the element's, {named['from']} to {named['to']}: " + ", ".join(f"{name} {ns:.2f}" for name, ns in named["split"])
    yield ""
    array = report["array"]
    yield (f"{'the array, {rows} x {cols}'.format(**report['options']):34}{'ns':>10}{format(array['wire_ff'], 'g') + ' fF a pin':>12}   "
           f"{array['buffers']:,} buffers between units, {array['levels']} levels at most")
    for name, ns in array["ns"].items():
        path = array["paths"]["ns"][name]
        yield f"  {name:32}{ns:>10.2f}{array['wired_ns'][name]:>12.2f}   {path['from']}, {path['to']}"
    yield ""
    yield METHOD


def constraints(report):
    """What fits the clock found, beside daa.sdc."""
    period = max(report["period_ns"], report["edges_ns"])
    return f"# The clock that {report['library']} allows without wires: make timing.\nset period {period:.2f}\nsource daa.sdc\n"


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    target = area.choose_cells(arguments)
    if not target.library.timed:
        raise Failed(f"library {target.library.name} has gates without delays; timing needs them")
    path = emitted.directory / "timing.json"
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        key = report_key(emitted, target, [yosys.version, opensta.version()])
        report = area.up_to_date(path, key)
        if report is None:
            report = {"key": key, **measure(emitted, target, yosys)}
            with job.written_beside(emitted.directory / "timing.sdc") as beside:
                beside.write_text(constraints(report))
            job.save_json(path, report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("timing", run))
