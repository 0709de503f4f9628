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


def keep_chosen(target, yosys, figures, names, tag):
    """Of the modules NAMES, each as the recipe made it that did best for it: the files that have them."""
    files = []
    for index, modules in target.chosen({name: figures[name] for name in names}):
        if modules:
            files.append(f"chosen-{tag}{index}.il")
            yosys.run([f"read_rtlil {yosys.place(f'mapped{index}.il')}", *job.keep_only(modules), "rename -enumerate -pattern _%_",
                       f"write_rtlil {yosys.place(files[-1])}"])
    return files


def assemble(shape, target, yosys, files, form="write_verilog -noattr -noexpr", name="netlist.v"):
    """The array's own wiring around the mapped modules in FILES, flattened: a cell is named u_unit._N_ after the unit it came from.
    FORM is the command that writes it to the scratch file NAME."""
    place = yosys.place
    yosys.run([
        *shape.read(),
        shape.hierarchy,
        *job.keep_only([shape.emitted.top, *shape.containers()]),
        "proc",
        *(f"read_rtlil {place(file)}" for file in files),
        "setattr -mod -unset keep_hierarchy *",
        f"read_liberty -lib -ignore_miss_func {place('cells.lib')}",
        f"hierarchy -top {shape.emitted.top}",
        "flatten",
        "splitnets",
        "opt_clean -purge",
        "check -assert",
        yosys.stat("netlist.json"),
        f"{form} {place(name)}",
    ])
    return target.figures(shape.emitted.top, yosys.modules("netlist.json")[shape.emitted.top], None, None, shape.unit_modules())


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    target = area.choose_cells(arguments)
    path = emitted.directory / "netlist.v"
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        shape = structure.Structure(emitted, yosys)
        with job.step(f"synthesising {len(shape.unit_modules())} modules, {target.title()}"):
            whole = target.whole(yosys, shape.unit_modules())
            files = keep_chosen(target, yosys, whole, shape.unit_modules(), "unit")
        with job.step(f"the netlist of {emitted.top}"):
            figures = assemble(shape, target, yosys, files)
        (work / "netlist.v").replace(path)
    print(f"{path}: {sum(figures['cells'].values()):,} cells, {figures['um2']:,.0f} um2, "
          f"{figures['flip_flops']:,} flip-flops, {target.title()}")


if __name__ == "__main__":
    sys.exit(job.main("netlist", run))
