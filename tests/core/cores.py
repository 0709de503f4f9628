"""Cores under test: emitted, and what the tests need to know of them."""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rtl"))
import arrays  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


def emit(directory, *options):
    return arrays.emit(directory, "--core", "on", *options)


def registers(directory):
    """name -> offset, of the emitted header"""
    text = (directory / "daa_registers.h").read_text()
    return {name: int(offset, 16) for name, offset in re.findall(r"#define DAA_REG_(\w+) +0x(\w+)u", text)}


def manifest(directory):
    return json.loads((directory / "daa.json").read_text())


def program(core, name):
    """The Verilated core as the program NAME, built soon rather than fast."""
    arrays.verilators_library()
    arrays.make(f"DIR={core}", "OPT=-O0", "VERILATE_JOBS=1", core / name)
    return core / name


HARNESS = ["tb/core/bus.c", "tb/core/memory.c", "tb/core/rules.c", "driver/daa_core.c"]


def stand_in(array, program):
    """PROGRAM on the harness around tests/core/traffic.v, which takes the core's place in the emitted ARRAY."""
    root, objects = arrays.ROOT, array / "obj_stand_in"
    objects.mkdir()
    rtl = [array / "rtl" / f"daa_{name}.v" for name in ("regs", "counter", "ring", "ram")]
    made = []
    for source in [root / name for name in HARNESS] + [program]:
        made.append(objects / (source.stem + ".c.o"))
        arrays.run("gcc", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-c", source, "-o", made[-1])
    return arrays.model(objects, "daa_core", "Vcore", ["-Wno-fatal", "-Wno-WIDTH", root / "tests/core/traffic.v", *rtl], root / "tb/core/face.cpp",
                        *made, arrays.BUILD / "libdaa.a", "-ljansson",
                        defines=[f"-I{array}", '-DDAA_ROOT=""', "-DVM_TRACE_FST=0"])
