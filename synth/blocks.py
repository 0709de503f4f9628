"""Which block of an element a mapped gate belongs to. Mapping loses the names of all but registers, so they are found again by
what the gates compute: the element as written and as mapped are both evaluated on the same random registers and inputs, and a
mapped gate that equals a named wire, or its complement, on all of them is that wire.
"""
import itertools
import json
import random

import structure

PATTERNS = 3072
GATES = {
    "BUF": lambda a: a, "NOT": lambda a: ~a, "AND": lambda a, b: a & b, "NAND": lambda a, b: ~(a & b), "OR": lambda a, b: a | b,
    "NOR": lambda a, b: ~(a | b), "XOR": lambda a, b: a ^ b, "XNOR": lambda a, b: ~(a ^ b), "ANDNOT": lambda a, b: a & ~b,
    "ORNOT": lambda a, b: a | ~b, "MUX": lambda a, b, s: a ^ ((a ^ b) & s), "NMUX": lambda a, b, s: ~(a ^ ((a ^ b) & s)),
    "AOI3": lambda a, b, c: ~(a & b | c), "OAI3": lambda a, b, c: ~((a | b) & c),
    "AOI4": lambda a, b, c, d: ~(a & b | c & d), "OAI4": lambda a, b, c, d: ~((a | b) & (c | d)),
}
ALL = (1 << PATTERNS) - 1


class Network:
    """A module from Yosys's JSON: names of nets, the gate behind each net, the nets that registers and ports drive."""

    def __init__(self, module):
        self.names, self.gates, self.cells, self.sources = {}, {}, {}, []
        for name, net in module["netnames"].items():
            if not net["hide_name"]:
                for index, bit in enumerate(net["bits"]):
                    self.names.setdefault(bit, []).append((name, index))
        for port in module["ports"].values():
            if port["direction"] == "input":
                self.sources += port["bits"]
        self.values = {"0": 0, "1": ALL, "x": 0}

    def add_register(self, cell, output):
        self.cells[cell] = output
        self.sources.append(output)

    def add_gate(self, cell, output, compute, inputs):
        self.cells[cell] = output
        self.gates[output] = (compute, inputs)

    def evaluate(self):
        """The value of every net, in an order in which inputs come first."""
        for root in self.gates:
            pending = [root]
            while pending:
                net = pending[-1]
                if net in self.values or net not in self.gates:
                    self.values.setdefault(net, 0)
                    pending.pop()
                    continue
                compute, inputs = self.gates[net]
                missing = [each for each in inputs if each not in self.values]
                if missing:
                    pending += missing
                else:
                    self.values[net] = compute(*(self.values[each] for each in inputs)) & ALL
                    pending.pop()


def one_module(path):
    return next(iter(json.loads(path.read_text())["modules"].values()))


def written(module):
    """The Network of Yosys's own gates."""
    network = Network(module)
    for name, cell in module["cells"].items():
        pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
        kind = cell["type"].strip("$_").split("_")[0]
        if kind in GATES:
            network.add_gate(name, pins["Y"], GATES[kind], [pins[pin] for pin in "ABCDS" if pin in pins])
        elif "Q" in pins:
            network.add_register(name, pins["Q"])
    return network


def mapped(module, library):
    """The Network of a library's cells."""
    network = Network(module)
    functions = {cell.name: function_of(cell) for cell in library.gates}
    outputs = {cell.name: [pin.arguments[0] for pin in cell.outputs] for cell in library.usable}
    for name, cell in module["cells"].items():
        pins = {pin: bits[0] for pin, bits in cell["connections"].items() if bits}
        if cell["type"] in functions:
            compute, inputs = functions[cell["type"]]
            network.add_gate(name, pins[outputs[cell["type"]][0]], compute, [pins[pin] for pin in inputs])
        else:
            for pin in outputs[cell["type"]]:
                if pin in pins:
                    network.add_register(name, pins[pin])
    return network


def function_of(cell):
    """A gate's function on words, from its table; and the pins it reads."""
    function = cell.function()
    rows = list(itertools.product((False, True), repeat=len(function.inputs)))
    ones = [row for row, value in zip(rows, function.table()) if value]

    def compute(*values):
        total = 0
        for row in ones:
            term = ALL
            for bit, value in zip(row, values):
                term &= value if bit else ~value
            total |= term
        return total

    return compute, function.inputs


def excite(networks):
    """The same random values in all networks on registers and ports of the same name, rarely, often and mostly one."""
    chance, third = random.Random(1), PATTERNS // 3
    known = {}
    for network in networks:
        for net in network.sources:
            names = network.names.get(net, [])
            value = next((known[name] for name in names if name in known), None)
            if value is None:
                first, second, third_word = (chance.getrandbits(third) for _ in range(3))
                rare, often = chance.getrandbits(third), chance.getrandbits(third)
                value = first | (second & rare) << third | (third_word | often) << 2 * third
            network.values[net] = value
            known.update(dict.fromkeys(names, value))
        network.evaluate()


def merged(items):
    """(name, number) in a row with the same name, added up."""
    return [[name, sum(number for _, number in group)] for name, group in itertools.groupby(items, lambda item: item[0])]


class Blocks:
    """The blocks of one mapped element. INSTANCES maps the element's instances to their roles."""

    def __init__(self, written_module, mapped_module, library, instances):
        self.instances = instances
        source, self.network = written(written_module), mapped(mapped_module, library)
        excite([source, self.network])
        self.aliases = {name: names for names in source.names.values() for name in names}
        self.roles = {}
        for net, names in source.names.items():
            role = self.role_of(names)
            value = source.values.get(net, 0)
            if role and value not in (0, ALL):
                for each in (value, value ^ ALL):
                    if self.roles.get(each) in (None, structure.OWN_LOGIC):
                        self.roles[each] = role

    def role_of(self, names):
        """The role of the instance that drives a net of these names: of the one where it is not an input."""
        found = None
        for name, _ in names:
            instance = next((each for each in self.instances if name.startswith(each + ".")), None)
            if instance and not name.endswith("_i"):
                return self.instances[instance]
            if not instance and not name.endswith("_i"):
                found = structure.OWN_LOGIC
        return found

    def names_of(self, register):
        """All names of the net that a register drives, as written."""
        found = self.network.names.get(self.network.cells.get(register), [])
        return next((self.aliases[name] for name in found if name in self.aliases), found)

    def net_name(self, cell):
        """A register's own name, `u_acc.acc_q[3]`."""
        names = self.names_of(cell)
        if not names:
            return cell
        return "{}[{}]".format(*min(names, key=lambda name: (name[0].endswith("_i"), -name[0].count("."), name)))

    def split(self, steps, end):
        """Delays by block along a path of (cell, delay) to the register END: gates between two known ones are of the latter's block."""
        found, waiting = [], 0.0
        for cell, delay in steps:
            waiting += delay
            role = self.roles.get(self.network.values.get(self.network.cells.get(cell)))
            if role:
                found.append([role, waiting])
                waiting = 0.0
        if waiting:
            found.append([self.role_of(self.names_of(end)) or structure.OWN_LOGIC, waiting])
        return merged(found)
