"""Netlists as Yosys writes them (BLIF, flat, gates and flip-flops): read, unrolled over cycles, joined with a specification."""


class Netlist:
    """Inputs, outputs, gates as (nets, rows of a truth table), flip-flops as (d, q). A cell of another kind is cut out: what goes
    into it is an output of the netlist, what comes out an input, each named INSTANCE.PORT."""

    def __init__(self, path):
        self.inputs, self.outputs, self.gates, self.registers, self.cells = [], [], [], [], []
        rows, cell = None, []
        for line in path.read_text().replace("\\\n", " ").split("\n"):
            words = line.partition("#")[0].split()
            if not words:
                continue
            if words[0] == ".inputs":
                self.inputs += words[1:]
            elif words[0] == ".outputs":
                self.outputs += words[1:]
            elif words[0] == ".names":
                rows = []
                self.gates.append((words[1:], rows))
            elif words[0] == ".latch":
                self.registers.append((words[1], words[2]))
            elif words[0] == ".subckt":
                cell = [word.partition("=")[::2] for word in words[2:]]
            elif words[0] == ".cname":
                self.cut(words[1], cell)
                cell = []
            elif not words[0].startswith("."):
                rows.append(line.strip())
            elif words[0] not in (".model", ".end"):
                raise ValueError(f"{path}: {words[0]} is neither gate nor flip-flop")
        self.close()

    def cut(self, instance, pins):
        """Which pins are outputs is not written; the ports' names say it."""
        self.cells.append((instance, pins))

    def close(self):
        for instance, pins in self.cells:
            for pin, net in pins:
                if not split(pin)[0].endswith("_o"):
                    self.gates.append(([net, f"{instance}.{pin}"], ["1 1"]))
                    self.outputs.append(f"{instance}.{pin}")
                else:
                    self.gates.append(([f"{instance}.{pin}", net], ["1 1"]))
                    self.inputs.append(f"{instance}.{pin}")


def split(net):
    """`port[3]` is bit 3 of port; a port of one bit has no brackets."""
    name, bracket, index = net.rpartition("[")
    return (name, int(index[:-1])) if bracket and index.endswith("]") else (net, 0)


def gate(nets, rows):
    return [".names " + " ".join(nets), *rows]


def same(source, target):
    return gate([source, target], ["1 1"])


def joined(dut, check, frames, drive, sample, state):
    """The text of a BLIF without its .inputs, and its inputs: DUT unrolled over FRAMES cycles from any state, and CHECK.

    DRIVE: port of DUT -> what it has in each cycle, the last one for all later: 0, 1, a port of CHECK or (port, lowest bit), or
    None for anything.
    SAMPLE: input of CHECK -> (output or register of DUT, cycle), or a list of those, the lowest bits first.
    STATE: register of DUT -> what it has in the first cycle, 0, 1 or a port of CHECK; the others have anything."""
    ports = {}
    for net in check.inputs + check.outputs:
        ports.setdefault(split(net), net)
    lines, free = [], []
    outputs = {split(net): net for net in [*dut.outputs, *(q for _, q in dut.registers)]}
    sampled = {}
    for port, sources in sample.items():
        base = 0
        for output, cycle in sources if isinstance(sources, list) else [sources]:
            for bit in range(sum(name == output for name, _ in outputs)):
                sampled[ports[(port, base)]] = f"{outputs[(output, bit)]}@{cycle}"
                base += 1
    for net in dut.inputs:
        name, bit = split(net)
        words = drive.get(name, [0])
        for cycle in range(frames):
            word, at = words[min(cycle, len(words) - 1)], f"{net}@{cycle}"
            if word is None:
                free.append(at)
            elif word in (0, 1):
                lines += gate([at], ["1"] if word else [])
            else:
                word, low = word if isinstance(word, tuple) else (word, 0)
                lines += same(f"c:{ports[(word, bit + low)]}", at)
    for _, q in dut.registers:
        name, bit = split(q)
        word = state.get(name)
        if word is None:
            free.append(f"{q}@0")
        elif word in (0, 1):
            lines += gate([f"{q}@0"], ["1"] if word else [])
        else:
            lines += same(f"c:{ports[(word, bit)]}", f"{q}@0")
    for cycle in range(frames):
        for nets, rows in dut.gates:
            lines += gate([f"{net}@{cycle}" for net in nets], rows)
        if cycle + 1 < frames:
            for d, q in dut.registers:
                lines += same(f"{d}@{cycle}", f"{q}@{cycle + 1}")
    for net, source in sampled.items():
        lines += same(source, f"c:{net}")
    for nets, rows in check.gates:
        lines += gate([f"c:{net}" for net in nets], rows)
    return lines, [f"c:{net}" for net in check.inputs if net not in sampled] + free


def write(path, inputs, output, lines):
    path.write_text("\n".join([".model proof", ".inputs " + " ".join(inputs), f".outputs {output}", *lines, ".end"]) + "\n")
