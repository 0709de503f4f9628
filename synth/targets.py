"""What modules are mapped to, and how: standard cells of a Liberty file, or an FPGA family. The flow of each is the same for
every configuration. A target turns a list of Yosys commands' results into figures: a dictionary of numbers per module.
"""
import collections
import re
import shutil

from job import ROOT, Failed, base_name, keep_only

# Rounds that shrink the gates before they become cells.
CLEAN = "strash; ifraig; scorr; "
SHRINK = ("balance -l; resub -K 6 -l; rewrite -l; resub -K 6 -N 2 -l; refactor -l; resub -K 8 -l; balance -l; "
          "resub -K 8 -N 2 -l; rewrite -l; resub -K 10 -l; rewrite -z -l; resub -K 10 -N 2 -l; balance -l; resub -K 12 -l; "
          "refactor -z -l; resub -K 12 -N 2 -l; rewrite -z -l; balance -l; ")
SHORT = CLEAN + "dc2; dc2; strash; "
LONG = CLEAN + f"dc2; {SHRINK} dc2; {SHRINK}"
TIMED = "; topo; stime -p"
BUFFERED = "; topo; buffer -c; topo; upsize {D}; dnsize {D}; stime -p"
RIPPLE, PREFIX = "techmap -map {ripple} -map +/techmap.v", "techmap"
LEAST_DEPTH = "techmap -map {prefix} -map +/techmap.v"
# The least area is to be had with a mapper that looks at nothing else, on adders whose carry ripples (README.md has what
# other ways give). What comes out depends by a percent on the accidental order of gates: four orders are tried, each from
# a seed, and the smallest result counts.
AREA = LONG + "dch -f; amap -m"
# A recipe with a seed shuffles and simplifies the gates before it maps them; one without leaves them as the adders were built,
# and knows that a buffer drives each input.
Recipe = collections.namedtuple("Recipe", "name seed adders script")
AREA_RECIPES = tuple(Recipe(f"area, order {seed}", seed, RIPPLE, AREA + TIMED) for seed in (1, 2, 3, 4))
# With a clock target also these, from small and slow to large and fast.
CLOCK_RECIPES = AREA_RECIPES + (
    Recipe("area, buffered, order 1", 1, RIPPLE, AREA + BUFFERED),
    Recipe("area, buffered, order 2", 2, RIPPLE, AREA + BUFFERED),
    Recipe("delay, ripple carry", 1, RIPPLE, SHORT + "dch; map -B 0.9 {D}" + BUFFERED),
    Recipe("delay, prefix adders", 1, PREFIX, SHORT + "dch; map -B 0.9 {D}" + BUFFERED),
)
# For a clock measured with flip-flops and wires of timing.py: nothing rewrites the gates before they become cells, since that
# undoes the prefix adders; then the fewer sinks a gate may have, the faster and larger the result. From small to large.
FAST = "; topo; buffer -p -c -N {N}; topo; upsize {D}; dnsize {D}; stime -p"
LOAD = 20  # fF at each output, for abc's sizing
SPEED_RECIPES = tuple(Recipe(f"{name}, {sinks} sinks", None, adders, CLEAN + script + FAST.replace("{N}", str(sinks)))
                      for name, adders, script, fanouts in (
    ("area, look-ahead", PREFIX, "dch -f; amap -m", (10, 6, 3)),
    ("delay, prefix adders", LEAST_DEPTH, "dch; map -B 0.9 {D}", (8, 4)),
    ("delay, look-ahead", PREFIX, "balance; dch; map -B 0.9 {D}", (8, 4)),
) for sinks in fanouts)


# A clock gate is one cell, which no optimisation may take apart: its output must not move while the clock is high.
CLOCK_GATE = """module {0}_clkgate(input clk_i, input load_i, output clk_o, output load_o);
  {1[0]} u_or (.{1[1]}(clk_i), .{1[2]}(~load_i), .{1[3]}(clk_o));
  assign load_o = 1'b1;
endmodule
"""


def front(modules, recipe, adders):
    """From processes to optimised gates. Each module starts from the seed, so that its result does not depend on the others.
    Instances of MODULES keep their names."""
    scramble = [] if recipe.seed is None else [
        f"rename -scramble-name -seed {recipe.seed} {module}/* " + " ".join(f"{module}/t:{other} %d" for other in modules if other != module)
        for module in modules]
    simplify = [] if recipe.seed is None else ["abc -fast", "opt -fast"]
    return [*scramble, "synth -run coarse:fine -noshare", "memory_map", "opt -fast -full", "opt -full", adders, "opt -fast", *simplify]


class Cells:
    """Standard cells."""

    name = "cells"
    measures = ("um2", "flip_flops")

    def __init__(self, library, clock_ps):
        if clock_ps and not library.timed:
            raise Failed(f"library {library.name} has gates without delays; leave CLOCK_PS out")
        self.library = library
        self.clock_ps = clock_ps
        self.recipes = CLOCK_RECIPES if clock_ps else AREA_RECIPES
        self.areas = {cell.name: cell.area for cell in library.usable}
        self.flops = {cell.name for cell in library.usable if cell.is_flop()}

    def title(self):
        return self.library.name

    def describe(self):
        """What decides the figures, for the report."""
        return {"library": self.library.name, "library_sha256": self.library.sha256, "nand2_cell": self.library.nand2.name,
                "nand2_um2": self.library.nand2.area, "clock_ps": self.clock_ps}

    def prepare(self, work, emitted=None):
        """With EMITTED its clock gates become cells, if it has any."""
        self.gated = emitted is not None and emitted.options.get("clock-gating") == "on"
        if self.gated:
            (work / "clkgate.v").write_text(CLOCK_GATE.format(emitted.prefix, self.library.clock_gate()))
        (work / "cells.lib").write_text(self.library.text)
        (work / "cells.genlib").write_text(self.library.genlib())
        for name in ("ripple.v", "prefix.v"):
            shutil.copyfile(ROOT / name, work / name)

    def back(self, yosys, recipe):
        """From gates to cells."""
        script = recipe.script
        cells = yosys.place("cells.lib")
        delay = f"-D {self.clock_ps}" if self.clock_ps else ""
        gates = f"-liberty {cells}" if self.library.timed else f"-genlib {yosys.place('cells.genlib')}"
        if not self.library.timed:
            script = script.removesuffix(TIMED)
        if recipe.seed is None:
            (yosys.work / "abc.constr").write_text(f"set_driving_cell {self.library.driver.name}\nset_load {LOAD} [all_outputs]\n")
            gates += f" -constr {yosys.place('abc.constr')}"
        (yosys.work / "abc.script").write_text(script.replace("{D}", delay) + "\n")
        return [f"dfflibmap -liberty {cells}", "opt", f"abc {gates} -script {yosys.place('abc.script')}", "opt_clean -purge"]

    def source(self, yosys):
        """The units as they are to be mapped."""
        return ["read_rtlil " + yosys.place("units.il"), *(["techmap -map " + yosys.place("clkgate.v")] if self.gated else [])]

    def whole(self, yosys, units):
        """Figures of UNITS, each by itself with everything inside it flattened. Leaves them mapped, for a netlist."""
        return self.synthesize(yosys, [*self.source(yosys), "flatten"], units)

    def parts(self, yosys, top, children):
        """Figures of TOP and of its CHILDREN, each flattened inside, with the boundaries between them kept."""
        keep = [f"setattr -mod -set keep_hierarchy 1 {child}" for child in children]
        return self.synthesize(yosys, [*self.source(yosys), *keep, "flatten"], [top, *children])

    def synthesize(self, yosys, source, modules):
        """Figures of MODULES, which SOURCE (commands) brings, each by the recipe that does best for it."""
        best = {}
        for index, recipe in enumerate(self.recipes):
            for module, figures in self.attempt(yosys, source, modules, recipe, f"mapped{index}.il").items():
                if module not in best or self.better(figures, best[module]):
                    best[module] = figures
        return best

    def attempt(self, yosys, source, modules, recipe, mapped):
        """Figures of MODULES by one recipe; the mapped modules are left in the scratch file MAPPED."""
        adders = recipe.adders.replace("{ripple}", yosys.place("ripple.v")).replace("{prefix}", yosys.place("prefix.v"))
        log = yosys.run([
            *source,
            *keep_only(modules),
            *front(modules, recipe, adders),
            *self.back(yosys, recipe),
            yosys.stat("stat.json"),
            f"write_rtlil {yosys.place(mapped)}",
        ])
        delays = abc_delays(log)
        return {module: self.figures(module, stat, delays.get(module), recipe.name, modules)
                for module, stat in yosys.modules("stat.json").items()}

    def chosen(self, figures):
        """Which modules the recipe of each index made best: the ones to take from its mapped{index}.il."""
        for index, recipe in enumerate(self.recipes):
            yield index, [module for module, figure in figures.items() if figure["recipe"] == recipe.name]

    def better(self, new, old):
        """Smaller if there is no clock or both meet it, else faster."""
        if not self.clock_ps:
            return new["um2"] < old["um2"]
        late = [max((figures["delay_ps"] or 0) - self.clock_ps, 0) for figures in (new, old)]
        return (late[0], new["um2"]) < (late[1], old["um2"])

    def figures(self, module, stat, delay, recipe, submodules):
        cells = {name.removeprefix("\\"): number for name, number in stat["num_cells_by_type"].items()}
        unmapped = [name for name in cells if name not in self.areas and name not in submodules]
        if unmapped:
            raise Failed(f"library {self.library.name} has no cell for {unmapped[0]}, which {base_name(module)} needs")
        cells = {name: number for name, number in cells.items() if name in self.areas}
        return {"um2": sum(self.areas[name] * number for name, number in cells.items()),
                "flip_flops": sum(number for name, number in cells.items() if name in self.flops),
                "delay_ps": delay, "recipe": recipe, "cells": cells}


def abc_delays(log):
    """abc's longest path per module, from inputs and flip-flops to outputs and flip-flops."""
    delays, module = {}, None
    for line in log.split("\n"):
        found = re.search(r"Extracting gate netlist of module `(.*)' to ", line)
        if found:
            module = found.group(1).removeprefix("\\")
        found = re.search(r"Delay = *([\d.]+) ps", line)
        if found:
            delays[module] = float(found.group(1))
    return delays


# What a cell of an FPGA counts as. Carry cells of ice40 sit beside a look-up table; one of ecp5 holds two tables.
LUTS, FLOPS, DSPS, BRAMS, CARRIES = "luts", "flip_flops", "dsps", "brams", "carries"
FPGA_CELLS = {
    "ice40": ((r"SB_LUT4", {LUTS: 1}), (r"SB_CARRY", {CARRIES: 1}), (r"SB_DFF\w*", {FLOPS: 1}), (r"SB_MAC16", {DSPS: 1}),
              (r"SB_RAM40_4K\w*|SB_SPRAM256KA", {BRAMS: 1})),
    "ecp5": ((r"LUT4", {LUTS: 1}), (r"CCU2C", {LUTS: 2, CARRIES: 1}), (r"TRELLIS_FF", {FLOPS: 1}),
             (r"TRELLIS_DPR16X4", {LUTS: 4}), (r"MULT18X18D|ALU54B", {DSPS: 1}), (r"DP16KD|PDPW16KD", {BRAMS: 1}),
             (r"PFUMX|L6MUX21", {})),
    "xilinx": ((r"LUT[1-6]|INV", {LUTS: 1}), (r"SRL16E|SRLC32E", {LUTS: 1}), (r"RAM(32|64)M", {LUTS: 4}),
               (r"RAM(32|64)X1D", {LUTS: 2}), (r"CARRY[48]", {CARRIES: 1}), (r"FD[RSCP]E(_1)?", {FLOPS: 1}),
               (r"DSP48E1", {DSPS: 1}), (r"RAMB(18|36)E1", {BRAMS: 1}), (r"MUXF[78]|VCC|GND", {})),
}
# The targets' own defaults for multipliers, and how to ask for the other way.
FPGA_DSP = {"ice40": ("no", "-dsp"), "ecp5": ("yes", "-nodsp"), "xilinx": ("yes", "-nodsp")}
# Flattened; with boundaries kept.
FPGA_WORDS = {"ice40": ("", "-noflatten"), "ecp5": ("", "-noflatten"),
              "xilinx": ("-noiopad -noclkbuf -flatten", "-noiopad -noclkbuf")}


class Fpga:
    """An FPGA family, by the synth command that Yosys has for it."""

    measures = (LUTS, FLOPS, DSPS, BRAMS, CARRIES)
    clock_ps = None

    def __init__(self, name, dsp):
        self.name = name
        default, other = FPGA_DSP[name]
        self.dsp = default if dsp is None else dsp
        self.flat, self.kept = (" ".join(["synth_" + name, words, other if self.dsp != default else ""]).split()
                                for words in FPGA_WORDS[name])

    def title(self):
        return f"{self.name} by synth_{self.name}, {'with' if self.dsp == 'yes' else 'without'} DSP blocks"

    def describe(self):
        return {"library": self.name, "dsp": self.dsp, "command": " ".join(self.flat)}

    def prepare(self, work, emitted=None):
        pass

    def whole(self, yosys, units):
        found = {}
        for unit in units:
            yosys.run(["read_rtlil " + yosys.place("units.il"), " ".join([*self.flat, "-top", unit]),
                       yosys.stat("stat.json")])
            found[unit] = self.figures(yosys.modules("stat.json")[unit])
        return found

    def parts(self, yosys, top, children):
        keep = [f"setattr -mod -set keep_hierarchy 1 {child}" for child in children]
        yosys.run(["read_rtlil " + yosys.place("units.il"), "proc", *keep, "flatten", *keep_only([top, *children]),
                   " ".join([*self.kept, "-top", top]), yosys.stat("stat.json")])
        return {module: self.figures(stat, children) for module, stat in yosys.modules("stat.json").items()}

    def figures(self, stat, submodules=()):
        total, cells = collections.Counter(dict.fromkeys(self.measures, 0)), {}
        for cell, number in stat["num_cells_by_type"].items():
            cell = cell.removeprefix("\\")
            if cell not in submodules:
                cells[cell] = number
                for measure, worth in self.worth(cell).items():
                    total[measure] += worth * number
        return {**total, "cells": cells}

    def worth(self, cell):
        for pattern, worth in FPGA_CELLS[self.name]:
            if re.fullmatch(pattern, cell):
                return worth
        raise Failed(f"synth_{self.name} used a cell that is not counted, {cell}")
