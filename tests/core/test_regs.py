"""The registers: their Verilog under random masters, and what is emitted from the same table."""
import re

import pytest

import cores

CASES = {
    "tiny": (120000, "--config tiny"),
    "one": (60000, "--config tiny --queue 1 --bus-bits 64 --streams 1"),
    "wide": (60000, "--config fp8 --rows 16 --cols 16 --queue 8 --bus-bits 512"),
    "three": (60000, "--rows 3 --cols 5 --queue 3 --axi-id-bits 8 --outstanding 16 --accumulator anchored"),
}


def constants(array):
    """offset -> value of what the registers say about the configuration, from daa.json alone"""
    manifest = cores.manifest(array)
    options, at = manifest["options"], cores.registers(array)
    major, minor, patch = map(int, manifest["version"].split("."))
    exps, fracs = {}, {}
    encodings = {"e4m3": 1, "e3m2": 2, "e2m3": 2, "e2m1": 2}
    for name in ("a", "b", "acc", "out"):
        form = cores.arrays.Format(options[f"{name}-format"])
        exps[name], fracs[name] = form.exp, form.frac | encodings.get(form.name, 0) << 5
    return {
        at["ID"]: int.from_bytes(b"DAA1", "big"),
        at["VERSION"]: major << 16 | minor << 8 | patch,
        at["HASH_LO"]: int(manifest["hash"][8:], 16),
        at["HASH_HI"]: int(manifest["hash"][:8], 16),
        at["ARRAY"]: options["rows"] | options["cols"] << 12 | options["streams"] << 24 |
            (options["specials"] == "on") << 28,
        at["OPERANDS"]: exps["a"] | fracs["a"] << 4 | exps["b"] << 16 | fracs["b"] << 20,
        at["RESULTS"]: exps["acc"] | fracs["acc"] << 4 | exps["out"] << 16 | fracs["out"] << 20,
        at["BLOCK"]: options["block-m"] | options["block-n"] << 16,
        at["BLOCK_K"]: options["block-k"],
        at["BUS"]: options["bus-bits"] | options["outstanding"] << 12 | options["axi-id-bits"] << 20 | options["queue"] << 24,
    }


def settings(array):
    options = cores.manifest(array)["options"]
    pairs = ", ".join("{%d, %du}" % pair for pair in constants(array).items())
    return (f"enum {{ QUEUE = {options['queue']}, BEAT_BYTES = {options['bus-bits'] // 8}, MACS_MOST = "
            f"{options['rows'] * options['cols'] * options['streams']} }};\n#define CONSTANTS {{{pairs}}}\n")


def verilate(array, root):
    (array / "settings.h").write_text(settings(array))
    sources = [array / "rtl" / f"daa_{name}.v" for name in ("regs", "counter", "ring", "ram")]
    return cores.arrays.model(array / "obj_regs", "daa_regs", "Vregs", ["-Wall", "--assert", *sources], root / "tests/core/check_regs.cpp",
                              defines=[f"-I{array}"])


@pytest.mark.parametrize("case", CASES)
def test_random_masters(case, root, seed, tmp_path):
    cycles, options = CASES[case]
    array = cores.emit(tmp_path / "core", *options.split())
    done = cores.arrays.run(verilate(array, root), seed, cycles)
    assert "all right" in done.stdout
    print(f"{case}: {done.stdout}")


def test_header_and_manual_are_of_every_configuration(root, tmp_path):
    """driver/daa_registers.h and docs/registers.md are what any core is emitted with."""
    for number, (_, options) in enumerate(CASES.values()):
        array = cores.emit(tmp_path / str(number), *options.split())
        for emitted, kept in ("daa_registers.h", "driver/daa_registers.h"), ("daa_registers.md", "docs/registers.md"):
            assert (array / emitted).read_text() == (root / kept).read_text(), f"copy {emitted} of a core to {kept}"


def test_offsets_and_fields_do_not_meet(root):
    rows = re.findall(r"^\| 0x(\w+) \| `(\w+)` \| ([\d:]+) \|", (root / "docs/registers.md").read_text(), re.M)
    taken = {}
    for offset, name, place in rows:
        assert int(offset, 16) % 4 == 0 and taken.setdefault(offset, (name, set()))[0] == name
        ends = [int(end) for end in place.split(":")]
        bits = set(range(ends[-1], ends[0] + 1))
        assert max(bits) < 32 and not bits & taken[offset][1]
        taken[offset][1].update(bits)
    assert len(taken) > 60 and list(taken) == sorted(taken)
    assert len({name for name, _ in taken.values()}) == len(taken)


READ_RDL = """
import sys
from systemrdl import RDLCompiler
from systemrdl.node import FieldNode
compiler = RDLCompiler()
compiler.compile_file(sys.argv[1])
for node in compiler.elaborate().top.descendants():
    if isinstance(node, FieldNode):
        print(node.parent.inst_name, node.parent.absolute_address, node.inst_name, node.low, node.high, node.get_property("reset") or 0)
"""


def test_systemrdl(root, run, tmp_path):
    """The .rdl says the same as header and daa.json, to SystemRDL's own compiler."""
    python = root / "build/tools/bin/python3"
    if not python.exists() or run(python, "-c", "import systemrdl").returncode != 0:
        pytest.skip("there is no systemrdl-compiler; make tools installs it")
    array = cores.emit(tmp_path / "core", *CASES["wide"][1].split())
    fields = [line.split() for line in cores.arrays.run(python, "-c", READ_RDL, array / "daa_registers.rdl").stdout.splitlines()]
    assert {name: int(at) for name, at, *_ in fields} == cores.registers(array)
    values = dict.fromkeys(cores.registers(array).values(), 0)
    for _, at, _, low, _, reset in fields:
        values[int(at)] |= int(reset) << int(low)
    assert {at: value for at, value in values.items() if value} == constants(array)
