"""Energy of a core's gates, its elements and memories apart, a multiply-accumulate: a job is recorded on the Verilated core at the pins of
the array, the memories and the bus, and replayed on the mapped netlist with the library's delays.

The netlist is first run without delays through the whole recording; all that it gives to the array, the memories and the bus must be what the core
gave. Then 64 slices of the middle of the job run side by side with delays, each from the state that the first run had there.
"""
import re
import shutil

import numpy

import energy
import gatesim
import job
import liberty
import mapped
import power
import tables
from gatesim import LANES
from job import Failed

ALL = numpy.uint64(0xFFFFFFFFFFFFFFFF)
WIRE, UNIT, LATENCY = 0.006, 0.002, 64  # pF a pin; ns; cycles to memory
PRODUCTS = 2  # in a job, each of one block of C and two blocks along K
ORDERS = {"forward": ["--b-order", "columns"], "input_grad": [], "weight_grad": ["--a-order", "columns"]}
METHOD = (f"Energy: jobs on training operands, recorded at the pins of array, memories and bus on the Verilated core, replayed on the mapped netlist "
          f"with delays, {1000 * WIRE:g} fF a pin; every output is the core's. No clock tree; inputs change at the clock.")


# Into a copy of a module, so that it writes its ports in every cycle.
RECORDER = """
  integer record_file;
  initial record_file = $fopen({{$sformatf("%m"), ".hex"}}, "w");
  always @(posedge clk_i) $fwrite(record_file, "%h\\n", {{{}}});
"""


class Recording:
    """What a job does at the ports of the core and of its boxes, cycle by cycle."""

    def __init__(self, emitted, work, module, boxes):
        self.place = work / "recorded"
        self.top = f"{emitted.prefix}_core"
        inner = {port for box in boxes for port in box.ports}
        width = {port: len(module["ports"][port]["bits"]) for port in module["ports"]}
        # By place: the module, its ports and their widths, and what they are called in the netlist.
        own = [port for port in module["ports"] if port not in inner and port != "clk_i"]
        self.sites = {"": ("core", {port: (width[port], port) for port in own})}
        for box in boxes:
            self.sites[box.place] = (box.kind, {pin: (width[port], port) for port, pin in box.ports.items()})
        shutil.copytree(emitted.directory, self.place, ignore=lambda folder, names: [name for name in names if name not in ("rtl", "daa.json", "daa.f")
                                                                                       and not name.endswith((".h", ".v"))])
        for kind, ports in dict(self.sites.values()).items():
            path = self.place / "rtl" / f"{emitted.prefix}_{kind}.v"
            head, end, rest = path.read_text().rpartition("endmodule")
            path.write_text(head + RECORDER.format(", ".join(ports)) + end + rest)
        job.run("make", "-s", "core", f"DIR={self.place}")

    def play(self, a, b, words):
        """Bits by the netlist's name of a port, [cycle, bit]."""
        numpy.save(self.place / "A.npy", a)
        numpy.save(self.place / "B.npy", b)
        status, _, said = job.tool(["./daacore", *map(str, words)], self.place, self.place)
        if status:
            raise Failed(f"the core's job failed: {said.strip()}")
        files = {self.plain(path.name): path for path in self.place.glob("*.hex")}
        found = {}
        for place, (_, ports) in self.sites.items():
            bits = self.read(files[self.plain(f"{self.top}{'.' * bool(place)}{place}.hex")], sum(width for width, _ in ports.values()))
            for width, port in reversed(ports.values()):  # the last one has the lowest bits
                found[port], bits = bits[:, :width], bits[:, width:]
        return found

    def plain(self, name):
        """A place as Verilator or Yosys write it."""
        return re.sub(r".*?\b(?=" + self.top + r"\b)", "", name.replace("__BRA__", "[").replace("__KET__", "]").replace("\\", ""), count=1)

    @staticmethod
    def read(path, width):
        """[cycle, bit], the lowest bit first."""
        text = numpy.frombuffer(path.read_bytes(), numpy.uint8).reshape(-1, (width + 3) // 4 + 1)[:, :-1]
        digits = numpy.where(text > 57, text - 87, text - 48).astype(numpy.uint8)
        bits = (digits[:, :, None] >> numpy.array([3, 2, 1, 0], numpy.uint8)) & 1
        return bits.reshape(len(text), -1)[:, ::-1][:, :width]


class Started(gatesim.Part):
    """A whole netlist whose flip-flops take the state that they are given where a net of its own is high: the last of its boundary."""

    def __init__(self, netlist):
        super().__init__(netlist, unit=UNIT)
        self.own = self.boundary
        self.given = {flop.name: self.extra(f"given to {flop.name}") for flop in netlist.flops}
        self.load = self.extra("load")
        self.boundary = [*self.own, *self.given.values(), self.load]

    def extra(self, name):
        self.netlist.arrivals.append(0.0)
        return self.netlist.net(name)

    def sampled(self, flop):
        function = flop.model.attribute("next_state")
        return (liberty.Function(f"LOAD GIVEN + LOAD' ({function.text})"),
                {**flop.inputs, "LOAD": self.load, "GIVEN": self.given[flop.name]})


class Replay:
    """Finds the energy of a core that parts.py has mapped."""

    def __init__(self, emitted, target, work, build):
        self.emitted, self.target, self.work, self.simulator = emitted, target, work, build.resolve() / "gatesim"
        options = emitted.options
        self.block = {name: options[f"block-{name}"] for name in "mnk"}
        self.cycles = 2 * self.block["m"] * self.block["n"] * self.block["k"] // (options["rows"] * options["cols"] * options["streams"])
        self.slice = -(-self.cycles // LANES)

    def measure(self, core, module, boxes):
        with job.step("verilating the core"):
            recording = Recording(self.emitted, self.work, module, boxes)
        with job.step("the netlist with its delays"):
            self.netlist = mapped.Netlist(module, tables.Tables(self.target.library), WIRE)
            self.part = Started(self.netlist)
            self.part.write(self.work / "core.gates")
            self.power = power.Power(self.part)
        kinds = {}
        for kind, orders in ORDERS.items():
            a, b = self.operands(kind)
            with job.step(f"a job, {energy.KINDS[kind]}"):
                ports = recording.play(a, b, ["--a", "A.npy", "--b", "B.npy", "-o", "C.npy", "--batch", PRODUCTS, "--latency", LATENCY, *orders])
                kinds[kind] = self.job(core, ports, boxes)
        return {"wire_ff": 1000 * WIRE, "latency": LATENCY, "cycles": self.slice * LANES, "kinds": kinds}

    def operands(self, kind):
        """A and B of PRODUCTS products, one below the other: GEMMs of training, repeated to the blocks' size."""
        names = [path.name.removesuffix(".a.npy") for path in sorted(energy.OPERANDS.glob(f"*.{kind}.a.npy"))]
        pairs = [[numpy.load(energy.OPERANDS / f"{name}.{side}.npy") for side in "ab"] for name in names]
        chosen = [pair for pair in pairs if pair[0].shape[1] == max(a.shape[1] for a, _ in pairs)]
        chosen = [chosen[0], chosen[-1]]
        m, n, k = self.block["m"], self.block["n"], 2 * self.block["k"]

        def filled(matrix, rows, columns):
            return numpy.tile(matrix, (-(-rows // matrix.shape[0]), -(-columns // matrix.shape[1])))[:rows, :columns]

        return numpy.vstack([filled(a, m, k) for a, _ in chosen]), numpy.vstack([filled(b, k, n) for _, b in chosen])

    def job(self, core, ports, boxes):
        """pJ a MAC by part, and bits of the memories a MAC, while the second and the third block are computed."""
        array, = (box for box in boxes if box.kind == "array")
        pins = {pin: ports[port] for port, pin in array.ports.items()}
        steps = (pins["a_valid_i"] & pins["a_ready_o"])[:, 0].astype(bool)
        begin = int(numpy.flatnonzero(steps)[0]) + self.cycles // 2
        window = slice(begin + 1, begin + 1 + self.slice * LANES)
        options = self.emitted.options
        macs = int(steps[window].sum()) * options["rows"] * options["cols"] * options["streams"]
        inputs, outputs = self.lines(ports)
        starts = self.settle(inputs, outputs, begin)
        counts = self.timed(inputs, begin, starts)
        found = self.power.energies(counts, self.slice, core.part_of)
        parts = {name: {which: value * LANES / macs for which, value in figures.items()} for name, figures in sorted(found.items())}
        return {"macs": macs, "macs_per_cycle": macs / (self.slice * LANES), "settled_ns": counts.latest, "parts": parts,
                "memory_bits_per_mac": self.traffic(core, ports, boxes, window, macs)}

    def lines(self, ports):
        """The recording as columns: of the nets of the boundary, and (net, column) of what goes out."""
        column = {net: ports[name][:, bit] for name, nets in self.netlist.ports.items() if name in ports for bit, net in enumerate(nets)}
        inputs = numpy.stack([column[net] for net in self.part.own], axis=1).astype(bool)
        outputs = [(net, column[net]) for net in dict.fromkeys(self.netlist.outputs) if net > 1 and net != self.netlist.clock]
        return inputs, outputs

    def rows(self, lines, state):
        """Stimulus: LINES behind one that sets the STATE; both [.., lane]."""
        data = numpy.zeros((len(lines) + 1, len(self.part.boundary)), numpy.uint64)
        own = len(self.part.own)
        data[1:, :own] = lines
        data[0, :own] = lines[0]
        data[0, own:-1] = state
        data[0, -1] = ALL
        return data

    def settle(self, inputs, outputs, begin):
        """States of the flip-flops where the slices begin. Every output of the netlist is compared with the core's."""
        states = [flop.state for flop in self.netlist.flops]
        captured = [net for net, _ in outputs] + states
        wanted = numpy.stack([column for _, column in outputs], axis=1).astype(bool)
        state, starts = numpy.zeros(len(states), numpy.uint64), []
        edges = [*range(begin % self.slice, begin + self.slice * LANES, self.slice)]
        for first, last in zip([0, *edges] if edges[0] else edges, edges if edges[0] else edges[1:]):
            lines = numpy.where(inputs[first:last + 1], ALL, numpy.uint64(0))
            data = self.rows(lines, state)
            found, _ = gatesim.simulate(self.simulator, self.part, self.work / "core.gates", self.work, data, captured, waits=numpy.zeros(len(data)))
            got = (found[1:, 1:1 + len(outputs)] & numpy.uint64(1)).astype(bool)
            if (got != wanted[first:last + 1]).any():
                cycle, which = numpy.argwhere(got != wanted[first:last + 1])[0]
                raise Failed(f"the netlist's {self.netlist.names[outputs[which][0]]} is wrong in cycle {first + cycle} of the job")
            if first >= begin:
                starts.append(state)
            state = found[-1, 1 + len(outputs):]
        return [*starts, state][:LANES]

    def timed(self, inputs, begin, starts):
        """Counts of 64 slices with delays."""
        def packed(bits):  # [.., net, lane]
            return numpy.packbits(bits, axis=-1, bitorder="little").view("<u8")[..., 0]

        slices = numpy.stack([inputs[begin + lane * self.slice:][:self.slice + 1] for lane in range(LANES)], axis=-1)
        state = packed(numpy.stack(starts, axis=-1).astype(bool))
        data = self.rows(packed(slices), state)
        return gatesim.simulate(self.simulator, self.part, self.work / "core.gates", self.work, data, (), (2, len(data)))[1]

    def traffic(self, core, ports, boxes, window, macs):
        """Bits read and written a MAC, by the part that the memories are of."""
        found = {}
        for box in (box for box in boxes if box.kind == "ram"):
            pins = {pin: ports[port][window] for port, pin in box.ports.items()}
            whole = pins["write_data_i"].shape[1]
            each = found.setdefault(box.place.partition(".")[0].removeprefix("u_"), {"read": 0.0, "written": 0.0})
            each["read"] += float(pins["read_i"].sum()) * pins["read_data_o"].shape[1] / macs
            each["written"] += float(pins["write_i"].sum()) * whole / pins["write_i"].shape[1] / macs
        return found


def mean(report):
    """pJ a MAC by part, and bits of the memories, over the kinds of jobs."""
    def of(pick):
        names = sorted({name for each in report["kinds"].values() for name in pick(each)})
        return {name: sum(sum(pick(each).get(name, {}).values()) for each in report["kinds"].values()) / len(report["kinds"]) for name in names}

    return of(lambda each: each["parts"]), of(lambda each: each["memory_bits_per_mac"])


def lines(report):
    kinds = report["kinds"]
    yield f"{'pJ a MAC of the whole core':34}" + "".join(f"{energy.KINDS[kind]:>16}" for kind in kinds)
    parts = mean(report)[0]
    for name in sorted(parts, key=lambda name: -parts[name]):
        yield f"  {name:32}" + "".join(f"{power_of(each['parts'].get(name)):>16.3f}" for each in kinds.values())
    yield f"{'all but elements and memories':34}" + "".join(f"{sum(map(power_of, each['parts'].values())):>16.3f}" for each in kinds.values())
    yield f"{'  of it clock pins':34}" + "".join(f"{sum(parts['clock'] for parts in each['parts'].values()):>16.3f}" for each in kinds.values())
    for name in next(iter(kinds.values()))["memory_bits_per_mac"]:
        yield (f"{'bits of ' + name + ', read + written a MAC':34}"
               + "".join(f"{'{read:.2f} + {written:.2f}'.format(**each['memory_bits_per_mac'][name]):>16}" for each in kinds.values()))


def power_of(parts):
    return sum(parts.values()) if parts else 0.0
