"""Area and clock of an emitted core, its array and memories apart (`make parts`); with --energy also what a job's control and data take.

Each part is mapped by itself, by one recipe of `make timing`, and so is what the core's own module has between them. OpenSTA times the parts
put together, so that paths from part to part are real ones. The array and the memories are black boxes: paths end and begin at their pins,
and the memories' bits are listed.
"""
import collections
import json
import pathlib
import sys

import area
import job
import opensta
import replay
import targets
from job import Failed, Usage

RECIPE = "delay, look-ahead, 4 sinks"
OWN = "between parts"
PERIOD = 1.0  # ns, of the timing runs
WIRE = 6.0  # fF a pin
MARK = "next-report"  # between those of OpenSTA
# Of a path: where it begins or ends, as OpenSTA's words for it.
REGISTERS = "-from [all_registers -clock_pins] -to [all_registers -data_pins]"
BOXES = {"out of a memory": "-from [get_ports memory*]", "into a memory": "-to [get_ports memory*]",
         "out of the array": "-from [get_ports array*]", "into the array": "-to [get_ports array*]",
         "from the bus": "-from [get_ports {m_axi* s_axil*}]", "to the bus": "-to [get_ports {m_axi* s_axil*}]"}
METHOD = (f"Method: Yosys and abc map each part by the recipe '{RECIPE}'; OpenSTA times them together, without wires and with {WIRE:g} fF a pin. "
          "Limits: no placement, one corner, an ideal clock; a path of a memory, the array or the bus is the core's share of it.")


def read_arguments():
    parser = job.Parser(prog="parts", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote with --core on")
    parser.add_argument("--part", help="this part alone, printed and not kept (default all)")
    parser.add_argument("--energy", action="store_true", help="and the energy of all but elements and memories, a multiply-accumulate")
    parser.add_argument("--build", type=pathlib.Path, default=job.ROOT.parent / "build", help="where gatesim is")
    area.add_cell_arguments(parser)
    arguments = parser.parse_args()
    if arguments.part and arguments.energy:
        raise Usage("PART and ENERGY do not go together; energy is that of all parts")
    return arguments


def memory_bits(emitted):
    """Bits of the buffers that docs/core.md lists."""
    options, derived = emitted.options, emitted.manifest["derived"]
    m, n, k = (options[f"block-{name}"] for name in "mnk")
    width = max(derived[name] for name in ("acc_width", "out_width", "state_bits"))
    return {"A": 2 * m * k * derived["a_width"], "B": 2 * n * k * derived["b_width"], "sums": 2 * m * n * width}


# A black box of a netlist whose pins became ports: its place, its module's name, and by port the pin.
Box = collections.namedtuple("Box", "place kind ports")


def opened(module, kinds):
    """MODULE (Yosys's JSON) with the pins of its cells of KINDS (name by type) as ports of its own: what they give is an input."""
    boxes, numbers = [], collections.Counter()
    for place, cell in list(module["cells"].items()):
        if cell["type"] not in kinds:
            continue
        kind = kinds[cell["type"]]
        box = Box(place, kind, {})
        name = f"{'memory' if kind == 'ram' else kind}{numbers[kind]}"
        numbers[kind] += 1
        for pin, bits in cell["connections"].items():
            if pin != "clk_i":
                box.ports[f"{name}_{pin}"] = pin
                module["ports"][f"{name}_{pin}"] = {"direction": "input" if cell["port_directions"][pin] == "output" else "output", "bits": bits}
        del module["cells"][place]
        boxes.append(box)
    return boxes


class Core:
    """The core, elaborated; `parts` maps each module to map to how often it stands in it."""

    def __init__(self, emitted, target, yosys):
        self.emitted, self.target, self.yosys = emitted, target, yosys
        self.sta = opensta.Sta(emitted.directory, yosys.work)
        self.recipe, = (recipe for recipe in targets.SPEED_RECIPES if recipe.name == RECIPE)
        self.top = f"{emitted.prefix}_core"
        yosys.run([*(f"read_verilog {name}" for name in emitted.files), f"hierarchy -check -top {self.top}", yosys.stat("core.json"),
                   "proc", f"write_rtlil {yosys.place('units.il')}", f"json -o {yosys.place('wiring.json')} {self.top}"])
        modules = yosys.modules("core.json")
        wiring = json.loads((yosys.work / "wiring.json").read_text())["modules"][self.top]
        self.instances = {place: cell["type"] for place, cell in wiring["cells"].items() if cell["type"] in modules}
        self.array, = (kind for kind in self.instances.values() if self.name(kind) == "array")
        self.memories = [name for name in modules if self.name(name) == "ram"]
        self.parts = collections.Counter(kind for kind in self.instances.values() if kind != self.array)
        self.parts[self.top] = 1
        self.files = {part: f"part{number}.il" for number, part in enumerate(self.parts)}

    def name(self, module):
        return OWN if module == self.top else job.base_name(module).removeprefix(self.emitted.prefix + "_")

    def part_of(self, cell):
        """The part that a cell of the whole netlist is of."""
        return self.name(self.instances.get(cell.partition(".")[0], self.top))

    def map(self, part):
        """Area and flip-flops of a part, which is left mapped in a file of its own."""
        boxes = [self.array, *(name for name in self.parts if name != part)] if part == self.top else self.memories
        place = self.yosys.place
        source = [*self.target.source(self.yosys), *(f"setattr -mod -set blackbox 1 {name}" for name in boxes), f"hierarchy -top {part}", "flatten"]
        figures = self.target.attempt(self.yosys, source, [part, *boxes], self.recipe, "mapped.il")[part]
        self.yosys.run([f"read_rtlil {place('mapped.il')}", *job.keep_only([part]), "rename -enumerate -pattern _%_",
                        f"write_rtlil {place(self.files[part])}"])
        return {"part": self.name(part), "count": self.parts[part], "um2": figures["um2"], "flip_flops": figures["flip_flops"],
                "cells": sum(figures["cells"].values())}

    def assemble(self, top, parts):
        """The mapped PARTS as one flat module TOP, its boxes' pins as ports; and the boxes."""
        place, kinds = self.yosys.place, {name: self.name(name) for name in (*self.memories, self.array)}
        self.yosys.run([f"read_rtlil {place('units.il')}", *job.keep_only(kinds), *(f"setattr -mod -set blackbox 1 {name}" for name in kinds),
                        *(f"read_rtlil {place(self.files[part])}" for part in parts), f"read_liberty -lib -ignore_miss_func {place('cells.lib')}",
                        f"hierarchy -top {top}", "flatten", "splitnets", "opt_clean -purge", f"json -o {place('flat.json')} {top}"])
        module = json.loads((self.yosys.work / "flat.json").read_text())["modules"][top]
        boxes = opened(module, kinds)
        (self.yosys.work / "opened.json").write_text(json.dumps({"modules": {"opened": module}}))
        self.yosys.run([f"read_json {place('opened.json')}", f"read_liberty -lib -ignore_miss_func {place('cells.lib')}",
                        f"write_verilog -noattr -noexpr {place('opened.v')}"])
        return module, boxes

    def time(self, whole, wire=0):
        """ns that the worst paths between flip-flops need, by the part that they end in, and those of the boxes if it is the WHOLE core."""
        place = self.yosys.place
        setup = [f"read_liberty {place('cells.lib')}", f"read_verilog {place('opened.v')}", "link_design opened",
                 f"create_clock -name clk -period {PERIOD} [get_ports clk_i]", "set_input_delay 0 -clock clk [all_inputs]",
                 "set_output_delay 0 -clock clk [all_outputs]", *(opensta.wire_load(wire) if wire else [])]
        reports = {REGISTERS: 1000000, **(dict.fromkeys(BOXES.values(), 1) if whole else {})}
        asked = [f"puts {MARK}\nreport_checks -path_delay max -format summary -digits 4 -group_count {count} {ends}" for ends, count in reports.items()]
        registers, *others = [opensta.summary(said) for said in self.sta.run([*setup, *asked]).split(MARK)[1:]]
        parts = {}
        for end in registers:  # the worst first
            parts.setdefault(self.part_of(end.end) if whole else None, PERIOD - end.slack)
        return {"parts": parts, "boxes": {name: PERIOD - ends[0].slack for name, ends in zip(BOXES, others) if ends}}


def measure(emitted, target, yosys, only=None, simulator=None):
    """The report; of the part ONLY, or with the energies that SIMULATOR finds."""
    with job.step(f"elaborating {emitted.prefix}_core"):
        core = Core(emitted, target, yosys)
    names = list(dict.fromkeys(core.name(part) for part in core.parts if part != core.top))
    if only and only not in names:
        raise Usage(f"PART is '{only}'; it must be {', '.join(sorted(names))}")
    found = {}
    for part in (part for part in core.parts if only in (None, core.name(part))):
        with job.step(f"{core.name(part)}, {len(found) + 1} of {len(core.parts) if not only else core.parts[part]}"):
            found[part] = core.map(part)
    times, energy = {}, None
    with job.step("the clock"):
        if only:
            for part, figures in found.items():
                core.assemble(part, [part])
                figures["period_ns"] = core.time(False)["parts"].get(None)
        else:
            module, boxes = core.assemble(core.top, core.parts)
            times = {name: core.time(True, wire) for name, wire in (("ns", 0), ("wired_ns", WIRE))}
            for figures in found.values():
                figures["period_ns"] = times["ns"]["parts"].get(figures["part"])
    if simulator:
        energy = simulator.measure(core, module, boxes)
    return area.rounded({**target.describe(), "yosys": yosys.version, "opensta": core.sta.version, "hash": emitted.hash, "options": emitted.options,
                         "recipe": RECIPE, "parts": list(found.values()), "memory_bits": memory_bits(emitted), "wire_ff": WIRE, "times": times,
                         "energy": energy})


def lines(report):
    yield f"{'part, ' + report['library']:34}{'times':>6}{'um2 each':>12}{'flip-flops':>12}{'clock ns':>10}"
    for found in sorted(report["parts"], key=lambda found: -found["um2"] * found["count"]):
        period = f"{found['period_ns']:.2f}" if found["period_ns"] is not None else "-"
        yield f"{found['part']:34}{found['count']:>6}{found['um2']:>12,.0f}{found['flip_flops']:>12,}{period:>10}"
    yield f"{'all':40}{sum(found['um2'] * found['count'] for found in report['parts']):>12,.0f}"
    bits = report["memory_bits"]
    yield f"Not in it: the array; memories of {sum(bits.values()):,} bits (" + ", ".join(f"{name} {number:,}" for name, number in bits.items()) + ")."
    if report["times"]:
        plain, wired = report["times"]["ns"], report["times"]["wired_ns"]
        yield ""
        yield f"{'longest paths':40}{'ns':>12}{format(report['wire_ff'], 'g') + ' fF a pin':>12}"
        yield f"{'  between flip-flops':40}{max(plain['parts'].values()):>12.2f}{max(wired['parts'].values()):>12.2f}"
        for name, ns in plain["boxes"].items():
            yield f"  {name:38}{ns:>12.2f}{wired['boxes'][name]:>12.2f}"
    if report["energy"]:
        yield ""
        yield from replay.lines(report["energy"])
    yield ""
    yield METHOD + (f" {replay.METHOD}" if report["energy"] else "")


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    if emitted.options.get("core") != "on":
        raise Usage(f"{arguments.directory} has no core; make it with build/daagen --core on -o {arguments.directory}")
    target = area.choose_cells(arguments)
    if not target.library.timed:
        raise Failed(f"library {target.library.name} has gates without delays; make parts needs them")
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        report = measure(emitted, target, yosys, arguments.part, replay.Replay(emitted, target, work, arguments.build) if arguments.energy else None)
        if not arguments.part:
            job.save_json(emitted.directory / "parts.json", report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("parts", run))
