"""Wires of a routed layout: lengths from DEF, resistance and branching from qrouter's .rc, capacitance by the LEF's formula."""
import collections
import json
import re

from job import Failed

LAYER = re.compile(r"^LAYER (\S+)(.*?)^END \1", re.M | re.S)
POINT = re.compile(r"\( (\S+) (\S+)(?: \d+)? \)")
TOKEN = re.compile(r"[(),]|[^\s(),]+")


def layers(lef):
    """pF per um of wire on each routing layer: width times area's, and both edges, as the LEF manual has it."""
    found = {}
    for name, body in LAYER.findall(lef):
        numbers = {key: float(value) for key, value in
                   re.findall(r"\b(WIDTH|CPERSQDIST|EDGECAPACITANCE)\s+([\d.eE+-]+)", body)}
        if len(numbers) == 3:
            found[name] = numbers["WIDTH"] * numbers["CPERSQDIST"] + 2 * numbers["EDGECAPACITANCE"]
    return found


def lengths(routed):
    """um of wire per net and layer, from a DEF."""
    unit = float(re.search(r"UNITS DISTANCE MICRONS (\d+)", routed)[1])
    found = {}
    for net in routed[routed.index("\nNETS"):routed.index("END NETS")].split("\n- ")[1:]:
        per_layer = found[net.split()[0]] = collections.Counter()
        for segment in re.split(r"\bNEW\b|\bROUTED\b", net)[1:]:
            x = y = None
            for to_x, to_y in POINT.findall(segment):
                to_x, to_y = x if to_x == "*" else int(to_x), y if to_y == "*" else int(to_y)
                if x is not None:
                    per_layer[segment.split()[0]] += (abs(to_x - x) + abs(to_y - y)) / unit
                x, y = to_x, to_y
    return found


class Tree:
    """A net's wires, from a line of .rc: `branches` is (node, node, ohm), `loads` node to pF, `pins` pin to node. Node 0 is the
    driver's. The line has a branch as ( ohm pF what follows ), several that part as a list with commas."""

    def __init__(self, line):
        words = line.split(None, 4)
        self.name, self.driver = words[0], words[2]
        self.branches, self.loads, self.pins = [], {}, {self.driver: 0}
        inside, tokens = [0], iter(TOKEN.findall(words[4] if len(words) > 4 else ""))
        for token in tokens:
            if token == "(":
                node = len(self.branches) + 1
                self.branches.append((inside[-1], node, float(next(tokens))))
                self.loads[node] = float(next(tokens))
                inside.append(node)
            elif token == ")":
                inside.pop()
            elif token != ",":
                self.pins[token] = inside[-1]

    def scale(self, total):
        """All loads, so that they add up to TOTAL pF."""
        now = sum(self.loads.values())
        if now > 0:
            self.loads = {node: load * total / now for node, load in self.loads.items()}


def extract(lef, routed, rc):
    """The Tree of every net: branching and ohms of the .rc, pF by the LEF over the net's wires."""
    per_um, wires, trees = layers(lef), lengths(routed), {}
    for line in rc.split("\n"):
        if len(line.split()) < 4:
            continue
        tree = Tree(line)
        if tree.name not in wires:
            raise Failed(f"net {tree.name} has resistance but no wires")
        tree.scale(sum(per_um[layer] * um for layer, um in wires[tree.name].items()))
        trees[tree.name] = tree
    return trees


def spef(design, trees, ports):
    """The wires for OpenSTA. PORTS maps a port to I or O."""
    lines = ['*SPEF "IEEE 1481-1998"', f'*DESIGN "{design}"', '*DATE ""', '*VENDOR ""', '*PROGRAM ""', '*VERSION ""',
             '*DESIGN_FLOW ""', "*DIVIDER /", "*DELIMITER :", "*BUS_DELIMITER [ ]", "*T_UNIT 1 NS", "*C_UNIT 1 PF",
             "*R_UNIT 1 OHM", "*L_UNIT 1 HENRY", ""]
    lines += ["*PORTS", *(f"{port} {direction}" for port, direction in ports.items()), ""]
    for tree in trees.values():
        nodes = {}
        lines.append(f"*D_NET {tree.name} {sum(tree.loads.values()):.6g}")
        lines.append("*CONN")
        extra = []
        for pin, node in tree.pins.items():
            port = pin.removeprefix("PIN/")
            name = port if pin.startswith("PIN/") else pin.replace("/", ":")
            lines.append(f"*P {port} {ports[port]}" if pin.startswith("PIN/") else f"*I {name} {'O' if pin == tree.driver else 'I'}")
            if node in nodes:
                extra.append((nodes[node], name, 0.001))
            else:
                nodes[node] = name

        def node_name(node):
            return nodes.get(node, f"{tree.name}:{node}")

        lines.append("*CAP")
        lines += [f"{index} {node_name(node)} {load:.6g}" for index, (node, load) in enumerate(sorted(tree.loads.items()), 1)]
        lines.append("*RES")
        branches = [(node_name(a), node_name(b), ohm) for a, b, ohm in tree.branches] + extra
        lines += [f"{index} {a} {b} {max(ohm, 0.001):.6g}" for index, (a, b, ohm) in enumerate(branches, 1)]
        lines += ["*END", ""]
    return "\n".join(lines)


class Routed:
    """The wires of a laid-out element in each of ELEMENTS, paths of instances in a flattened array. FILE: layout's wires.json."""

    def __init__(self, file, elements):
        self.elements = tuple(f"{path}." for path in elements)
        try:
            self.nets = {name: (net["ff"] / 1000, net["pins"]) for name, net in json.loads(file.read_text()).items()}
        except (OSError, ValueError, TypeError, KeyError):
            raise Failed(f"{file} has no wires; make layout makes it") from None

    def has(self, cell):
        return cell.startswith(self.elements)

    def loads(self, nets):
        """pF of wire by net, of those that elements route. NETS: {CELL/PIN: net}, without constants."""
        found = collections.Counter()
        for element in self.elements:
            for name, (load, pins) in self.nets.items():
                there = {nets[element + pin] for pin in pins if element + pin in nets}  # what nothing reads is not there
                if len(there) > 1:
                    raise Failed(f"net {name} of the layout is more than one net of the array's element")
                found.update(dict.fromkeys(there, load))
        return found
