"""A mapped netlist, as Yosys writes it in JSON, with what the library's tables make of it: loads, slews, delays, energies.

Slews are fixed for each net before anything moves: the mean over the arcs of the gate that drives it. Delays and energies are
looked up once, at those slews and loads.
"""
import collections
import json

import liberty
import tables
from liberty import LibertyError
from tables import EDGES, mean

LATCH, CLOCKING = 1, 2
SLEW = 0.1  # ns, of the clock, of the netlist's inputs and of nets that would be buffered
MANY = 64  # pins on a net that would be buffered

Gate = collections.namedtuple("Gate", "cell name model output inputs net flags")  # inputs: {pin: net}, in the simulator's order
Flop = collections.namedtuple("Flop", "cell name model inputs clock clock_pin state outputs")  # outputs: [(Output, net, inverted)]


class Netlist:
    """Cells and nets of one module. Nets are numbers; 0 and 1 are the constants."""

    def __init__(self, module, found, wire, routed=None, clock="clk_i"):
        """MODULE: a module of Yosys's JSON; FOUND: tables.Tables; WIRE: pF for every pin that a net goes to, but where ROUTED, of
        wires.py, knows better."""
        self.tables, self.wire, self.routed = found, wire, routed
        self.names = ["1'b0", "1'b1"]
        self.number = {"0": 0, "1": 1, "x": 0, "z": 0}
        self.ports = {name: [self.net(bit) for bit in port["bits"]] for name, port in module["ports"].items()}
        self.inputs = [net for name, port in module["ports"].items() if port["direction"] == "input" for net in self.ports[name]]
        self.outputs = [net for name, port in module["ports"].items() if port["direction"] == "output" for net in self.ports[name]]
        self.clock = self.ports[clock][0] if clock in self.ports else None
        self.read_cells(module["cells"])
        self.name_nets(module)
        self.load()
        self.order()
        self.find_clocking()
        self.characterize()

    def net(self, bit):
        if bit not in self.number:
            self.number[bit] = len(self.names)
            self.names.append(f"net {bit}")
        return self.number[bit]

    def name_nets(self, module):
        for name, found in module["netnames"].items():
            for index, bit in enumerate(found["bits"]):
                if isinstance(bit, int) and bit in self.number:
                    self.names[self.number[bit]] = name if len(found["bits"]) == 1 else f"{name}[{index}]"

    # Cells.

    def read_cells(self, cells):
        self.gates, self.flops, self.leakage, self.pins, self.places = [], [], {}, collections.defaultdict(list), {}
        for name, cell in cells.items():
            model = self.tables.model(cell["type"].removeprefix("\\"))
            nets = {pin: self.net(bits[0]) for pin, bits in cell["connections"].items() if bits}
            self.places.update({f"{name}/{pin}": net for pin, net in nets.items() if net > 1})
            self.leakage[name] = model.leakage
            for pin in model.capacitance:
                if pin in nets:
                    self.pins[nets[pin]].append((name, model, pin))
            if not any(output.name in nets for output in model.outputs):
                continue
            model.need_power()
            if model.gating:
                self.add_clock_gate(name, model, nets)
            elif model.latch:
                self.add_latch(name, model, nets)
            elif model.sequential:
                self.add_flop(name, model, nets)
            else:
                self.add_gate(name, model, nets)

    def add_gate(self, name, model, nets):
        for output in model.outputs:
            if output.name not in nets:
                continue
            if output.function is None:
                raise LibertyError(f"cell {model.name} has no function for its output {output.name}")
            pins = output.function.inputs
            self.gates.append(Gate(model.name, name, model, output, {pin: nets.get(pin, 0) for pin in pins}, nets[output.name], 0))

    @staticmethod
    def pin_of(model, name):
        """The pin that attribute NAME is, and whether it is inverted."""
        text = (model.sequential.attributes.get(name) or "").strip(" ()")
        pin = text.strip("!' ()")
        if pin not in model.capacitance:
            raise LibertyError(f"cell {model.name}: {name} is '{text}'; only a pin can be simulated")
        return pin, text != pin

    def quiet(self, name, model, nets):
        """Set and reset of a flip-flop must be tied off: nothing here simulates them."""
        for what in ("clear", "preset"):
            function = model.attribute(what)
            if function and (any(nets.get(pin, 0) > 1 for pin in function.inputs)
                             or function.evaluate({pin: bool(nets.get(pin, 0)) for pin in function.inputs})):
                raise LibertyError(f"{name} ({model.name}) uses its asynchronous {what}, which cannot be simulated")

    def add_flop(self, name, model, nets):
        pin, inverted = self.pin_of(model, "clocked_on")
        if inverted:
            raise LibertyError(f"{name} ({model.name}) is clocked by a falling edge, which cannot be simulated")
        self.quiet(name, model, nets)
        state = self.net(f"state of {name}")
        self.names[state] = f"state of {name}"
        function = model.attribute("next_state")
        inputs = {}
        for each in function.inputs:
            if len(model.states) > 1 and each == model.states[1]:
                raise LibertyError(f"cell {model.name}: next_state reads {each}, which cannot be simulated")
            inputs[each] = state if each == model.states[0] else nets.get(each, 0)
        outputs = [(output, nets[output.name], self.inverted(model, output)) for output in model.outputs if output.name in nets]
        self.flops.append(Flop(model.name, name, model, inputs, nets[pin], pin, state, outputs))

    @staticmethod
    def inverted(model, output):
        text = output.function.text.strip(" ()") if output.function else ""
        bare = text.strip("!' ()")
        if bare not in model.states:
            raise LibertyError(f"cell {model.name}: output {output.name} is '{text}'; it must be the flip-flop's value")
        return (bare != text) != (bare == model.states[-1] and len(model.states) > 1)

    def add_latch(self, name, model, nets):
        enable, inverted = self.pin_of(model, "enable")
        data, data_inverted = self.pin_of(model, "data_in")
        self.quiet(name, model, nets)
        for output in model.outputs:
            if output.name in nets:
                opened = f"{enable}'" if inverted else enable
                closed = enable if inverted else f"{enable}'"
                taken = f"{data}'" if data_inverted != self.inverted(model, output) else data
                function = liberty.Function(f"{opened} {taken} + {closed} KEPT")
                inputs = {enable: nets.get(enable, 0), data: nets.get(data, 0), "KEPT": None}
                self.gates.append(Gate(model.name, name, model, output.computing(function), inputs, nets[output.name], LATCH))

    def add_clock_gate(self, name, model, nets):
        """A cell that is a latch, open while the clock is low, and an AND behind it."""
        if not model.gating.startswith("latch_posedge") or not {"clock", "enable"} <= set(model.roles) or len(model.outputs) != 1:
            raise LibertyError(f"cell {model.name} gates a clock as '{model.gating}', which cannot be simulated; latch_posedge can")
        clock = model.roles["clock"]
        enables = [model.roles[role] for role in ("enable", "test") if role in model.roles]
        held = self.net(f"state of {name}")
        self.names[held] = f"state of {name}"
        output = model.outputs[0]
        latch = output.computing(liberty.Function(f"{clock}' ({' + '.join(enables)}) + {clock} KEPT"), frozenset([clock, *enables]))
        inputs = {clock: nets.get(clock, 0), **{pin: nets.get(pin, 0) for pin in enables}, "KEPT": None}
        self.gates.append(Gate(model.name, name, model, latch, inputs, held, LATCH))
        gated = output.computing(liberty.Function(f"{clock} HELD"), frozenset(["HELD"]))
        self.gates.append(Gate(model.name, name, model, gated, {clock: nets.get(clock, 0), "HELD": held}, nets[output.name], 0))

    # Nets.

    def load(self):
        """pF that drives hang on: pins and wire; the clock's are counted at the clock pins."""
        fans = collections.Counter(self.outputs)
        loads = collections.Counter()
        for net, pins in self.pins.items():
            fans[net] += len(pins)
            loads[net] += sum(model.capacitance[pin] for _, model, pin in pins)
        self.fans = fans
        routed = self.routed.loads(self.places) if self.routed else {}
        inside = {net: sum(self.routed.has(cell) for cell, _, _ in self.pins[net]) for net in routed}
        self.shares = {net: load / inside[net] for net, load in routed.items() if inside[net]}
        self.loads = [loads[net] + routed.get(net, 0.0) + self.wire * (fans[net] - inside.get(net, 0)) for net in range(len(self.names))]

    def wire_to(self, cell, net):
        """pF of a net's wire to a pin of a cell."""
        return self.shares[net] if net in self.shares and self.routed.has(cell) else self.wire

    def order(self):
        """Gates after those that drive them."""
        driver = {gate.net: index for index, gate in enumerate(self.gates)}
        waits = [sum(1 for net in gate.inputs.values() if net in driver) for gate in self.gates]
        readers = collections.defaultdict(list)
        for index, gate in enumerate(self.gates):
            for net in gate.inputs.values():
                if net in driver:
                    readers[driver[net]].append(index)
        ready = [index for index, count in enumerate(waits) if count == 0]
        for index in ready:
            for reader in readers[index]:
                waits[reader] -= 1
                if waits[reader] == 0:
                    ready.append(reader)
        if len(ready) < len(self.gates):
            stuck = next(gate for gate, count in zip(self.gates, waits) if count)
            raise LibertyError(f"the netlist has a loop of gates through {stuck.name}")
        self.gates = [self.gates[index] for index in ready]

    def find_clocking(self):
        """Marks the gates between the clock and the clock pins."""
        self.clocking, self.gating = {self.clock}, set()  # nets that the clock moves; nets that gate them
        for index, gate in enumerate(self.gates):
            if not gate.flags & LATCH and any(net in self.clocking for net in gate.inputs.values()):
                self.gates[index] = gate._replace(flags=gate.flags | CLOCKING)
                self.clocking.add(gate.net)
                self.gating.update(gate.inputs.values())

    def characterize(self):
        """Slew and latest arrival of every net; delay and energy of every arc, as {edge: value}."""
        self.slews, self.arrivals = [SLEW] * len(self.names), [0.0] * len(self.names)
        self.flop_delays = [[self.arc(output, flop.clock_pin, SLEW, net) for output, net, _ in flop.outputs] for flop in self.flops]
        for flop, arcs in zip(self.flops, self.flop_delays):
            for (output, net, _), arc in zip(flop.outputs, arcs):
                self.slews[net] = SLEW if self.fans[net] > MANY else arc["slew"]
                self.arrivals[net] = max(arc["delay"].values())
        self.gate_arcs = []
        for gate in self.gates:
            arcs = {pin: self.arc(gate.output, pin, self.slews[net], gate.net) for pin, net in gate.inputs.items() if net is not None}
            self.gate_arcs.append(arcs)
            if arcs and not gate.flags & CLOCKING:
                self.slews[gate.net] = SLEW if self.fans[gate.net] > MANY else sum(arc["slew"] for arc in arcs.values()) / len(arcs)
                self.arrivals[gate.net] = max(self.arrivals[gate.inputs[pin]] + max(arc["delay"].values()) for pin, arc in arcs.items())

    def arc(self, output, pin, slew, net):
        if pin in output.inner:
            return {"delay": dict.fromkeys(EDGES, 0.0), "power": dict.fromkeys(EDGES, 0.0), "slew": SLEW}
        arc = output.arcs.get(pin)
        if arc is None or not any(arc.delay.values()):
            raise LibertyError(f"output {output.name} of {self.names[net]} has no delay from {pin}")
        load = self.loads[net]
        slews = [mean(arc.slew[edge], slew, load) for edge in EDGES if arc.slew[edge]]
        return {"delay": {edge: mean(arc.delay[edge], slew, load) for edge in EDGES},
                "power": {edge: mean(arc.power[edge], slew, load) for edge in EDGES},
                "slew": sum(slews) / len(slews) if slews else SLEW}

    def passive(self, model, pin, net):
        """Energy of one change of an input pin: the mean of rise and fall."""
        return sum(mean(model.passive[pin][edge], self.slews[net], 0.0) for edge in EDGES) / 2


def read(path, top):
    """Module TOP of a file that Yosys's json wrote."""
    return json.loads(path.read_text())["modules"][top]
