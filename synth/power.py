"""What the toggles of a simulated part of a netlist cost, from the tables of its cells.

A gate's output edge takes the internal energy of the arc that caused it, and half C V^2 of what hangs on the net. An edge at an
input pin takes the pin's own internal energy. A flip-flop's clock pin, and the clock's wire to it, take theirs in every cycle that
has a clock edge there; gates between the clock and the clock pins are counted by their edges.
"""
import collections

import numpy

from gatesim import LANES, PINS
from tables import EDGES

PARTS = ("functional", "glitch", "clock")  # settled toggles; what real delays add; clock pins and clock gates


class Power:
    """pJ of every event that gatesim counts in a Part."""

    def __init__(self, part):
        self.part, self.netlist = part, part.netlist
        netlist = part.netlist
        half = netlist.tables.voltage ** 2 / 2
        gates = [netlist.gates[i] for i in self.part.gates]
        self.clocked = numpy.array([gate.net in netlist.clocking for gate in gates], bool)
        self.switch = numpy.array([0.0 if gate.net in netlist.clocking else netlist.loads[gate.net] * half for gate in gates])
        self.edges = {edge: numpy.zeros((len(gates), PINS)) for edge in EDGES}
        counted = set()
        self.pins = []  # (cell, net, pJ a toggle) of gates; the clock's pins carry their share of its net too
        for at, (index, gate) in enumerate(zip(self.part.gates, gates)):
            for k, pin in enumerate(gate.inputs):
                if pin in netlist.gate_arcs[index]:
                    for edge in EDGES:
                        self.edges[edge][at, k] = netlist.gate_arcs[index][pin]["power"][edge]
                if pin in gate.model.passive and (gate.name, pin) not in counted:  # once for all outputs of a cell
                    counted.add((gate.name, pin))
                    self.pins.append((at, gate.inputs[pin], self.pin_energy(gate, pin, gate.inputs[pin])))
        self.flop_pins, self.flop_clock, self.flop_outputs = [], [], []
        for at, index in enumerate(self.part.flops):
            flop = netlist.flops[index]
            self.flop_clock.append(2 * self.pin_energy(flop, flop.clock_pin, flop.clock))
            self.flop_pins += [(at, net, self.pin_energy(flop, pin, net)) for pin, net in flop.inputs.items() if net != flop.state]
            self.flop_outputs += [(at, arc["power"], netlist.loads[net] * half)
                                  for (_, net, _), arc in zip(flop.outputs, netlist.flop_delays[index])]

    def pin_energy(self, cell, pin, net):
        energy = self.netlist.passive(cell.model, pin, net)
        if net in self.netlist.clocking:
            energy += (cell.model.capacitance[pin] + self.netlist.wire_to(cell.name, net)) * self.netlist.tables.voltage ** 2 / 2
        return energy

    def energies(self, counts, cycles, role):
        """By ROLE(cell's name), None not counted: PARTS in pJ a lane. What an input pin takes counts for its cell."""
        moved = counts.rises.sum(1) + counts.falls.sum(1)
        gate = (counts.rises * self.edges["rise"]).sum(1) + (counts.falls * self.edges["fall"]).sum(1) + moved * self.switch
        useful = numpy.where(self.clocked, moved, counts.settled)
        share = numpy.divide(useful, moved, out=numpy.zeros_like(moved), where=moved > 0)
        settled = {self.netlist.gates[i].net: useful[at] for at, i in enumerate(self.part.gates)}
        sums = collections.defaultdict(lambda: dict.fromkeys(PARTS, 0.0))

        def add(cell, functional, glitch, clock=0.0):
            who = role(cell.name)
            for part, value in zip(PARTS, (functional, glitch, clock)) if who else ():
                sums[who][part] += value / LANES

        gates = [self.netlist.gates[i] for i in self.part.gates]
        flops = [self.netlist.flops[i] for i in self.part.flops]
        for at, cell in enumerate(gates):
            if self.clocked[at]:
                add(cell, 0.0, 0.0, gate[at])
            else:
                add(cell, gate[at] * share[at], gate[at] * (1 - share[at]))
        for cells, pins in ((gates, self.pins), (flops, self.flop_pins)):
            for at, net, energy in pins:
                if net in self.netlist.clocking:
                    add(cells[at], 0.0, 0.0, energy * (2 * LANES * cycles if net == self.netlist.clock else counts.toggles[net]))
                else:
                    useful = settled.get(net, counts.toggles[net])
                    add(cells[at], energy * useful, energy * (counts.toggles[net] - useful))
        for at, energy in enumerate(self.flop_clock):
            add(flops[at], 0.0, 0.0, energy * counts.ticks[at])
        for (at, power, switch), rises, falls in zip(self.flop_outputs, counts.output_rises, counts.output_falls):
            add(flops[at], rises * (power["rise"] + switch) + falls * (power["fall"] + switch), 0.0)
        return sums
