"""Cores under test: emitted, and what the tests need to know of them."""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rtl"))
import arrays  # noqa: E402


def emit(directory, *options):
    return arrays.emit(directory, "--core", "on", *options)


def registers(directory):
    """name -> offset, of the emitted header"""
    text = (directory / "daa_registers.h").read_text()
    return {name: int(offset, 16) for name, offset in re.findall(r"#define DAA_REG_(\w+) +0x(\w+)u", text)}


def manifest(directory):
    return json.loads((directory / "daa.json").read_text())
