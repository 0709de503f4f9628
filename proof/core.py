"""`make proof-core`: rules of AXI, registers, queues and handshakes of the core's modules, for every input and any number of cycles,
by induction and property-directed reachability of the ABC that comes with Yosys.

core.py [--only NAME] [CONFIG]: of each emitted module NAME the assumptions and assertions in core/NAME.v are put into a copy, where they see
its registers, and ABC shows that none of the assertions can fail.
"""
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "common"))
from command import Failed, Parser, Usage, main, run  # noqa: E402

# Module -> its small parameters, and modules whose outputs may be anything but what is assumed: they are in no assertion.
PROOFS = {
    "job": ({"BlockM": 4, "BlockN": 2, "BlockK": 4, "CountBits": 5}, ()),
    "addresses": ({"BlockM": 4, "BlockN": 2, "BlockK": 4, "CountBits": 3}, ()),  # of job
    "tiles": ({"CountBits": 6}, ()),
    "feed": ({"Rows": 2, "Cols": 2, "CountBits": 7, "AWord": 8, "BWord": 16, "AWords": 4, "BWords": 2, "ABlock": 8, "BBlock": 4,
              "AAtBits": 4, "BAtBits": 3}, ("tiles",)),
    "sums": ({"Rows": 2, "Cols": 2, "BlockM": 4, "BlockN": 6, "CountBits": 5}, ("tiles", "elements", "ram")),
    "queue": ({"Width": 3, "Depth": 3}, ()),
    "bursts": ({"CountBits": 3, "BytesBits": 15}, ()),
    "load": ({"Outstanding": 2}, ()),
    "store": ({"Outstanding": 2, "CountBits": 10}, ("cast",)),
    "regs": ({}, ("counter",)),
}
MODULES = {"addresses": "job"}  # where it is not the proof's name
PATIENCE = 600  # seconds for one way with one module
# Tried in turn: plain induction, its first cycles and then a step from 4 cycles in which all holds; an induction that ABC finds itself;
# a search for a fault. The ABC of Debian 13 calls undecided what scorr has reduced to nothing; then PDR takes it as it came.
WAYS = "bmc3 -F 6; ind -F 5 -C 0", "bmc3 -F 12 -T 30", "scorr; pdr -T 60", "bmc3 -T 120", "pdr"


def anything(text):
    """The module with free outputs."""
    head = text[: text.index(");\n\n") + 2]
    names = re.findall(r"^ *output wire *(\[.*?\])? *(\w+)", head, re.M)
    free = "\n".join(f"  (* anyseq *) reg {bounds} any_{name};\n  assign {name} = any_{name};" for bounds, name in names)
    return f"{head}\n{free}\nendmodule\n"


def check(name, rtl, prefix, work):
    parameters, free = PROOFS[name]
    module = MODULES.get(name, name)
    top = f"{prefix}_{module}"
    work.mkdir(parents=True, exist_ok=True)
    text = (rtl / f"{top}.v").read_text()
    end = text.rindex("endmodule")
    inside = (HERE / "core" / f"{name}.v").read_text()
    # Nothing is asserted of the first cycle, which is a reset.
    past = "\n  reg past = 1'b0;\n  always @(posedge clk_i) past <= 1'b1;\n"
    (work / "top.v").write_text(text[:end] + past + inside + text[end:])
    (work / "free.v").write_text("`default_nettype wire\n" + "".join(anything((rtl / f"{prefix}_{other}.v").read_text()) for other in free))
    others = [file for file in sorted(rtl.glob("*.v")) if file.stem not in {top, *(f"{prefix}_{other}" for other in free)}]
    words = " ".join(f'"{file}"' for file in [work / "top.v", work / "free.v", *others])
    sets = "".join(f"chparam -set {parameter} {value} {top}\n" for parameter, value in parameters.items())
    (work / "script.ys").write_text(
        f"read_verilog -formal -sv {words}\n{sets}prep -top {top} -flatten\ndelete -output {top}/o:*\nopt_clean\nmemory_map\nasync2sync\n"
        "dffunmap\nopt -full\nsetundef -undriven -anyseq\nopt_clean\ntechmap\nopt -full\ndffunmap\nsimplemap\naigmap\nopt_clean\n"
        "write_aiger -zinit netlist.aig\n")
    done = subprocess.run(["yosys", "-q", "-s", "script.ys"], cwd=work, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise Failed(f"{name}: yosys failed: {([line for line in done.stderr.splitlines() if 'ERROR' in line] or ['?'])[-1]}")
    asserted = inside.count("assert (")
    for way in WAYS:
        # One output for all assertions, so that each may use the others.
        steps = f"read_aiger netlist.aig; fold; strash; orpos; {way}"
        said = subprocess.run(["yosys-abc", "-c", steps], cwd=work, capture_output=True, text=True, timeout=PATIENCE).stdout
        fails = re.search(r"was asserted in frame (\d+)", said)
        if fails:
            raise Failed(f"{name}: an assertion of proof/core/{name}.v fails in cycle {fails[1]}")
        if "Property proved" in said or "Networks are equivalent" in said:
            return asserted
    raise Failed(f"{name}: ABC did not decide")


def job():
    parser = Parser(prog="proof-core", description="Modules of the core against assertions, by ABC.")
    parser.add_argument("config", nargs="?", default="tiny")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    words = parser.parse_args()
    if words.only and words.only not in PROOFS:
        raise Usage(f"there is no proof '{words.only}'; there are {', '.join(PROOFS)}")
    place = words.build.resolve() / "proof" / "core" / words.config.replace("/", "_")
    run(words.build.resolve() / "daagen", "--config", words.config, "--core", "on", "--prefix", "daa", "-o", place / "emitted")
    for name in [words.only] if words.only else PROOFS:
        start = time.monotonic()
        asserted = check(name, place / "emitted" / "rtl", "daa", place / name)
        print(f"{words.config}: {name}: {asserted} assertions hold, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main("proof-core", job))
