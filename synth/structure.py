"""What an emitted array is made of: its distinct modules, how often each stands in it, and what each is there for.

The array and its delay lines only connect other modules. Everything they connect is a unit: synthesised once, by itself,
and multiplied by its number of instances. The element is one unit; its own modules give the split.
"""
import collections
import json

from job import Failed, base_name, keep_only

CONTAINERS = ("array", "skew", "buffer")

# In the order of the report. What a unit of the array is for, by its module.
UNIT_ROLES = {"decode": "decoder", "head": "column head", "anchor_head": "column head", "drain": "drain", "foot": "column foot", "anchor_foot": "column foot", "ctrl": "control",
              "ring": "control", "stage": "control", "ram": "buffers"}
# What a module of the element is for, by its module.
ELEMENT_ROLES = {"key": "unpack", "unpack": "unpack", "steer": "steering", "steer_fixed": "steering", "low": "low values", "align": "align",
                 "sum": "sum", "addend": "sum", "place": "sum", "acc": "accumulator", "anchor": "accumulator"}
ELEMENT_CONTAINERS = ("term", "pass")  # what stands in them counts; their own logic is the element's
CLOCK_GATE = "clkgate"  # one cell, or wires
OWN_LOGIC = "element logic"
ORDER = ("decoder", "skew", "operand registers", "unpack", "steering", "low values", OWN_LOGIC, "pipeline registers",
         "high multipliers", "low multipliers", "align", "sum", "accumulator", "column head", "drain",
         "column foot", "control")
ELEMENT_NAME = ".u_pe."  # in the flattened name of all that is in an element


def in_element(name):
    return ELEMENT_NAME in name


def within_element(pin):
    """The cell's name inside its element, of a pin `g_row[0].g_col[0].u_pe._12_/D`."""
    return pin.partition(ELEMENT_NAME)[2].rpartition("/")[0]


def in_order(blocks):
    known = [name for name in ORDER if name in blocks]
    return known + [name for name in blocks if name not in ORDER]


class Structure:
    """The elaborated array: `units` maps (role, module) to a count; the element is `element`, `elements` times. SIZE is its
    rows and columns, if not as emitted."""

    def __init__(self, emitted, yosys, size=None):
        self.emitted = emitted
        self.yosys = yosys
        self.hierarchy = self.of_size(*size) if size else f"hierarchy -check -top {emitted.top}"
        self.elaborate()
        self.count()
        self.check_containers()

    def of_size(self, rows, columns):
        """The command for an array of other rows and columns; its buffers must hold as many rows as it has."""
        derived = self.emitted.manifest["derived"]
        numbers = {"Rows": rows, "Cols": columns}
        numbers.update({name: rows for name, held in (("C0Rows", "c0_rows"), ("ResultRows", "result_rows")) if derived[held] < rows})
        return f"hierarchy -check -top {self.emitted.top}" + "".join(f" -chparam {name} {number}" for name, number in numbers.items())

    def containers(self):
        """Patterns of the connecting modules' names; a question mark stands for the backslash."""
        for name in CONTAINERS:
            full = f"{self.emitted.prefix}_{name}"
            yield from (full, f"$paramod$*?{full}", f"$paramod?{full}?*")

    def read(self):
        return [f"read_verilog {name}" for name in self.emitted.files]

    def elaborate(self):
        place = self.yosys.place
        self.yosys.run([
            *self.read(),
            self.hierarchy,
            self.yosys.stat("array.json"),
            *(f"delete {name}" for name in self.containers()),
            "proc",
            f"write_rtlil {place('units.il')}",
        ])
        self.modules = self.yosys.modules("array.json")

    def kind(self, module):
        """A module's name without the prefix."""
        return base_name(module).removeprefix(f"{self.emitted.prefix}_")

    def children(self, module):
        cells = self.modules[module]["num_cells_by_type"]
        return {name.removeprefix("\\"): number for name, number in cells.items()
                if name.removeprefix("\\") in self.modules}

    def count(self):
        self.units = collections.Counter()
        self.walk(self.emitted.top, 1, None)
        found = [(module, number) for (role, module), number in self.units.items() if role == "element"]
        if len(found) != 1:
            raise Failed(f"{len(found)} kinds of elements in {self.emitted.top}; there must be one")
        self.element, self.elements = found[0]

    def walk(self, module, times, inside):
        for child, number in self.children(module).items():
            kind = self.kind(child)
            if kind in CONTAINERS:
                self.walk(child, times * number, kind)
            else:
                self.units[self.unit_role(kind, inside), child] += times * number

    def check_containers(self):
        """Only unused logic may stand between the units, or the count would miss it. Seen on a small array."""
        self.yosys.run([
            *self.read(),
            self.of_size(2, 3),
            "proc",
            "opt_clean",
            self.yosys.stat("small.json"),
        ])
        small = self.yosys.modules("small.json")
        for module, figures in small.items():
            if self.kind(module) in CONTAINERS:
                extra = [cell for cell in figures["num_cells_by_type"] if cell.removeprefix("\\") not in small]
                if extra:
                    raise Failed(f"{base_name(module)} has logic of its own ({extra[0]}); it may only connect modules")

    def memories(self):
        """module -> (words, bits of a word), of the units that are memories."""
        found, module = {}, None
        for line in (self.yosys.work / "units.il").read_text().splitlines():
            words = line.split()
            if words[:1] == ["module"]:
                module = words[1].removeprefix("\\")
            elif words[:1] == ["memory"]:
                found[module] = int(words[words.index("size") + 1]), int(words[words.index("width") + 1])
        return found

    def unit_modules(self):
        return sorted({module for _, module in self.units})

    def element_instances(self):
        """The element's modules: (role, module) by the instance's path in the element, .u_acc, .g_low[0].u_term.u_mul."""
        inside = [module for module in self.modules if self.kind(module) in ELEMENT_CONTAINERS]
        self.yosys.run([f"read_rtlil {self.yosys.place('units.il')}",
                        f"json -o {self.yosys.place('element.json')} {' '.join([self.element, *inside])}"])
        found = json.loads((self.yosys.work / "element.json").read_text())["modules"]
        return dict(self.parts_of(self.element, found, ""))

    def parts_of(self, module, found, path):
        for instance, cell in found[module]["cells"].items():
            kind, place = self.kind(cell["type"]), f"{path}.{instance}"
            if kind in ELEMENT_CONTAINERS:
                yield from self.parts_of(cell["type"], found, place)
            elif cell["type"] in self.modules and kind != CLOCK_GATE:
                yield place, (self.element_role(place, kind), cell["type"])

    def element_parts(self):
        """The element's modules: instances by (role, module)."""
        return collections.Counter(self.element_instances().values())

    def unit_instances(self):
        """The array's units: (role, module) by the path of the instance's names."""
        self.yosys.run([*self.read(), self.hierarchy, *keep_only([self.emitted.top, *self.containers()]), "proc",
                        f"json -o {self.yosys.place('wiring.json')}"])
        modules = json.loads((self.yosys.work / "wiring.json").read_text())["modules"]
        units = {}

        def walk(module, path, inside):
            for instance, cell in modules[module]["cells"].items():
                child = cell["type"]
                if child not in self.modules:
                    continue
                kind = self.kind(child)
                if kind in CONTAINERS:
                    walk(child, f"{path}{instance}.", kind)
                else:
                    units[path + instance] = (self.unit_role(kind, inside), child)

        walk(self.emitted.top, "", None)
        return units

    @staticmethod
    def unit_role(kind, inside):
        return "element" if kind == "pe" else "skew" if inside == "skew" else UNIT_ROLES.get(kind, kind)

    @staticmethod
    def element_role(place, kind):
        """PLACE is the instance's path in the element: .u_pass_a, .g_low[0].u_term.u_mul."""
        if kind == "stage":
            return "operand registers" if ".u_pass" in place else "pipeline registers"
        if kind == "mul":
            return "low multipliers" if ".g_low" in place else "high multipliers"
        return ELEMENT_ROLES.get(kind, kind)
