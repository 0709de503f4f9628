"""The whole array for timing: its control, its edges and the first elements as they are, of all others what loads the nets.

Of a large array only the first two rows and columns of elements are there in full. The elements below them in column 0 are
shells, the gates that touch their ports, so that the column's buses drive what they drive in the array. Of the edges of further rows and
columns there is what hands control on, the counters of the buffers, and shells of their memories: the nets that reach all
columns have their loads. The rest is left out; its paths are those of the first ones. A net between units that goes to more than SINKS of them gets a tree of buffers.
"""
import json
import re

import job

FULL = 2  # rows and columns of elements that are there in full
SINKS = 4  # of a net between units, and of a buffer

ELEMENT = re.compile(r"g_row\[(\d+)\]\.g_col\[(\d+)\]\.u_pe$")
EDGE = re.compile(r"g_[ab]\[(\d+)\]\.(.*)")
REACHED = re.compile(r"u_\w+_buffer\.|(g_later\.)?u_(control|turn|more)$")


def keep(name):
    """How the unit NAME takes part: "full", "shell" or not at all."""
    if element := ELEMENT.search(name):
        row, column = int(element[1]), int(element[2])
        return "full" if row < FULL and column < FULL else "shell" if column == 0 else None
    if (edge := EDGE.search(name)) and int(edge[1]) >= FULL:
        return None if not REACHED.match(edge[2]) else "shell" if edge[2].endswith("u_ram") else "full"
    return "full"


def wires(bits):
    return [bit for bit in bits if isinstance(bit, int)]


def shell(module, clock="clk_i"):
    """Of a mapped module, the cells at its ports."""
    ends = {bit for name, port in module["ports"].items() if name != clock for bit in wires(port["bits"])}
    cells = {name: cell for name, cell in module["cells"].items()
             if any(bit in ends for port in cell["connections"].values() for bit in wires(port))}
    return {**module, "cells": cells}


class Buffers:
    """Trees of buffers, put into the module TOP."""

    def __init__(self, top, modules, cells):
        """CELLS: the library's smallest buffers; the last one of them is taken. Without any, nothing is buffered."""
        self.top, self.modules, self.cell = top, modules, cells[-1] if cells else None
        self.next = 1 + max(bit for net in top["netnames"].values() for bit in wires(net["bits"]))
        self.added = self.levels = 0

    def sinks(self, clock):
        """(instance, port, index) of every input by the net at it."""
        found = {}
        for name, instance in self.top["cells"].items():
            for port, bits in instance["connections"].items():
                if self.modules[instance["type"]]["ports"][port]["direction"] == "input":
                    for index, bit in enumerate(bits):
                        if isinstance(bit, int) and bit not in clock:
                            found.setdefault(bit, []).append((name, port, index))
        return found

    def insert(self):
        clock = set(self.top["ports"]["clk_i"]["bits"])
        instances = self.top["cells"]
        for root, sinks in self.sinks(clock).items() if self.cell else ():
            level = 0
            while len(sinks) > SINKS:
                groups = [sinks[i:i + SINKS] for i in range(0, len(sinks), SINKS)]
                level += 1
                sinks = []
                for group in groups:
                    for name, port, index in group:
                        instances[name]["connections"][port][index] = self.next
                    sinks.append(self.buffer(root, self.next))
                    self.next += 1
            self.levels = max(self.levels, level)

    def buffer(self, source, target):
        pin_in, pin_out = self.cell.function().inputs[0], self.cell.outputs[0].arguments[0]
        name = f"buffer_{self.added}"
        self.added += 1
        self.top["cells"][name] = {"hide_name": 0, "type": self.cell.name, "parameters": {}, "attributes": {},
                                   "port_directions": {pin_in: "input", pin_out: "output"},
                                   "connections": {pin_in: [source], pin_out: [target]}}
        return name, pin_in, 0


def build(shape, target, yosys, recipe):
    """The array at its own size as the scratch file frame.v; how many buffers its nets took, and in how many levels."""
    place, top = yosys.place, shape.emitted.top
    units = shape.unit_modules()
    target.attempt(yosys, [*target.source(yosys), "flatten"], units, recipe, "unnamed.il")
    yosys.run([f"read_rtlil {place('unnamed.il')}", "rename -enumerate -pattern _%_", f"write_rtlil {place('mapped.il')}"])
    library = [f"read_liberty -lib -ignore_miss_func {place('cells.lib')}"]
    yosys.run([*shape.read(), shape.hierarchy, *job.keep_only([top, *shape.containers()]), "proc", f"read_rtlil {place('mapped.il')}",
               "setattr -mod -set keep_hierarchy 1 " + " ".join(units), *library, f"hierarchy -top {top}", "flatten", "opt_clean",
               "setattr -mod -unset keep_hierarchy *", *(f"select -add {name}" for name in (top, *units)), f"json -o {place('frame.json')}"])
    design = json.loads((yosys.work / "frame.json").read_text())
    modules = design["modules"]
    instances = modules[top]["cells"]
    for name, instance in list(instances.items()):
        part = keep(name)
        if part is None:
            del instances[name]
        elif part == "shell":
            kind = instance["type"]
            if f"{kind}_shell" not in modules:
                modules[f"{kind}_shell"] = shell(modules[kind])
            instance["type"] = f"{kind}_shell"
    buffers = Buffers(modules[top], modules, target.library.buffers[:2])
    buffers.insert()
    (yosys.work / "framed.json").write_text(json.dumps(design))
    yosys.run([f"read_json {place('framed.json')}", *library, f"hierarchy -top {top}", "flatten", "setattr -set keep 1 c:*",
               "splitnets", "opt_clean -purge",
               f"write_verilog -noattr -noexpr {place('frame.v')}"])
    return buffers.added, buffers.levels
