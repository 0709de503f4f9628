"""What a cell's Liberty tables say: delay and slew of every arc, internal energy of every arc and pin, capacitance, leakage.

All in ns, pF, pJ, V and W, whatever the file's units. Tables are interpolated linearly in slew and load; a slew outside of a
table counts as its edge, a load beyond it is extrapolated. Arcs that differ in `when` or in sense are averaged, because
a simulation that counts toggles does not know the state of the other pins at each.
"""
import bisect

import liberty
from liberty import LibertyError

PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
INPUT_MAX = 6  # of a function; gatesim.c has tables of 64 bits
STATE = "\0state"  # a flip-flop's own value as an input of its next_state
EDGES = ("rise", "fall")
GATING = ("clock", "enable", "test")  # input pins of a clock gate


def scaled(text, unit):
    """The factor in `1ns`, `10ps`, to base units."""
    digits = text[:len(text) - len(text.lstrip("0123456789.eE+-"))]
    prefix = text[len(digits):].removesuffix(unit)
    if not text.endswith(unit) or prefix not in PREFIXES:
        raise LibertyError(f"the unit '{text}' cannot be read; it must be like 1n{unit}")
    return float(digits or "1") * PREFIXES[prefix]


def numbers(words):
    try:
        return [float(word) for text in words for word in text.replace("\\", " ").replace(",", " ").split()]
    except ValueError:
        raise LibertyError(f"'{' '.join(words)[:40]}' are not numbers") from None


class Table:
    """Values over slew (rows) and load (columns)."""

    def __init__(self, group, templates, scale, time, load):
        template = templates.get(group.arguments[0] if group.arguments else "", {})
        axes = []
        for index in ("1", "2"):
            points = numbers(group.lists.get(f"index_{index}", template.get(f"index_{index}", [])))
            variable = template.get(f"variable_{index}", "input_net_transition" if index == "1" else "total_output_net_capacitance")
            if points:
                axes.append(("load" if "capacitance" in variable else "slew", points))
        values = [value * scale for value in numbers(group.lists.get("values", []))]
        if len(axes) == 2 and len(values) == len(axes[0][1]) * len(axes[1][1]):
            rows = [values[at:at + len(axes[1][1])] for at in range(0, len(values), len(axes[1][1]))]
            if axes[0][0] == "load":
                rows = [list(row) for row in zip(*rows)]
                axes.reverse()
            if [name for name, _ in axes] != ["slew", "load"]:
                raise LibertyError(f"table {group.name} is not over slew and load")
            self.slews, self.loads = axes[0][1], axes[1][1]
        elif len(values) == 1:
            self.slews, self.loads, rows = [0.0], [0.0], [values]
        elif len(axes) == 1 and len(values) == len(axes[0][1]):
            self.slews, self.loads = (axes[0][1], [0.0]) if axes[0][0] == "slew" else ([0.0], axes[0][1])
            rows = [values] if axes[0][0] == "load" else [[value] for value in values]
        else:
            raise LibertyError(f"table {group.name} has {len(values)} values; its axes say otherwise")
        self.rows = rows
        self.slews = [point * time for point in self.slews]
        self.loads = [point * load for point in self.loads]

    def at(self, slew, load):
        row, weight = between(self.slews, min(max(slew, self.slews[0]), self.slews[-1]))
        low = along(self.rows[row], self.loads, load)
        return low if not weight else low + (along(self.rows[row + 1], self.loads, load) - low) * weight


def between(points, x):
    """The interval of POINTS that X is in, or the outermost one, and where in it X is."""
    if len(points) == 1:
        return 0, 0.0
    low = min(max(bisect.bisect_right(points, x) - 1, 0), len(points) - 2)
    return low, (x - points[low]) / (points[low + 1] - points[low])


def along(values, points, x):
    low, weight = between(points, x)
    return values[low] if not weight else values[low] + (values[low + 1] - values[low]) * weight


def mean(tables, slew, load):
    return sum(table.at(slew, load) for table in tables) / len(tables) if tables else 0.0


class Arc:
    """From one input pin to an output: tables of delay, transition and internal energy by the output's edge."""

    def __init__(self):
        self.delay = {edge: [] for edge in EDGES}
        self.slew = {edge: [] for edge in EDGES}
        self.power = {edge: [] for edge in EDGES}


class Output:
    def __init__(self, name, function):
        self.name = name
        self.function = function  # Function over the inputs' pins, or over the state's
        self.arcs = {}  # by input pin
        self.inner = frozenset()  # inputs that no table knows, because they are inside the cell

    def computing(self, function, inner=frozenset()):
        """The same with another function."""
        other = Output(self.name, function)
        other.arcs, other.inner = self.arcs, inner
        return other


class Model:
    """A cell. By input pin: `capacitance`, and `passive`, energies of the pin's own edges; `outputs`; `leakage` in W; `states`, the
    names of a flip-flop's or latch's value and its inverse; `powered`: has it any table of energy?"""

    def __init__(self, cell, group, library):
        self.name = cell.name
        self.group = group
        self.leakage = leakage(group) * library.leakage_unit
        self.capacitance, self.clocks, self.passive, self.outputs = {}, set(), {}, []
        self.roles = {}  # of a clock gate's input pins
        self.powered = False
        for pin in group.all("pin") + [pin for bus in group.all("bus", "bundle") for pin in bus.all("pin")]:
            if pin.attributes.get("direction", "").lower() == "input":
                self.add_input(pin, library)
            elif pin.attributes.get("direction", "").lower() == "output":
                self.add_output(pin, library)
        flops, latches = group.all("ff"), group.all("latch")
        self.sequential = (flops + latches + [None])[0]
        self.latch = bool(latches)
        self.gating = group.attributes.get("clock_gating_integrated_cell")
        self.states = self.sequential.arguments if self.sequential else []

    def need_power(self):
        if self.capacitance and not self.powered:
            raise LibertyError(f"cell {self.name} has no table of internal energy; its pins must have internal_power")

    def add_input(self, pin, library):
        for name in pin.arguments:
            self.capacitance[name] = number(pin, "capacitance") * library.load
            if pin.flag("clock"):
                self.clocks.add(name)
            self.roles.update({role: name for role in GATING if pin.flag(f"clock_gate_{role}_pin")})
            self.passive[name] = {edge: [] for edge in EDGES}
            for power in pin.all("internal_power"):
                self.energies(power, self.passive[name], library)

    def add_output(self, pin, library):
        text = pin.attributes.get("function")
        output = Output(pin.arguments[0], liberty.Function(text) if text else None)
        for timing in pin.all("timing"):
            if "constraint" in "".join(group.name for group in timing.groups) or "tri" in timing.attributes.get("timing_type", ""):
                continue
            for name in timing.attributes.get("related_pin", "").split():
                arc = output.arcs.setdefault(name, Arc())
                for edge in EDGES:
                    arc.delay[edge] += [library.table(table) for table in timing.all(f"cell_{edge}")]
                    arc.slew[edge] += [library.table(table) for table in timing.all(f"{edge}_transition")]
        for power in pin.all("internal_power"):
            for name in power.attributes.get("related_pin", "").split():
                self.energies(power, output.arcs.setdefault(name, Arc()).power, library)
        self.outputs.append(output)

    def energies(self, power, tables, library):
        self.powered = True
        for edge in EDGES:
            tables[edge] += [library.table(table, library.energy) for table in power.all(f"{edge}_power", "power")]

    def attribute(self, name):
        """The Function in an attribute of the ff or latch group, or None."""
        text = self.sequential.attributes.get(name)
        return liberty.Function(text) if text else None


def number(group, name):
    text = group.attributes.get(name, "0")
    try:
        return float(text)
    except ValueError:
        raise LibertyError(f"{name} is '{text}'; it must be a number") from None


def leakage(group):
    """cell_leakage_power, or the mean of what the states leak."""
    if "cell_leakage_power" in group.attributes:
        return number(group, "cell_leakage_power")
    values = [number(state, "value") for state in group.all("leakage_power")]
    return sum(values) / len(values) if values else 0.0


def truth(function, order):
    """The function's table as a number: bit i is its value where pin k of ORDER is bit k of i."""
    if len(order) > INPUT_MAX:
        raise LibertyError(f"function \"{function.text}\" has {len(order)} inputs; at most {INPUT_MAX} can be simulated")
    bits = 0
    for i in range(1 << len(order)):
        values = {pin: bool(i >> k & 1) for k, pin in enumerate(order)}
        bits |= function.evaluate(values) << i
    return bits


class Tables:
    """The tables of a liberty.Library, a Model at a time, read when first asked for."""

    def __init__(self, library):
        self.library = library
        group = library.group
        units = group.attributes
        self.time = scaled(units.get("time_unit", "1ns"), "s") * 1e9
        volts = scaled(units.get("voltage_unit", "1V"), "V")
        amount, unit = (group.lists.get("capacitive_load_unit", []) + ["1", "pf"])[:2]
        self.load = float(amount) * scaled(unit.lower(), "f") * 1e12
        self.energy = self.load * volts * volts  # pJ in a unit of internal energy
        self.leakage_unit = scaled(units.get("leakage_power_unit", "1nW"), "W")
        self.voltage = self.nominal_voltage(group) * volts
        self.templates = {template.arguments[0]: {**template.attributes, **template.lists}
                          for template in group.all("lu_table_template", "power_lut_template") if template.arguments}
        self.cells = {cell.name: cell for cell in library.cells}
        self.models = {}

    @staticmethod
    def nominal_voltage(group):
        conditions = {each.arguments[0]: each for each in group.all("operating_conditions") if each.arguments}
        chosen = conditions.get(group.attributes.get("default_operating_conditions"))
        for place, name in ((chosen, "voltage"), (group, "nom_voltage")):
            if place and name in place.attributes:
                return number(place, name)
        raise LibertyError("it states no voltage; it must have nom_voltage or operating conditions")

    def table(self, group, scale=None):
        return Table(group, self.templates, self.time if scale is None else scale, self.time, self.load)

    def model(self, name):
        if name not in self.models:
            if name not in self.cells:
                raise LibertyError(f"it has no cell {name}")
            self.models[name] = Model(self.cells[name], self.library.whole(self.cells[name]), self)
        return self.models[name]
