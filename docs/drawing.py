"""Draws docs/timing.svg, the interface's timing, from a simulation of the `tiny` array: drawing.py DIR [SVG]."""
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "common"))
from command import main, write_whole  # noqa: E402

SIGNALS = ("a_valid_i", "a_ready_o", "b_ready_o", "a_last_i", "a_c0_i", "c0_valid_i", "c0_ready_o", "c_valid_o",
           "c_ready_i", "c_last_o")


class Scenario(NamedTuple):
    title: str
    steps: tuple  # of each tile
    c0: tuple  # does the tile start from C0?
    not_ready: tuple  # cycles in which results are not taken
    cycles: int


SCENARIOS = (
    Scenario("A tile of 3 steps that starts from C0: when all of its rows are in", (3,), (1,), (), 18),
    Scenario("Two tiles of Rows = 2 steps, no lost cycle; then two of one step, spaced to Rows cycles", (2, 2, 1, 1),
             (0, 0, 1, 1), (), 19),
    Scenario("Rows of results that are not taken wait inside; a tile's last step waits until there is room for its rows",
             (2,) * 7, (0,) * 7, range(10, 17), 31),
)


def bits(flags):
    return f"64'd{sum(1 << i for i, flag in enumerate(flags) if flag)}"


def macros(directory):
    """What the emitted header says, by name."""
    header = (directory / "daa_config.h").read_text()
    return dict(re.findall(r'^#define (DAA_\w+) "?([^"\n]*)"?$', header, re.M))


def simulate(directory, scenario):
    """The signals' values, cycle by cycle, and as "swept" the cycles of the reset sweep before the first of them."""
    rows = int(macros(directory)["DAA_ROWS"])
    last, c0 = [], []
    for steps, from_c0 in zip(scenario.steps, scenario.c0):
        last += [0] * (steps - 1) + [1]
        c0 += [from_c0] + [0] * (steps - 1)
    values = {
        "STEPS": len(last), "C0_ROWS": rows * sum(scenario.c0), "LAST": bits(last), "C0": bits(c0),
        "NOT_READY": bits(cycle in scenario.not_ready for cycle in range(64)), "CYCLES": scenario.cycles,
    }
    with tempfile.TemporaryDirectory() as scratch:
        program = pathlib.Path(scratch) / "timing"
        sources = sorted((directory / "rtl").glob("*.v"))
        subprocess.run(["iverilog", "-g2005", f"-I{directory}", "-s", "timing", "-o", program, *(f"-D{k}={v}" for k, v in values.items()),
                        HERE / "timing.v", *sources], check=True)
        text = subprocess.run(["vvp", "-n", program], check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in text.splitlines() if re.fullmatch(r"[01x]( [01x])+", line)]
    assert len(lines) == scenario.cycles, text
    wave = {name: [line[i] for line in lines] for i, name in enumerate(SIGNALS)}
    wave["swept"] = int(re.search(r"^swept (\d+)$", text, re.M)[1])
    return wave


def transfers(valid, ready):
    return [v == "1" and r == "1" for v, r in zip(valid, ready)]


def labels(valid, ready, names):
    """What stands on a data bus: the name of the transfer that is due, while valid."""
    result, index = [], 0
    for is_valid, moved in zip(valid, transfers(valid, ready)):
        result.append(names[index] if is_valid == "1" else None)
        index += moved
    return result


def rows_of(scenario, wave, rows):
    """The rows of one drawing: name and levels ("0", "1") or labels (text or None)."""
    steps = [f"{tile}.{step}" for tile, count in enumerate(scenario.steps) for step in range(count)]
    tiles_with_c0 = [tile for tile, flag in enumerate(scenario.c0) if flag]
    c0 = [f"{tile}.r{row}" for tile in tiles_with_c0 for row in range(rows)]
    c = [f"{tile}.r{row}" for tile in range(len(scenario.steps)) for row in range(rows)]
    offered = [v == "1" for v in wave["a_valid_i"]]

    def marks(name):
        return ["1" if on and level == "1" else "0" for on, level in zip(offered, wave[name])]

    yield "a_valid_i, b_valid_i", wave["a_valid_i"]
    yield "a_ready_o, b_ready_o", wave["a_ready_o"]
    yield "a_data_i, b_data_i", labels(wave["a_valid_i"], wave["a_ready_o"], steps)
    yield "a_last_i", marks("a_last_i")
    yield "a_c0_i", marks("a_c0_i")
    if c0:
        yield "c0_valid_i", wave["c0_valid_i"]
        yield "c0_ready_o", wave["c0_ready_o"]
        yield "c0_data_i", labels(wave["c0_valid_i"], wave["c0_ready_o"], c0)
    yield "c_valid_o", wave["c_valid_o"]
    yield "c_ready_i", wave["c_ready_i"]
    yield "c_data_o", labels(wave["c_valid_o"], wave["c_ready_i"], c)
    yield "c_last_o", ["1" if v == "1" and last == "1" else "0" for v, last in zip(wave["c_valid_o"], wave["c_last_o"])]


LEFT, CELL, ROW, HIGH = 170, 46, 26, 16  # geometry of a drawing

STYLE = """
  .ground { fill: #ffffff; } text { fill: #24292f; } .wire { fill: none; stroke: #24292f; stroke-width: 1.3; }
  .bus { fill: #ddf4ff; stroke: #0969da; } .grid { stroke: #d0d7de; stroke-dasharray: 2 3; } .note { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } text { fill: #c9d1d9; } .wire { stroke: #c9d1d9; }
    .bus { fill: #0c2d4d; stroke: #58a6ff; } .grid { stroke: #30363d; } .note { fill: #9da7b3; }
  }
"""


def level_path(levels, top):
    """One line that is high or low in each cycle."""
    points = []
    for cycle, level in enumerate(levels):
        y = top if level == "1" else top + HIGH
        points += [f"{LEFT + cycle * CELL} {y}", f"{LEFT + (cycle + 1) * CELL} {y}"]
    return f'<path class="wire" d="M{" L".join(points)}"/>'


def bus_boxes(names, top):
    """A box per stretch of cycles with the same label; a line at half height between them."""
    yield f'<path class="wire" d="M{LEFT} {top + HIGH / 2:g} H{LEFT + len(names) * CELL}"/>'
    start = 0
    for cycle in range(1, len(names) + 1):
        if cycle < len(names) and names[cycle] == names[start]:
            continue
        if names[start]:
            x, width = LEFT + start * CELL, (cycle - start) * CELL
            yield f'<rect class="bus" x="{x + 1}" y="{top}" width="{width - 2}" height="{HIGH}" rx="4"/>'
            yield f'<text x="{x + width / 2:g}" y="{top + 12}" text-anchor="middle">{names[start]}</text>'
        start = cycle


def draw(scenario, rows, top):
    """The lines of one drawing, and its height."""
    rows = list(rows)
    body = top + 46
    yield f'<text x="10" y="{top + 16}" font-size="14">{scenario.title}</text>'
    for cycle in range(scenario.cycles + 1):
        x = LEFT + cycle * CELL
        yield f'<path class="grid" d="M{x} {top + 38} V{body + len(rows) * ROW}"/>'
        if cycle < scenario.cycles:
            yield f'<text class="note" x="{x + CELL / 2:g}" y="{top + 38}" text-anchor="middle">{cycle}</text>'
    for index, (name, values) in enumerate(rows):
        y = body + index * ROW
        yield f'<text x="10" y="{y + 12}" class="code">{name}</text>'
        if set(values) <= {"0", "1"}:
            yield level_path(values, y)
        else:
            yield from bus_boxes(values, y)


def svg(directory):
    rows = int(macros(directory)["DAA_ROWS"])
    body, top = [], 0
    for scenario in SCENARIOS:
        drawing = list(rows_of(scenario, simulate(directory, scenario), rows))
        body += draw(scenario, drawing, top)
        top += 46 + len(drawing) * ROW + 26
    width = LEFT + max(scenario.cycles for scenario in SCENARIOS) * CELL + 20
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" font-family="Helvetica, Arial, sans-serif" '
        'font-size="11" role="img" aria-label="Timing of the array\'s streams">',
        f"<style>{STYLE}</style>", f'<rect class="ground" width="{width}" height="{top}" rx="8"/>', *body, "</svg>", ""])


def write():
    directory = pathlib.Path(sys.argv[1])
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "timing.svg"
    write_whole(target, svg(directory).encode())


if __name__ == "__main__":
    sys.exit(main("timing", write))
