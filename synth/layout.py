"""One element placed, routed, checked and written as GDS by the tools of Debian 12 (`make layout`), and its clock with the wires
of that layout. The netlist is the one that `make timing` chose. What OpenROAD or LibreLane need is written beside it, always.
"""
import contextlib
import json
import pathlib
import re
import shutil
import sys
import tempfile

import area
import job
import opensta
import structure
import targets
import wires
from job import Failed

NAME = "element"
TECHNOLOGY = pathlib.Path("/usr/share/qflow/tech/osu018")
LEF, SPICE = TECHNOLOGY / "osu018_stdcells.lef", TECHNOLOGY / "osu018_stdcells.sp"
SCRIPTS = pathlib.Path("/usr/lib/qflow/bin")
TOOLS = {"qflow": "qflow", "graywolf": "graywolf", "qrouter": "qrouter", "magic": "magic", "netgen-lvs": "netgen-lvs"}
WITHOUT = ("Debian 12 has the packages qflow, graywolf, qrouter, magic, netgen-lvs and qflow-tech-osu018, which place and route; "
           "elsewhere layout/config.json is for LibreLane, layout/config.mk for OpenROAD's flow scripts")
METHOD = ("Method: graywolf places, qrouter routes, magic checks the rules, netgen compares with the netlist; wires by the LEF's "
          "resistance and capacitance to ground over their routed lengths, timed by OpenSTA. Limits: the package has the cells' outlines "
          "only, so rules inside cells are not checked and the GDS refers to them; no coupling between wires, one corner, an ideal clock.")


def read_arguments():
    parser = job.Parser(prog="layout", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote, after make timing")
    area.add_cell_arguments(parser)
    return parser.parse_args()


class Unrouted(Failed):
    """The tools left a net open."""


def orders(cells):
    """The CELLS in some orders. What the tools make of them depends on it, and they were seen to leave a net open for one and none for another."""
    made = sorted(cells, key=lambda name: (-int(name[1:-1]), "") if re.fullmatch(r"_\d+_", name) else (1, name))
    half = len(made) // 2
    for order in made, made[::-1], made[half:] + made[:half]:
        yield {name: cells[name] for name in order}


class Netlist:
    """The mapped element with plain names, as qflow's tools want them: ports a_i_3, nets n17."""

    def __init__(self, module):
        self.ports, self.names, self.pins = {}, {}, {}
        for port, found in module["ports"].items():
            for index, bit in enumerate(found["bits"]):
                name = port if len(found["bits"]) == 1 else f"{port}_{index}"
                if bit in self.names or isinstance(bit, str):
                    raise Failed(f"port {name} of the element is another port or a constant; qflow's tools cannot place that")
                self.ports[name] = found["direction"]
                self.names[bit] = name
        self.cells = []
        for name, cell in module["cells"].items():
            self.cells.append((cell["type"], {pin: self.net(bits[0]) for pin, bits in cell["connections"].items() if bits}))
            for pin, net in self.cells[-1][1].items():
                self.pins.setdefault(net, []).append(f"{name}/{pin}")

    def net(self, bit):
        return {"0": "gnd", "1": "vdd"}.get(bit) or self.names.setdefault(bit, f"n{len(self.names)}")

    def blif(self):
        """Every input and output on a line of its own; a cell is a .gate."""
        yield f".model {NAME}"
        for direction in ("input", "output"):
            yield f".{direction}s " + " ".join(name for name, way in self.ports.items() if way == direction)
        for cell, pins in self.cells:
            yield f".gate {cell} " + " ".join(f"{pin}={net}" for pin, net in pins.items())
        yield ".end"


def map_element(emitted, target, yosys, recipe):
    """The element mapped by a recipe: its figures, and the module in Yosys's JSON."""
    shape = structure.Structure(emitted, yosys, (2, 2))
    place = yosys.place
    figures = target.attempt(yosys, [*target.source(yosys), "flatten"], shape.unit_modules(), recipe, "unnamed.il")
    yosys.run([f"read_rtlil {place('unnamed.il')}", *job.keep_only([shape.element]), "rename -enumerate -pattern _%_", "setattr -unset src", f"write_rtlil {place('element.il')}",
               f"rename {shape.element} {NAME}", f"write_json {place('element.json')}"])
    return figures[shape.element], json.loads((yosys.work / "element.json").read_text())["modules"][NAME]


class Qflow:
    """A project of qflow's in a place of its own: its scripts take no space or other special character in a path."""

    def __init__(self, place, netlist):
        self.place, self.netlist = place, netlist
        for name in ("source", "synthesis", "layout", "log"):
            (place / name).mkdir()
        (place / "source" / f"{NAME}.v").write_text(f"module {NAME}();\nendmodule\n")
        synthesis = place / "synthesis"
        (synthesis / f"{NAME}.blif").write_text("\n".join(netlist.blif()) + "\n")
        (synthesis / f"{NAME}_powerground").write_text('set vddnet="vdd"\nset gndnet="gnd"\n')
        power = ["-v", "vdd", "-g", "gnd"]
        for suffix, words in (("rtl.v", ["-c"]), ("rtlnopwr.v", ["-c", "-p"]), ("rtlbb.v", ["-c", "-p", "-b", "-n"])):
            self.write(synthesis / f"{NAME}.{suffix}", ["blif2Verilog", *words, *power, f"{NAME}.blif"])
        self.write(synthesis / f"{NAME}.spc", ["blif2BSpice", "-i", "-p", "vdd", "-g", "gnd", "-l", str(SPICE), f"{NAME}.blif"])

    def write(self, path, words):
        status, said, complaints = job.tool([str(SCRIPTS / words[0]), *words[1:]], path.parent, self.place)
        if status:
            raise Failed(f"{words[0]} failed: {last_line(said + complaints)}")
        path.write_text(said)

    def step(self, name, may_fail=False):
        """What one step of qflow prints."""
        words = ["qflow", "-T", "osu018", name, "-p", str(self.place), NAME]
        status, said, complaints = job.tool(words, self.place, self.place)
        if status and not may_fail:
            raise Failed(f"qflow {name} failed: {last_line(said + complaints)}")
        return said + complaints

    def read(self, name):
        try:
            return (self.place / name).read_text(errors="replace")
        except FileNotFoundError:
            raise Failed(f"qflow left no {name}") from None

    def make(self):
        """Places, routes and checks; what the checks found."""
        with job.step("placing (minutes)"):
            self.step("place")
            self.read(f"layout/{NAME}.def")
        with job.step("routing"):
            self.step("route")
            if "Final: No failed routes!" not in self.read("log/route.log"):
                raise Unrouted("qrouter could not route every net")
        with job.step("checking rules, comparing with the netlist, writing GDS"):
            self.step("migrate")
            self.repair()
            errors = re.search(r"drc = (\d+)", self.step("drc", may_fail=True))
            self.step("lvs", may_fail=True)
            if not errors:
                raise Failed("magic did not say how many rules are broken")
            if int(errors[1]):
                raise Failed(f"the layout breaks {errors[1]} rules")
            if "Circuits match uniquely." not in self.read("layout/comp.out"):
                raise Unrouted("the layout is not its netlist, by netgen")
            self.step("gdsii")
            (self.place / f"layout/{NAME}.gds").stat()
        return {"drc_errors": 0, "lvs": "match"}

    def repair(self):
        """What qrouter leaves: single pads below the least area of metal."""
        words = ["env", f"LEF={LEF}", str(SCRIPTS / "magic"), "-dnull", "-noconsole", str(job.ROOT / "min_area.tcl")]
        status, said, complaints = job.tool(words, self.place / "layout", self.place)
        if status:
            raise Failed(f"magic failed: {last_line(said + complaints)}")

    def verilog(self):
        """The netlist with the instances' names of the layout, without fill cells."""
        return "\n".join(line for line in self.read(f"synthesis/{NAME}.rtlnopwr.v").split("\n") if not line.startswith("FILL "))


def last_line(text):
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def clock(sta, place, wired, gate):
    """The shortest period of the element: between its registers, and from its inputs, which come from registers like its own. What
    ends in a GATE of the clock has half of it."""
    setup = [f"read_liberty {place('cells.lib')}", f"read_verilog {place(f'{NAME}.v')}", f"link_design {NAME}",
             "create_clock -name clk_i -period 1 [get_ports clk_i]", "set_input_delay 0 -clock clk_i [all_inputs]",
             *([f"read_spef {place(f'{NAME}.spef')}"] if wired else [])]
    ends = opensta.summary(sta.run([*setup, "report_checks -path_delay max -format summary -digits 4 -group_count 1000000"]))
    inside = next((end for end in ends if not end.from_port and not end.to_port and end.end_cell != gate), None)
    if inside is None:
        raise Failed("sta found no path between the element's registers")
    path, = opensta.paths(sta.run([*setup, f"report_checks -path_delay max -format full -digits 4 -from {inside.source()} -to {inside.target()}"]))
    start = path.points[0].delay  # of a register
    return max(1 - (end.slack - (start if end.from_port else 0)) * (2 if end.end_cell == gate else 1) for end in ends if not end.to_port)


def flow_inputs(emitted, place, period):
    """What OpenROAD's flow scripts and LibreLane read, of the element's Verilog."""
    design = f"{emitted.prefix}_pe"
    files = [name for name in emitted.files if not name.endswith("_array.v")]
    (place / "element.sdc").write_text(
        f"create_clock -name clk_i -period {period:.2f} [get_ports clk_i]\n"
        f"set others [list]\nforeach port [all_inputs] {{ if {{[get_property $port full_name] ne \"clk_i\"}} {{ lappend others $port }} }}\n"
        f"set_input_delay {period * 0.2:.2f} -clock clk_i $others\nset_output_delay {period * 0.2:.2f} -clock clk_i [all_outputs]\n")
    job.save_json(place / "config.json", {
        "DESIGN_NAME": design, "VERILOG_FILES": [f"dir::../{name}" for name in files], "CLOCK_PORT": "clk_i",
        "CLOCK_PERIOD": round(period, 2), "PNR_SDC_FILE": "dir::element.sdc", "SIGNOFF_SDC_FILE": "dir::element.sdc",
        "FP_CORE_UTIL": 50, "SYNTH_STRATEGY": "DELAY 1"})
    (place / "config.mk").write_text(
        f"export DESIGN_NAME = {design}\nexport PLATFORM ?= sky130hd\n"
        "HERE := $(dir $(lastword $(MAKEFILE_LIST)))\n"
        f"export VERILOG_FILES = {' '.join('$(HERE)../' + name for name in files)}\n"
        "export SDC_FILE = $(HERE)element.sdc\nexport CORE_UTILIZATION = 50\nexport PLACE_DENSITY = 0.6\n")


COLOURS = {"metal1": 0x9ECAE1, "metal2": 0x3182BD, "metal3": 0xE6550D, "metal4": 0x31A354, "metal5": 0x756BB1, "metal6": 0x636363}


def picture(routed, png):
    """The routed wires as a PNG by PyPI's klayout; False where that is not installed."""
    try:
        from klayout import db, lay
    except ImportError:
        return False
    options = db.LoadLayoutOptions()
    options.lefdef_config.lef_files = [str(LEF)]
    options.lefdef_config.read_lef_with_def = False
    options.lefdef_config.dbu = 0.01
    options.lefdef_config.macro_resolution_mode = 1
    view = lay.LayoutView()
    view.load_layout(str(routed), options, "")
    view.max_hier()
    for key, value in (("background-color", "#ffffff"), ("grid-visible", "false"), ("text-visible", "false"),
                       ("ghost-cells-visible", "false"), ("inst-label-visible", "false"), ("min-inst-label-size", "100000")):
        view.set_config(key, value)
    for layer in view.each_layer():
        colour = COLOURS.get(layer.source.split()[0].split(".")[0])
        layer.visible = colour is not None
        if colour is not None:
            layer.fill_color = layer.frame_color = colour
            layer.dither_pattern = 0
    view.zoom_fit()
    view.save_image(str(png), 1000, 720)
    return True


def lines(report):
    yield f"one element, {report['library']}, placed and routed: {report['recipe']}"
    yield f"  {'cells':28}{report['um2']:>12,.0f} um2"
    yield f"  {'outline':28}{report['outline_um2']:>12,.0f} um2, {report['outline_um'][0]:.0f} x {report['outline_um'][1]:.0f} um"
    yield f"  {'wires':28}{report['wire_mm']:>12,.1f} mm, {report['wire_pf']:.1f} pF, {report['wire_ff_per_sink']:.2f} fF a sink"
    yield f"  {'clock without wires':28}{report['clock_ns_without_wires']:>12.2f} ns"
    yield f"  {'clock with wires':28}{report['clock_ns']:>12.2f} ns"
    yield f"  {'rules broken':28}{report['drc_errors']:>12}"
    yield f"  {'against the netlist':28}{report['lvs']:>12}"
    yield ""
    yield METHOD


def read_choice(emitted, target):
    """The recipe that `make timing` chose, and its clock."""
    try:
        found = json.loads((emitted.directory / "timing.json").read_text())
        recipe = next(recipe for recipe in targets.SPEED_RECIPES if recipe.name == found["recipe"])
        fits = found["hash"] == emitted.hash and found["library_sha256"] == target.library.sha256 and found["clock_ps"] == target.clock_ps
        period = found["period_ns"]
    except (OSError, ValueError, KeyError, StopIteration):
        fits = False
    if not fits:
        raise Failed(f"{emitted.directory / 'timing.json'} is not of this array, library and clock; make timing writes it")
    return recipe, period


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    target = area.choose_cells(arguments)
    recipe, period = read_choice(emitted, target)
    place = emitted.directory / "layout"
    place.mkdir(exist_ok=True)
    flow_inputs(emitted, place, period)
    missing = [package for command, package in TOOLS.items() if not shutil.which(command)]
    if missing or not LEF.exists():
        raise Failed(f"there is no {missing[0] if missing else LEF.name}; {WITHOUT}")
    if target.library.name != "osu018_stdcells":
        raise Failed(f"only OSU 0.18 um has a technology for qflow here, not {target.library.name}; layout/config.json and config.mk are for others")
    with job.scratch(emitted.directory) as work, contextlib.ExitStack() as projects:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        with job.step(f"mapping the element: {recipe.name}"):
            figures, module = map_element(emitted, target, yosys, recipe)
        failure = None
        for cells in orders(module["cells"]):
            if failure:
                print(f"layout: {failure}; the cells again in another order", file=sys.stderr)
            qflow = Qflow(pathlib.Path(projects.enter_context(tempfile.TemporaryDirectory(prefix="daa-layout-"))), Netlist({**module, "cells": cells}))
            try:
                checks = qflow.make()
                break
            except Unrouted as error:
                failure = error
        else:
            raise Failed(f"{failure}, in any of three orders of the cells")
        with job.step("extracting wires, timing"):
            report = measure(emitted, target, qflow, recipe, figures, yosys)
        report.update(checks)
        for suffix in ("gds", "def"):
            shutil.copyfile(qflow.place / f"layout/{NAME}.{suffix}", work / f"{NAME}.{suffix}")
        drawn = picture(work / f"{NAME}.def", work / f"{NAME}.png")
        for name in (f"{NAME}.il", f"{NAME}.v", f"{NAME}.spef", "wires.json", f"{NAME}.gds", f"{NAME}.def", *([f"{NAME}.png"] if drawn else [])):
            (work / name).replace(place / name)
        job.save_json(place / "layout.json", report)
    print("\n".join(lines(report)))
    if not drawn:
        print("No picture: pip install klayout draws one.")


def measure(emitted, target, qflow, recipe, figures, yosys):
    """Wires and clock of the routed element; leaves its netlist, wires for OpenSTA, and fF by net in the scratch place."""
    work = yosys.work
    routed = qflow.read(f"layout/{NAME}.def")
    verilog = qflow.verilog()
    trees = wires.extract(LEF.read_text(), routed, qflow.read(f"layout/{NAME}.rc"))
    ports = {name: "I" if way == "input" else "O" for way, name in re.findall(r"^(input|output) (\S+);", verilog, re.M)}
    (work / f"{NAME}.v").write_text(verilog)
    (work / f"{NAME}.spef").write_text(wires.spef(NAME, trees, ports))
    totals = {name: sum(tree.loads.values()) for name, tree in trees.items()}
    job.save_json(work / "wires.json", {name: {"ff": round(total * 1000, 4), "pins": qflow.netlist.pins.get(name, [])} for name, total in totals.items()})
    sta = opensta.Sta(emitted.directory, work)
    periods = [clock(sta, yosys.place, wired, target.library.clock_gate()[0] if target.gated else None) for wired in (False, True)]
    unit = float(re.search(r"UNITS DISTANCE MICRONS (\d+)", routed)[1])
    left, bottom, right, top = (int(number) / unit for number in re.search(
        r"DIEAREA \( (\S+) (\S+) \) \( (\S+) (\S+) \)", routed).groups())
    sinks = sum(len(tree.pins) - 1 for tree in trees.values())
    return area.rounded({
        **target.describe(), "hash": emitted.hash, "options": emitted.options, "recipe": recipe.name, "opensta": sta.version,
        "um2": figures["um2"], "flip_flops": figures["flip_flops"], "outline_um": [right - left, top - bottom],
        "outline_um2": (right - left) * (top - bottom), "wire_mm": sum(sum(net.values()) for net in wires.lengths(routed).values()) / 1000,
        "wire_pf": sum(totals.values()), "wire_ff_per_sink": sum(totals.values()) * 1000 / sinks,
        "clock_ns_without_wires": periods[0], "clock_ns": periods[1]})


if __name__ == "__main__":
    sys.exit(job.main("layout", run))
