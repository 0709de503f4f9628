"""gatesim.c from Python: a part of a netlist as it reads it, a simulation, what it counted."""
import numpy

import job
import tables
from job import Failed
from mapped import CLOCKING, LATCH
from tables import EDGES

LANES = 64
NO_NET = 2**32 - 1
PINS = 6


class Part:
    """Some cells of a Netlist, as the simulator takes them: everything in it, or what INSIDE(cell's name) says and the clock's gates.
    `gates` and `flops` are indices of the netlist's; `boundary` are the nets that come from elsewhere."""

    def __init__(self, netlist, inside=lambda name: True, unit=0.005, half=10.0):
        self.netlist, self.unit, self.half = netlist, unit, half
        self.gates = [i for i, gate in enumerate(netlist.gates) if inside(gate.name) or gate.flags & CLOCKING or self.gates_clock(gate)]
        self.flops = [i for i, flop in enumerate(netlist.flops) if inside(flop.name)]
        gates = [netlist.gates[i] for i in self.gates]
        flops = [netlist.flops[i] for i in self.flops]
        driven = {gate.net for gate in gates} | {net for flop in flops for _, net, _ in flop.outputs} | {flop.state for flop in flops}
        read = {net for cell in gates + flops for net in cell.inputs.values()} | {flop.clock for flop in flops}
        self.boundary = sorted(read - driven - {0, 1, None, netlist.clock})

    def gates_clock(self, gate):
        return bool(gate.flags & LATCH) and gate.net in self.netlist.gating

    @staticmethod
    def sampled(flop):
        """What a flip-flop takes: a function, and its inputs' nets."""
        return flop.model.attribute("next_state"), flop.inputs

    def ticks(self, ns):
        return max(1, round(ns / self.unit))

    def write(self, path):
        """The netlist as gatesim reads it. Nets keep their numbers."""
        netlist, types, lines = self.netlist, {}, []
        kept = len(netlist.names)

        def type_of(function, pins):
            return types.setdefault((len(pins), tables.truth(function, pins)), len(types))

        for i in self.gates:
            gate, arcs = netlist.gates[i], netlist.gate_arcs[i]
            pins = list(gate.inputs)
            nets = [kept if net is None else net for net in gate.inputs.values()]
            delays = [[self.ticks(arcs[pin]["delay"][edge]) if pin in arcs else 1 for pin in pins] for edge in EDGES]
            lines.append([type_of(gate.output.function, pins), gate.net, gate.flags, *nets, *delays[0], *delays[1]])
        outputs = []
        for i in self.flops:
            flop = netlist.flops[i]
            function, inputs = self.sampled(flop)
            lines.append([type_of(function, list(inputs)), flop.clock, flop.state, *inputs.values()])
            for (_, net, inverted), arc in zip(flop.outputs, netlist.flop_delays[i]):
                outputs.append([net, flop.state, int(inverted), *(self.ticks(arc["delay"][edge]) for edge in EDGES)])
        inputs = [[net, 0, 0, *[self.ticks(netlist.arrivals[net])] * 2] for net in self.boundary]
        clock = NO_NET if netlist.clock is None else netlist.clock
        sizes = [kept, len(types), len(self.gates), len(self.flops), len(outputs), len(inputs), clock, self.ticks(self.half)]
        types = [[inputs, f"{table:x}"] for inputs, table in types]
        path.write_text("".join(" ".join(map(str, line)) + "\n" for line in [sizes, *types, *lines, *outputs, *inputs]))


class Counts:
    """Toggles of a Part over all lanes; `latest` in ns."""

    def __init__(self, part, data):
        gates, flops = len(part.gates), len(part.flops)
        outputs = sum(len(part.netlist.flops[i].outputs) for i in part.flops)
        at = 1
        self.latest = int(data[0]) * part.unit
        table = data[at:at + gates * (2 * PINS + 1)].reshape(gates, 2 * PINS + 1).astype(float)
        self.rises, self.falls, self.settled = table[:, :PINS], table[:, PINS:-1], table[:, -1]
        at += gates * (2 * PINS + 1)
        self.ticks = data[at:at + flops].astype(float)
        at += flops
        self.output_rises, self.output_falls = data[at:at + 2 * outputs].reshape(outputs, 2).astype(float).T
        at += 2 * outputs
        self.toggles = data[at:].astype(float)


def simulate(program, part, netlist, work, data, captured=(), window=(0, 0), waits=None, ready=None):
    """PART, which NETLIST is the file of, for every row of DATA (64 lanes of every net of its boundary).

    Gives the captured nets in every cycle, after the row of the stimulus that was there, and the Counts of the cycles in WINDOW. With WAITS
    there are no delays and no Counts, and a row where it is true is kept until the net READY is high."""
    settle = waits is not None
    with open(work / "stimulus", "wb") as file:
        numpy.array([*data.shape, len(captured), *window, NO_NET if ready is None else ready, *captured], "<u4").tofile(file)
        numpy.array(waits if settle else numpy.zeros(len(data)), numpy.uint8).tofile(file)
        numpy.ascontiguousarray(data, "<u8").tofile(file)
    try:
        job.run(program, *(["--settle"] if settle else []), netlist, work / "stimulus", work / "moved")
    except FileNotFoundError:
        raise Failed(f"there is no {program}; make builds it") from None
    words = numpy.fromfile(work / "moved", "<u8")
    width = 1 + len(captured)
    rows = len(words) // width if settle else len(data)
    found = words[:rows * width].reshape(rows, width)
    return found, None if settle else Counts(part, words[rows * width:])
