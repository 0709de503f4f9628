"""The mapped netlist of an emitted array (`make netlist`): DIR/netlist.v, flattened, with the array's ports and no parameters.

It is made of the very modules that the area report counts, so its cells are those of the report but for what nothing reads
(the last column's operands to the right, the last row's below).
"""
import pathlib
import sys

import area
import job
import structure


def read_arguments():
    parser = job.Parser(prog="netlist", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote")
    area.add_cell_arguments(parser)
    return parser.parse_args()


def assemble(shape, target, yosys, whole):
    """The array's own wiring around the mapped units, flattened: a cell is named u_unit._N_ after the unit it came from."""
    emitted, place = shape.emitted, yosys.place
    units = shape.unit_modules()
    chosen = [keep for keep in target.chosen(whole) if keep[1]]
    for index, modules in chosen:
        yosys.run([f"read_rtlil {place(f'mapped{index}.il')}", *job.keep_only(modules), "rename -enumerate -pattern _%_",
                   f"write_rtlil {place(f'chosen{index}.il')}"])
    yosys.run([
        *shape.read(),
        f"hierarchy -check -top {emitted.top}",
        *job.keep_only([emitted.top, *shape.containers()]),
        "proc",
        *(f"read_rtlil {place(f'chosen{index}.il')}" for index, _ in chosen),
        f"read_liberty -lib -ignore_miss_func {place('cells.lib')}",
        f"hierarchy -top {emitted.top}",
        "flatten",
        "splitnets",
        "opt_clean -purge",
        "check -assert",
        yosys.stat("netlist.json"),
        f"write_verilog -noattr -noexpr {place('netlist.v')}",
    ])
    return target.figures(emitted.top, yosys.modules("netlist.json")[emitted.top], None, None, units)


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    target = area.choose_cells(arguments)
    path = emitted.directory / "netlist.v"
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work)
        shape = structure.Structure(emitted, yosys)
        with job.step(f"synthesising {len(shape.unit_modules())} modules, {target.title()}"):
            whole = target.whole(yosys, shape.unit_modules())
        with job.step(f"the netlist of {emitted.top}"):
            figures = assemble(shape, target, yosys, whole)
        (work / "netlist.v").replace(path)
    print(f"{path}: {sum(figures['cells'].values()):,} cells, {figures['um2']:,.0f} um2, "
          f"{figures['flip_flops']:,} flip-flops, {target.title()}")


if __name__ == "__main__":
    sys.exit(job.main("netlist", run))
