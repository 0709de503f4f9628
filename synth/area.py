"""Area of an emitted array (`make area`): each distinct module is synthesised once and multiplied by its number of instances.

The element counts as it is after flattening. Its split comes from a second run that keeps its modules apart; the
difference of the two is shown as a block of its own, `across blocks`, so that the blocks add up to the total.
"""
import collections
import hashlib
import json
import pathlib
import sys

import job
import liberty
import structure
import targets
from job import LIBERTY, Failed, Usage

ACROSS = "across blocks"
ELEMENT = "element"
BUFFERS = "buffers"


def add_cell_arguments(parser):
    parser.add_argument("--liberty", type=pathlib.Path, default=LIBERTY, help="standard cells, gzipped or not (default OSU 0.18 um)")
    parser.add_argument("--clock-ps", type=int, help="delay that abc is to reach, in ps (default: none, the smallest area)")


def read_arguments():
    parser = job.Parser(prog="area", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote")
    add_cell_arguments(parser)
    parser.add_argument("--target", default="cells", help="cells (default), ice40, ecp5 or xilinx")
    parser.add_argument("--dsp", help="yes or no: multipliers in an FPGA's DSP blocks (default: as Yosys does for the target)")
    parser.add_argument("--element", action="store_true", help="the element only, printed and not kept")
    return parser.parse_args()


def load_library(path):
    try:
        return liberty.load(path)
    except liberty.LibertyError as error:
        hint = "./daa --cells fetches it, LIBERTY=F.lib takes another" if path == LIBERTY and not path.exists() else "LIBERTY must be a Liberty file, gzipped or not"
        raise Failed(f"{path}: {error}; {hint}") from None


def choose_cells(arguments):
    if arguments.clock_ps is not None and arguments.clock_ps < 1:
        raise Usage(f"CLOCK_PS is {arguments.clock_ps}; it must be 1 or more")
    return targets.Cells(load_library(arguments.liberty), arguments.clock_ps)


def choose_target(arguments):
    if arguments.dsp not in (None, "yes", "no"):
        raise Usage(f"DSP is '{arguments.dsp}'; it must be yes or no")
    if arguments.target == "cells":
        if arguments.dsp:
            raise Usage("DSP is for FPGAs; standard cells have no DSP blocks")
        return choose_cells(arguments)
    if arguments.target not in targets.FPGA_CELLS:
        raise Usage(f"TARGET is '{arguments.target}'; it must be {', '.join(['cells', *targets.FPGA_CELLS])}")
    if arguments.clock_ps:
        raise Usage("CLOCK_PS is for standard cells; FPGA targets take none")
    return targets.Fpga(arguments.target, arguments.dsp)


def report_key(emitted, target, version):
    """A hash of all that decides the figures."""
    digest = hashlib.sha256(json.dumps([version, target.describe()]).encode())
    files = [emitted.directory / name for name in emitted.files]
    for file in files + [job.ROOT / name for name in ("area.py", "structure.py", "targets.py", "liberty.py", "ripple.v")]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def added(measures, items):
    """The sum of figures, each (figures, times)."""
    return {measure: sum(figures[measure] * times for figures, times in items) for measure in measures}


def by_block(measures, counted, figures):
    """Blocks from instances by (role, module): their count, and their figures summed."""
    blocks = {}
    for role in structure.in_order(dict.fromkeys(role for role, _ in counted)):
        items = [(figures[module], number) for (name, module), number in counted.items() if name == role]
        blocks[role] = {"count": sum(number for _, number in items), **added(measures, items)}
    return blocks


def across(measures, whole, blocks):
    """What flattening changes: the whole less the sum of its blocks."""
    split = added(measures, [(block, 1) for block in blocks.values()])
    return {"count": 1, **{measure: whole[measure] - split[measure] for measure in measures}}


def element_report(target, shape, yosys, whole):
    with job.step("the element's parts"):
        parts = shape.element_parts()
        figures = target.parts(yosys, shape.element, sorted({module for _, module in parts}))
    parts[structure.OWN_LOGIC, shape.element] = 1
    blocks = by_block(target.measures, parts, figures)
    # What a boundary keeps apart does not count among the blocks if there is nothing in it.
    blocks = {name: block for name, block in blocks.items() if any(block[measure] for measure in target.measures)}
    blocks[ACROSS] = across(target.measures, whole, blocks)
    return {**{measure: whole[measure] for measure in target.measures}, "blocks": blocks}


def array_report(target, shape, whole, element):
    """The whole array but its buffers: the units at its edges, and the element's blocks times the number of elements."""
    edges = {key: number for key, number in shape.units.items() if key[0] not in (ELEMENT, BUFFERS)}
    blocks = by_block(target.measures, edges, whole)
    for name, block in element["blocks"].items():
        blocks[name] = {measure: block[measure] * shape.elements for measure in ("count", *target.measures)}
    order = structure.in_order({name: None for name in blocks if name != ACROSS}) + [ACROSS]
    return {**added(target.measures, [(block, 1) for block in blocks.values()]), "blocks": {name: blocks[name] for name in order}}


def buffer_report(target, shape, whole):
    """The memories, which a design makes of macros or block RAMs: their bits, and what they take as the target has them."""
    memories = shape.memories()
    items = [(module, number) for (role, module), number in shape.units.items() if role == BUFFERS]
    shapes = [{"count": number, "words": memories[module][0], "bits": memories[module][1]} for module, number in items]
    return {"count": sum(number for _, number in items),
            "bits": sum(shape["count"] * shape["words"] * shape["bits"] for shape in shapes), "shapes": shapes,
            **added(target.measures, [(whole[module], number) for module, number in items])}


def with_shares(report, target):
    """Adds to every block its share of the first measure, and for cells the area in NAND2 gates."""
    first = target.measures[0]
    for figures in (report, *report["blocks"].values()):
        if target.name == "cells":
            figures["nand2"] = round(figures["um2"] / target.library.nand2.area)
        figures["share"] = figures[first] / report[first] if report[first] else 0.0
    return report


def rounded(value):
    """Sums of areas without the last digits that only their order decides."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def unit_report(shape, whole):
    """Every synthesised module, for those who ask where a figure comes from."""
    units = []
    for (role, module), number in sorted(shape.units.items()):
        figures = whole[module]
        units.append({"role": role, "module": structure.base_name(module), "count": number,
                      **{name: value for name, value in figures.items() if value is not None}})
    return units


def measure_array(emitted, target, yosys, key):
    with job.step(f"elaborating {emitted.top}, {emitted.options['rows']} x {emitted.options['cols']}"):
        shape = structure.Structure(emitted, yosys)
    units = shape.unit_modules()
    with job.step(f"synthesising {len(units)} modules, {target.title()}"):
        whole = target.whole(yosys, units)
    element = with_shares(element_report(target, shape, yosys, whole[shape.element]), target)
    total = with_shares(array_report(target, shape, whole, element), target)
    report = {"target": target.name, **target.describe(), "yosys": yosys.version, "key": key,
              "hash": emitted.hash, "options": emitted.options, "elements": shape.elements}
    if target.name == "cells":
        report.update(pe_um2=element["um2"], pe_split_um2=element["um2"] - element["blocks"][ACROSS]["um2"],
                      pe_delay_ps=whole[shape.element]["delay_ps"], array_um2=total["um2"])
    report.update({name: value for name, value in total.items() if name not in ("um2", "share", "blocks")})
    report.update(blocks=total["blocks"], buffers=buffer_report(target, shape, whole), pe=element, units=unit_report(shape, whole))
    return rounded(report)


CELL_COLUMNS = ("um2", "nand2", "flip_flops")
HEADS = {"um2": "um2", "nand2": "NAND2", "luts": "LUTs", "flip_flops": "flip-flops", "dsps": "DSPs", "brams": "RAMs",
         "carries": "carries"}


def table(title, figures, columns, total):
    yield title
    yield f"{'':22}{'count':>10}" + "".join(f"{HEADS[name]:>13}" for name in columns) + f"{'share':>9}"
    for name, block in figures["blocks"].items():
        yield (f"{name:22}{block['count']:>10,}" + "".join(f"{block[column]:>13,.0f}" for column in columns)
               + f"{block['share']:>9.1%}")
    yield f"{total:22}{'':10}" + "".join(f"{figures[name]:>13,.0f}" for name in columns) + f"{1:>9.1%}"


def lines(report):
    cells = report["target"] == "cells"
    columns = CELL_COLUMNS if cells else targets.Fpga.measures
    library = report["library"] if cells else f"{report['library']}, {report['command']}"
    options = report["options"]
    yield from table(f"one element, {library}", report["pe"], columns, ELEMENT)
    yield ""
    whole = {**report, "um2": report.get("array_um2")}
    yield from table(f"array {options['rows']} x {options['cols']}", whole, columns, "array")
    yield ""
    buffers = report["buffers"]
    shapes = ", ".join(f"{shape['count']} of {shape['words']} x {shape['bits']}" for shape in buffers["shapes"])
    size = f"{buffers['um2']:,.0f} um2 as flip-flops" if cells else ", ".join(
        f"{buffers[name]:,} {HEADS[name]}" for name in columns if buffers[name])
    yield f"Not in it: {buffers['count']} buffers, {buffers['bits']:,} bits ({shapes}); {size}."
    yield f"{ACROSS}: what optimising the element as one piece changes; its blocks are synthesised apart."
    if cells:
        yield from cell_notes(report)


def cell_notes(report):
    yield (f"NAND2: {report['nand2_cell']}, {report['nand2_um2']:g} um2. Cells only: no wires, no clock tree, no placement. "
           "A flip-flop's enable is a multiplexer of gates.")
    delay, clock = report["pe_delay_ps"], report["clock_ps"]
    if delay is None:
        return
    asked = "no clock target" if clock is None else f"target {clock} ps, {'met' if delay <= clock else 'missed'}"
    yield f"Longest path of the element by abc: {delay:,.0f} ps ({asked}), without flip-flops and wires."


def up_to_date(path, key):
    try:
        report = json.loads(path.read_text())
        return report if report["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def measure_element(emitted, target, yosys):
    """The element alone, quickly."""
    shape = structure.Structure(emitted, yosys)
    whole = target.whole(yosys, [shape.element])[shape.element]
    element = with_shares(element_report(target, shape, yosys, whole), target)
    columns = CELL_COLUMNS if target.name == "cells" else target.measures
    print("\n".join(table(f"one element, {target.title()}", element, columns, ELEMENT)))
    if whole.get("delay_ps"):
        print(f"longest path {whole['delay_ps']:,.0f} ps")


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    target = choose_target(arguments)
    path = emitted.directory / ("area.json" if target.name == "cells" else f"area-{target.name}.json")
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        if arguments.element:
            measure_element(emitted, target, yosys)
            return
        key = report_key(emitted, target, yosys.version)
        report = up_to_date(path, key)
        if report is None:
            report = measure_array(emitted, target, yosys, key)
            job.save_json(path, report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("area", run))
