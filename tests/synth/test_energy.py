"""Energy: netlists of a few cells whose energies are computed by hand, toggles beside Icarus, and the whole command."""
import json
import math
import pathlib
import re
import subprocess
import sys

import numpy
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
import gatesim  # noqa: E402
import job  # noqa: E402
import liberty  # noqa: E402
import mapped  # noqa: E402
import power  # noqa: E402
import tables  # noqa: E402
import targets  # noqa: E402
import wires  # noqa: E402

OSU = job.LIBERTY
ALL = 2**64 - 1
HALF = 2**32 - 1  # the lower 32 lanes
WIRE = 0.5


def scalar(name, value):
    return f'{name}(scalar) {{ values ("{value}"); }}'


def arc(pin, rise, fall, power_rise, power_fall, kind=""):
    return (f'timing() {{ related_pin : "{pin}"; {kind} {scalar("cell_rise", rise)} {scalar("cell_fall", fall)} '
            f'{scalar("rise_transition", 0.1)} {scalar("fall_transition", 0.1)} }} '
            f'internal_power() {{ related_pin : "{pin}"; {scalar("rise_power", power_rise)} {scalar("fall_power", power_fall)} }}')


def pin(name, capacitance, passive=0.0, words=""):
    return (f'pin({name}) {{ direction : input; capacitance : {capacitance}; {words} '
            f'internal_power() {{ {scalar("rise_power", passive)} {scalar("fall_power", passive)} }} }}')


def gate(name, function, pins, *arcs):
    return f'cell({name}) {{ area : 1; {pins} pin(Y) {{ direction : output; function : "{function}"; {" ".join(arcs)} }} }}'


# 2 V: half C V^2 is twice the pF.
MINI = f"""library(mini) {{ nom_voltage : 2;
  {gate("INV", "A'", pin("A", 1), arc("A", 1.0, 1.0, 5, 7))}
  {gate("ND", "(A B)'", pin("A", 1, 0.25) + pin("B", 2), arc("A", 0.4, 0.3, 10, 20), arc("B", 0.4, 0.3, 30, 40))}
  {gate("SLOW", "(A B)'", pin("A", 1) + pin("B", 1), arc("A", 2, 2, 1, 1), arc("B", 2, 2, 1, 1))}
  cell(DFF) {{ area : 8; ff(IQ, IQN) {{ clocked_on : "C"; next_state : "D"; }} {pin("C", 3, 1.5, "clock : true;")} {pin("D", 1, 0.125)}
    pin(Q) {{ direction : output; function : "IQ"; {arc("C", 0.2, 0.2, 100, 200)} }} }}
  cell(DFR) {{ area : 9; ff(IQ, IQN) {{ clocked_on : "C"; next_state : "D"; clear : "R"; }} {pin("C", 3)} {pin("D", 1)} {pin("R", 1)}
    pin(Q) {{ direction : output; function : "IQ"; {arc("C", 0.2, 0.2, 1, 1)} }} }}
  cell(LAT) {{ area : 8; latch(IQ, IQN) {{ enable : "G'"; data_in : "D"; }} {pin("G", 1)} {pin("D", 1)}
    pin(Q) {{ direction : output; function : "IQ"; {arc("G", 0.2, 0.2, 1, 1)} {arc("D", 0.2, 0.2, 1, 1)} }} }}
  cell(AND) {{ area : 1; {pin("A", 1)} {pin("B", 1)}
    pin(Y) {{ direction : output; function : "A B"; {arc("A", 0.1, 0.1, 3, 4)} {arc("B", 0.1, 0.1, 3, 4)} }} }}
  cell(ICG) {{ area : 1; clock_gating_integrated_cell : latch_posedge_precontrol; {pin("CK", 1, 0, "clock_gate_clock_pin : true;")}
    {pin("E", 1, 0.5, "clock_gate_enable_pin : true;")} {pin("T", 1, 0, "clock_gate_test_pin : true;")}
    pin(Y) {{ direction : output; clock_gate_out_pin : true; {arc("CK", 0.1, 0.1, 3, 4)} }} }}
  cell(DARK) {{ area : 1; pin(A) {{ direction : input; }} pin(Y) {{ direction : output; function : "A"; }} }}
}}"""


def module(inputs, outputs, **cells):
    """A module as Yosys's JSON has it; cells as NAME=(TYPE, {pin: net}), nets by name."""
    number = {}

    def bit(name):
        return [name if name in ("0", "1") else number.setdefault(name, len(number) + 2)]

    ports = {name: {"direction": way, "bits": bit(name)} for way, names in (("input", inputs), ("output", outputs)) for name in names}
    found = {name: {"type": kind, "connections": {pin: bit(net) for pin, net in pins.items()}} for name, (kind, pins) in cells.items()}
    return {"ports": ports, "cells": found, "netnames": {name: {"bits": [bits]} for name, bits in number.items()}}


@pytest.fixture
def measure(build, tmp_path):
    """Energies of a module in pJ a lane by cell, for the words of its inputs row by row; all but the first row count."""

    def call(found, rows, library=None, half=4.0):
        netlist = mapped.Netlist(found, library or tables.Tables(liberty.Library(MINI)), WIRE)
        part = gatesim.Part(netlist, unit=0.01, half=half)
        part.boundary = [net for net in netlist.inputs if net != netlist.clock]
        part.write(tmp_path / "netlist")
        data = numpy.array(rows, numpy.uint64)
        seen, counts = gatesim.simulate(build / "gatesim", part, tmp_path / "netlist", tmp_path, data, netlist.outputs, (1, len(rows)))
        settled, _ = gatesim.simulate(build / "gatesim", part, tmp_path / "netlist", tmp_path, data, netlist.outputs,
                                      waits=numpy.zeros(len(data)), ready=netlist.outputs[0])
        assert (seen == settled).all()
        return power.Power(part).energies(counts, len(rows) - 1, lambda name: name), seen, counts

    return call


def test_one_nand(measure):
    found = module(["a", "b"], ["y"], u=("ND", {"A": "a", "B": "b", "Y": "y"}))
    rows = [[0, ALL], [ALL, ALL], [0, ALL], [HALF, ALL], [HALF, 0]]
    energy, seen, counts = measure(found, rows)
    assert [int(word) for word in seen[:, 1]] == [ALL, 0, ALL, ALL ^ HALF, ALL]
    # y hangs on wire alone, for the port: half C V^2 is 1. It falls by A in 1 and a half of the lanes, rises by A in 1, by B in a half.
    want = 1.5 * (20 + 1) + (10 + 1) + 0.5 * (30 + 1) + 2.5 * 0.25
    assert energy["u"] == pytest.approx({"functional": want, "glitch": 0.0, "clock": 0.0})
    assert counts.latest == pytest.approx(0.01 + 0.4)


@pytest.mark.parametrize("kind, pulses", [("ND", 1), ("SLOW", 0)])
def test_a_hazard_is_a_glitch_unless_the_gate_is_too_slow(measure, kind, pulses):
    found = module(["a"], ["y"], i=("INV", {"A": "a", "Y": "n"}), u=(kind, {"A": "a", "B": "n", "Y": "y"}))
    energy, _, _ = measure(found, [[0], [ALL], [0], [ALL]])
    # A rises twice: both inputs are high for the 1.0 ns of the inverter. y falls by A and rises by B.
    assert energy["u"]["glitch"] == pytest.approx(pulses * 2 * (20 + 1 + 30 + 1) + 0)
    assert energy["u"]["functional"] == pytest.approx(3 * 0.25 if kind == "ND" else 0)
    assert energy["i"]["functional"] == pytest.approx(2 * 7 + 5 + 3 * 2 * (2.5 if kind == "ND" else 1.5))


def test_one_flip_flop(measure):
    found = module(["clk_i", "d"], ["q"], f=("DFF", {"C": "clk_i", "D": "d", "Q": "q"}))
    energy, seen, _ = measure(found, [[0], [ALL], [0], [0], [ALL]])
    assert [int(word) for word in seen[:, 1]] == [0, 0, ALL, 0, 0]
    # The clock's pin has 4 cycles of 2 edges, each 1.5 and half C V^2 of pin and wire; d has 3 edges; q rises once and falls once.
    assert energy["f"] == pytest.approx({"functional": 3 * 0.125 + 100 + 1 + 200 + 1, "glitch": 0, "clock": 4 * 2 * (1.5 + 2 * 3.5)})


def test_wires_of_a_layout(tmp_path):
    """Two elements e and f, each two inverters and a flip-flop, and a gate o and a flip-flop p outside of them."""
    wired = {"a_i": (250, "i/A"), "n7": (1000, "i/Y", "j/A"), "y_o": (500, "j/Y"), "clk_i": (125, "d/C"), "n8": (62.5, "d/D", "d/Q")}
    element = {"i": ("INV", {"A": "a_i", "Y": "k"}), "j": ("INV", {"A": "k", "Y": "y_o"}), "d": ("DFF", {"C": "clk_i", "D": "h", "Q": "h"})}
    flat = {f"{name}.{cell}": (kind, {pin: nets.get(net, f"{name}_{net}") for pin, net in pins.items()}) for cell, (kind, pins) in element.items()
            for name, nets in (("e", {"a_i": "a", "y_o": "m", "clk_i": "clk_i"}), ("f", {"a_i": "m", "y_o": "n", "clk_i": "clk_i"}))}
    del flat["f.d"]  # nothing reads it
    found = module(["clk_i", "a"], ["y"], **flat, o=("ND", {"A": "n", "B": "a", "Y": "y"}), p=("DFF", {"C": "clk_i", "D": "a", "Q": "q"}))

    def netlist():
        (tmp_path / "wires.json").write_text(json.dumps({name: {"ff": load, "pins": pins} for name, (load, *pins) in wired.items()}))
        return mapped.Netlist(found, tables.Tables(liberty.Library(MINI)), WIRE, wires.Routed(tmp_path / "wires.json", ["e", "f"]))

    one = netlist()
    loads = {one.names[net]: load for net, load in enumerate(one.loads)}
    # e's wire of a, and to each of the two pins outside what is assumed; m has the wires of e's output and of f's input.
    assert loads["a"] == pytest.approx(1 + 2 + 1 + 0.25 + 2 * WIRE) and loads["m"] == pytest.approx(1 + 0.5 + 0.25)
    assert loads["n"] == pytest.approx(1 + 0.5 + WIRE) and loads["y"] == pytest.approx(WIRE)
    assert loads["e_k"] == pytest.approx(1 + 1) and loads["e_h"] == pytest.approx(1 + 0.0625)
    assert [one.wire_to(cell, one.clock) for cell in ("e.d", "p")] == [0.125, WIRE]
    wired["n9"] = 1, "i/A", "i/Y"
    with pytest.raises(job.Failed, match="net n9 of the layout is more than one net of the array's element"):
        netlist()
    (tmp_path / "wires.json").unlink()
    with pytest.raises(job.Failed, match="wires.json has no wires; make layout makes it"):
        wires.Routed(tmp_path / "wires.json", ["e"])


def test_a_clock_gate_stops_the_clock_pin(measure):
    found = module(["clk_i", "en", "d"], ["q"], l=("LAT", {"G": "clk_i", "D": "en", "Q": "e"}), g=("AND", {"A": "clk_i", "B": "e", "Y": "c"}),
                   f=("DFF", {"C": "c", "D": "d", "Q": "q"}))
    rows = [[HALF, 0], [HALF, ALL], [HALF, 0], [HALF, ALL], [0, 0], [0, ALL]]
    energy, seen, _ = measure(found, rows)
    assert [int(word) for word in seen[:, 1]] == [0, 0, HALF, 0, HALF, HALF]
    # Half of the lanes have an edge in the 4 cycles after a row with the enable.
    assert energy["f"]["clock"] == pytest.approx(0.5 * 4 * 2 * (1.5 + 2 * 3.5))
    assert energy["g"]["clock"] == pytest.approx(0.5 * 4 * (3 + 4) + 5 * 2 * 2 * 1.5)
    assert energy["g"]["functional"] == 0


def test_a_clock_gate_of_the_library(measure):
    found = module(["clk_i", "en", "d"], ["q"], g=("ICG", {"CK": "clk_i", "E": "en", "T": "0", "Y": "c"}), f=("DFF", {"C": "c", "D": "d", "Q": "q"}))
    rows = [[HALF, 0], [HALF, ALL], [HALF, 0], [HALF, ALL], [0, 0], [0, ALL]]
    energy, seen, _ = measure(found, rows)
    assert [int(word) for word in seen[:, 1]] == [0, 0, HALF, 0, HALF, HALF]
    assert energy["f"]["clock"] == pytest.approx(0.5 * 4 * 2 * (1.5 + 2 * 3.5))
    assert energy["g"]["clock"] == pytest.approx(0.5 * 4 * (3 + 4) + 5 * 2 * 2 * 1.5)
    assert energy["g"]["functional"] == pytest.approx(0.5 * 0.5)


@pytest.mark.parametrize("cells, said", [
    ({"u": ("NOR9", {"A": "a", "Y": "y"})}, "it has no cell NOR9"),
    ({"u": ("DARK", {"A": "a", "Y": "y"})}, "cell DARK has no table of internal energy"),
    ({"u": ("ND", {"A": "a", "B": "z", "Y": "y"}), "v": ("INV", {"A": "y", "Y": "z"})}, "loop of gates through [uv]"),
    ({"u": ("DFR", {"C": "clk_i", "D": "a", "R": "a", "Q": "y"})}, "uses its asynchronous clear"),
])
def test_netlists_that_cannot_be_measured(cells, said):
    with pytest.raises(liberty.LibertyError, match=said):
        mapped.Netlist(module(["clk_i", "a"], ["y"], **cells), tables.Tables(liberty.Library(MINI)), WIRE)


MULTIPLIER = """module top(input clk_i, input [7:0] a, b, output reg [19:0] c);
  reg [7:0] x, y; reg [15:0] p;
  always @(posedge clk_i) begin x <= a; y <= b; p <= x * y; c <= a == 0 ? 20'd0 : c + p; end
endmodule
"""
BENCH = """`timescale 1ns/10ps
module bench; reg clk_i = 0; reg [7:0] a = 0, b = 0; reg [15:0] words [0:{last}]; integer i; wire [19:0] c;
  top u (.clk_i(clk_i), .a(a), .b(b), .c(c));
  initial begin $readmemh("words.hex", words); $dumpfile("bench.vcd");
    for (i = 0; i <= {last}; i = i + 1) begin
      if (i == {start}) $dumpvars(1, u);
      clk_i = 1; #0.1 {{a, b}} = words[i]; #50 clk_i = 0; #49.9;
    end
    $finish;
  end
endmodule
"""


def specified(path):
    """The delays that the cells' Verilog states: {(cell, pin): {edge: ns}}, rounded to its precision of 10 ps as Verilog does."""
    found = {}

    def rounded(ns):
        return math.floor(ns * 100 + 0.5 + 1e-9) / 100

    for name, body in re.findall(r"^module (\w+) \((.*?)^endmodule", path.read_text(), re.S | re.M):
        value = {key: float(text.split(":")[1]) for key, text in re.findall(r"(tp\S+?) = ([\d.:]+)", body)}
        for pin_name, _, rise, fall in re.findall(r"\((\w+) \*> (\w+)\) = \((\S+?), (\S+?)\);", body):
            found[name, pin_name] = {edge: rounded(value[word] if word in value else float(word)) for edge, word in (("rise", rise), ("fall", fall))}
    return found


def icarus_toggles(path):
    """Changes of every net in a waveform, after the moment that it begins with."""
    code, toggles = {}, {}
    for line in path.read_text().splitlines():
        variable = re.match(r"\$var \w+ 1 (\S+) (.*?) \$end", line)
        if variable:
            code[variable.group(1)] = variable.group(2).lstrip("\\").replace(" ", "")
        elif line[:1] in "01xz" and line[1:] in code:
            name = code[line[1:]]
            toggles[name] = toggles.get(name, -1) + 1
    return toggles


def test_toggles_beside_icarus(build, tmp_path, seed):
    """One lane of a mapped multiplier and accumulator, with the delays of the cells' own Verilog in both simulators."""
    (tmp_path / "top.v").write_text(MULTIPLIER)
    script = (f"read_verilog top.v; synth -top top -flatten; dfflibmap -liberty {OSU}; abc -liberty {OSU}; splitnets; opt_clean -purge; "
              f"rename -enumerate -pattern n%; write_verilog -noattr -noexpr mapped.v; json -o mapped.json")
    subprocess.run(["yosys", "-q", "-p", script], cwd=tmp_path, check=True)
    netlist = mapped.Netlist(mapped.read(tmp_path / "mapped.json", "top"), tables.Tables(liberty.load(OSU)), 0.0)
    delays = specified(OSU.with_suffix(".v"))
    for item, arcs in zip(netlist.gates, netlist.gate_arcs):
        for name in arcs:
            arcs[name]["delay"] = delays[item.cell, name]
    for item, arcs in zip(netlist.flops, netlist.flop_delays):
        arcs[0]["delay"] = delays[item.cell, item.clock_pin]
    part = gatesim.Part(netlist, unit=0.01)
    part.boundary = [net for net in netlist.inputs if net != netlist.clock]
    for net in part.boundary:
        netlist.arrivals[net] = 0.1
    part.write(tmp_path / "netlist")

    count, start = 60, 10
    words = numpy.random.default_rng(seed).integers(0, 2**16, count)
    words[:8] = 0  # until nothing is unknown
    bits = numpy.array([[int(word) >> (8 + i) & 1 for i in range(8)] + [int(word) >> i & 1 for i in range(8)] for word in words])
    column = {net: bits[:, at] for at, net in enumerate(netlist.ports["a"] + netlist.ports["b"])}
    data = numpy.stack([column[net] for net in part.boundary], axis=1).astype(numpy.uint64) * numpy.uint64(ALL)
    _, counts = gatesim.simulate(build / "gatesim", part, tmp_path / "netlist", tmp_path, data, window=(start, count))

    (tmp_path / "words.hex").write_text("".join(f"{int(word):04x}\n" for word in words))
    (tmp_path / "bench.v").write_text(BENCH.format(last=count - 1, start=start))
    subprocess.run(["iverilog", "-g2005", "-gspecify", "-Ttyp", "-o", "bench.vvp", "bench.v", "mapped.v", OSU.with_suffix(".v")], cwd=tmp_path,
                   check=True, capture_output=True)
    subprocess.run(["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True)
    theirs = icarus_toggles(tmp_path / "bench.vcd")
    ours = {netlist.names[netlist.gates[i].net]: counts.rises[at].sum() + counts.falls[at].sum() for at, i in enumerate(part.gates)}
    ours = {name: value / 64 for name, value in ours.items() if name in theirs}
    assert len(ours) > 300
    mine, other, settled = sum(ours.values()), sum(theirs[name] for name in ours), counts.settled.sum() / 64
    print(f"{len(ours)} nets: {mine:.0f} toggles, Icarus {other}, without delays {settled:.0f}")
    assert other == pytest.approx(mine, rel=0.01)
    assert mine > 1.3 * settled, "hardly a glitch: the delays play no part"


SMALL = ("--streams", 1, "--format", "e3m1", "--acc-format", "e5m7", "--specials", "off", "--rows", 2, "--cols", 2)


@pytest.fixture
def energy(root, build, run):
    def call(directory, *words, build=build):
        return run("/usr/bin/python3", root / "synth/energy.py", directory, "--build", build, *words)

    return call


@pytest.fixture
def operands(tmp_path, seed):
    random = numpy.random.default_rng(seed)
    for name, shape in (("a", (7, 9)), ("b", (9, 30))):
        matrix = random.standard_normal(shape).astype(numpy.float32)
        matrix[random.random(shape) < 0.3] = 0
        numpy.save(tmp_path / f"{name}.npy", matrix)
    return "--a", tmp_path / "a.npy", "--b", tmp_path / "b.npy"


@pytest.mark.early
def test_the_command(emit, energy, operands):
    array = emit("tiny", *SMALL)
    done = energy(array, *operands)
    assert done.returncode == 0, done.stderr
    report = json.loads((array / "energy.json").read_text())
    assert set(report["pj_per_mac"]) == {"gemm", "all"}
    found = report["kinds"]["all"]
    element = sum(found["element"].values())
    assert report["element_pj_per_mac"]["all"] == pytest.approx(element, abs=1e-4)
    assert sum(sum(block.values()) for block in found["blocks"].values()) == pytest.approx(element, abs=1e-4)
    assert report["pj_per_mac"]["all"] == pytest.approx(element + sum(sum(edge.values()) for edge in found["edges"].values()), abs=1e-4)
    assert all(found["element"][part] > 0 for part in power.PARTS)
    assert {"accumulator", "high multipliers", "operand registers", "across blocks"} <= set(found["blocks"])
    assert {"decoder", "skew"} <= set(found["edges"])
    assert f"{report['pj_per_mac']['all']:.2f}" in done.stdout and "every result is the golden model's" in done.stdout
    assert not [path for path in array.iterdir() if path.name.startswith(".")]


@pytest.mark.long
def test_clock_gates(emit, energy, operands):
    """The same bits for less, though the gates count."""
    found = {}
    for gating in "off", "on":
        array = emit("tiny", *SMALL, "--clock-gating", gating)
        done = energy(array, *operands)
        assert done.returncode == 0, done.stderr
        found[gating] = json.loads((array / "energy.json").read_text())["kinds"]["all"]
    clock = {gating: found[gating]["element"]["clock"] for gating in found}
    assert clock["on"] < clock["off"], clock
    logic = {gating: found[gating]["blocks"]["element logic"]["clock"] for gating in found}
    assert logic["on"] > logic["off"], "gates cost nothing"


def timed(array, name):
    """The report that make timing would leave, as far as energy reads it."""
    found = {"hash": json.loads((array / "daa.json").read_text())["hash"], "library_sha256": liberty.load(OSU).sha256, "recipe": name}
    (array / "timing.json").write_text(json.dumps(found))
    return "--mapping", "timing", "--no-blocks"


@pytest.mark.early
def test_the_mapping_of_the_timing_report(emit, energy, operands):
    array = emit("tiny", *SMALL)
    done = energy(array, *operands, "--mapping", "timing")
    assert (done.returncode, done.stdout) == (1, "") and "timing.json is not of this array and library; make timing makes it" in done.stderr
    name = targets.SPEED_RECIPES[0].name
    done = energy(array, *operands, *timed(array, name))
    assert done.returncode == 0, done.stderr
    report = json.loads((array / "energy.json").read_text())
    assert report["mapping"] == name and report["kinds"]["all"]["blocks"] == {} and report["pj_per_mac"]["all"] > 0


@pytest.mark.early
def test_wrong_bits_are_an_error_that_names_one(emit, energy, operands):
    array = emit("tiny", *SMALL)
    multiplier = array / "rtl/daa_mul.v"
    text = multiplier.read_text()
    changed = re.sub(r"assign product_o = (.*);", r"assign product_o = (\1) ^ 1;", text)
    assert changed != text
    multiplier.write_text(changed)
    done = energy(array, *operands, *timed(array, targets.SPEED_RECIPES[0].name))
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(r"energy: the netlist's results are wrong: mismatch: C\[\d+\]\[\d+\] is 0x", done.stderr.strip().splitlines()[-1])
    assert not (array / "energy.json").exists()
    assert not [path for path in array.iterdir() if path.name.startswith(".")]


def test_refusals(emit, energy, operands, tmp_path):
    array = emit("tiny", *SMALL)

    def refused(*words, status=1, text, **options):
        done = energy(array, *words, **options)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert text in done.stderr.strip().splitlines()[-1] and "Traceback" not in done.stderr

    bad = tmp_path / "bad.npy"
    refused("--a", operands[1], status=2, text="A and B go together")
    refused("--a", operands[1], "--b", operands[1], text="A is 7 x 9 and B is 7 x 9; B must have 9 rows")
    refused("--a", operands[1], "--b", tmp_path / "none.npy", text="none.npy cannot be read")
    bad.write_text("no matrix")
    refused("--a", bad, "--b", bad, text="bad.npy cannot be read")
    numpy.save(bad, numpy.zeros(3))
    refused("--a", bad, "--b", bad, text="it must be a matrix")
    refused("--operands", tmp_path / "nowhere", text="has no NAME.a.npy")
    for wire in "much", "-1", "nan":
        refused(f"--wire={wire}", status=2, text="WIRE must be 0 or more, in fF for each pin, or the word layout")
    refused(*operands, "--wire", "layout", text="layout/layout.json is not of this array and library; make layout makes it")
    numpy.save(bad, numpy.full((9, 4), numpy.inf, numpy.float32))
    refused("--a", operands[1], "--b", bad, text="energy: a.npy, bad.npy: B.npy: ")
    (tmp_path / "index.json").write_text("[]")
    refused("--operands", tmp_path, text="index.json has no list of gemms")
    dark = tmp_path / "dark.lib"
    dark.write_text(re.sub(r"internal_power", "external_power", OSU.read_text()))
    refused(*operands, "--liberty", dark, text="dark.lib: cell NAND2X1 has no table of internal energy")
    refused(*operands, build=tmp_path, text="daavec; make builds it")


def test_make_asks_for_no_operands_but_those_given(run):
    assert "--operands" not in run("make", "-n", "energy", "DIR=x").stdout
    assert '--operands "here"' in run("make", "-n", "energy", "DIR=x", "OPERANDS=here").stdout
