"""Cores under test: emitted, and what the tests need to know of them."""
import fcntl
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
    with open(arrays.BUILD / "verilated.lock", "w") as lock:  # what all models share is built by one worker at a time
        fcntl.flock(lock, fcntl.LOCK_EX)
        arrays.make("verilated")
    arrays.make(f"DIR={core}", "OPT=-O0", "VERILATE_JOBS=1", core / name)
    return core / name


HARNESS = ["tb/core/bus.c", "tb/core/memory.c", "tb/core/rules.c", "driver/daa_core.c"]


def stand_in(array, program):
    """PROGRAM on the harness around tests/core/traffic.v, which takes the core's place in the emitted ARRAY."""
    root, objects = arrays.ROOT, array / "obj_stand_in"
    rtl = [array / "rtl" / f"daa_{name}.v" for name in ("regs", "counter", "ring", "ram")]
    arrays.run("verilator", "--cc", "-O3", "-Wno-fatal", "-Wno-WIDTH", "--x-initial", "unique", "--prefix", "Vcore", "--Mdir", objects,
               "--top-module", "daa_core", root / "tests/core/traffic.v", *rtl)
    arrays.run("make", "-s", "-C", objects, "-f", "Vcore.mk", "OPT_FAST=-O1", "Vcore__ALL.a", "verilated.o", "verilated_threads.o")
    include = arrays.run("verilator", "--getenv", "VERILATOR_ROOT").stdout.strip() + "/include"
    arrays.run("g++", "-O1", "-w", f"-I{objects}", f"-I{array}", f"-I{include}", f"-I{include}/vltstd", '-DDAA_ROOT=""', "-DVM_TRACE_FST=0",
               "-c", root / "tb/core/face.cpp", "-o", objects / "face.o")
    made = []
    for source in [root / name for name in HARNESS] + [program]:
        made.append(objects / (source.stem + ".c.o"))
        arrays.run("gcc", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-c", source, "-o", made[-1])
    arrays.run("g++", objects / "face.o", *made, objects / "Vcore__ALL.a", objects / "verilated.o", objects / "verilated_threads.o", arrays.BUILD / "libdaa.a",
               "-ljansson", "-lm", "-lpthread", "-o", objects / "check")
    return objects / "check"
