"""Runs OpenSTA (package opensta), and reads what it says about paths."""
import collections
import re
import subprocess

import job
from job import Failed

# A point of a path: a pin, its cell, the delay since the point before.
Point = collections.namedtuple("Point", "pin cell delay")

POINT = re.compile(r"^ *(-?[\d.]+) +-?[\d.]+ [v^] (\S+) \((\S+)\)$")
SUMMARY = re.compile(r"^(\S+) \((\w+)\) +(\S+) \((\w+)\) +(-?[\d.]+)$", re.M)
PORT_KINDS = ("input", "output")


class End(collections.namedtuple("End", "start start_cell end end_cell slack")):
    """One line of a summary."""

    @property
    def from_port(self):
        return self.start_cell in PORT_KINDS

    @property
    def to_port(self):
        return self.end_cell in PORT_KINDS

    def source(self):
        return f"[get_ports {{{self.start}}}]" if self.from_port else f"[get_cells {{{self.start.rpartition('/')[0]}}}]"

    def target(self):
        return f"[get_ports {{{self.end}}}]" if self.to_port else f"[get_pins {{{self.end}}}]"


class Path(collections.namedtuple("Path", "start end slack points setup half")):
    """One path in full: its points from the first clock pin to the last data pin; HALF: it ends at the clock's fall, as a clock gate's does."""

    def needs(self, period):
        """The shortest period for this path, which was timed with PERIOD."""
        return period - self.slack * (2 if self.half else 1)


def version():
    try:
        said = subprocess.run(["sta", "-version"], capture_output=True, text=True, check=True).stdout.split()
    except FileNotFoundError:
        raise Failed("there is no sta; package opensta has it") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failed(f"sta cannot be run ({error})") from None
    return said[0] if said else "unknown"


class Sta:
    """Runs scripts in a directory, its scratch files in WORK below it."""

    def __init__(self, directory, work):
        self.directory = directory
        self.work = work
        self.version = version()

    def run(self, lines):
        """What a script prints; OpenSTA's first error is the failure."""
        (self.work / "script.tcl").write_text("\n".join(lines) + "\n")
        words = ["sta", "-no_init", "-no_splash", "-exit", f"{self.work.name}/script.tcl"]
        status, said, complaints = job.tool(words, self.directory, self.work)
        errors = [line for line in (said + complaints).split("\n") if line.startswith("Error")]
        if errors or status:
            raise Failed(f"sta failed: {errors[0] if errors else f'status {status}'}")
        return said


def wire_load(wire):
    """Commands that load each net with WIRE fF for each pin that it goes to."""
    return ["set_cmd_units -capacitance fF", "foreach net [get_nets *] {",
            "  set sinks [expr [llength [get_pins -of_objects $net]] - 1]",
            f"  if {{$sinks > 0}} {{ set_load -wire_load [expr {wire} * $sinks] $net }}", "}"]


def summary(report):
    """The lines of `report_checks -format summary`, worst first."""
    return sorted((End(*found[:4], float(found[4])) for found in SUMMARY.findall(report)), key=lambda end: end.slack)


def paths(report):
    """The paths of `report_checks -format full`, in its order."""
    for text in re.split(r"^Startpoint: ", report, flags=re.M)[1:]:
        slack = re.search(r"^ *(-?[\d.]+) +slack", text, re.M)
        end = re.search(r"^Endpoint: (\S+)", text, re.M)
        setup = re.search(r"^ *(-?[\d.]+) +-?[\d.]+ +library setup time", text, re.M)
        if not slack or not end:
            raise Failed("sta printed a path that cannot be read; OpenSTA 2.0.17 was tried")
        found = [POINT.match(line) for line in text.split("data arrival time")[0].split("\n")]
        points = [Point(point[2], point[3], float(point[1])) for point in found if point]
        half = "(fall edge)" in text.partition("data arrival time")[2]
        yield Path(text.split()[0], end[1], float(slack[1]), points, -float(setup[1]) if setup else 0.0, half)
