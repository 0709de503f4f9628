"""Energy of an emitted array a multiply-accumulate (`make energy`): the mapped netlist of a 3 x 3 array, real operands, real delays.

The element in the middle and the units at the edges are simulated with the library's delays, so that glitches count. The element's
figure is of the flattened netlist, its blocks are of one that keeps its modules apart; `across blocks` is the difference.
"""
import collections
import json
import pathlib
import re
import shutil
import sys

import numpy

import area
import gatesim
import job
import mapped
import netlist
import power
import structure
import tables
import targets
import wires
from job import Failed, Usage
from gatesim import LANES
from liberty import LibertyError
from power import PARTS

TOP = job.ROOT.parent
OPERANDS = TOP / "tests/data/training"
KINDS = {"forward": "forward", "input_grad": "input gradient", "weight_grad": "weight gradient"}
SIZE = 3  # rows and columns of the array; its middle element has neighbours on all sides
SIDE = 8  # tiles down and across: one a lane
DEPTH = 256  # of K, at most
WARM, TAIL, LAG = 16, 48, 4  # steps before and after the measured tile; cycles from the edge to the middle element
RESET = 3  # cycles
ALL = numpy.uint64(0xFFFFFFFFFFFFFFFF)
ELEMENT = "g_row[1].g_col[1].u_pe"
# Units that work once a row of results, so the more rows, the more often.
NOTHING = dict.fromkeys(PARTS, 0.0)
PER_RESULT = re.compile(r"drain|result|round|c0|foot")


def read_arguments():
    parser = job.Parser(prog="energy", description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a directory that daagen wrote")
    parser.add_argument("--a", type=pathlib.Path, help="A.npy; with --b, instead of the training operands")
    parser.add_argument("--b", type=pathlib.Path, help="B.npy")
    parser.add_argument("--operands", type=pathlib.Path, default=OPERANDS, help="directory of NAME.KIND.a.npy and .b.npy")
    parser.add_argument("--mapping", default="area", help="area (default), or timing: the mapping that make timing found fastest for DIR")
    parser.add_argument("--no-blocks", action="store_true", help="without the split into blocks, in half the time")
    parser.add_argument("--wire", default="6", help="fF of wire for each pin that a net goes to (default 6), or layout: the element's as make layout routed them")
    parser.add_argument("--unit", type=float, default=2.0, help="ps that delays are rounded to (default 2)")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build", help="where gatesim and daavec are")
    area.add_cell_arguments(parser)
    arguments = parser.parse_args()
    if (arguments.a is None) != (arguments.b is None):
        raise Usage("A and B go together; give both, or neither for the training operands")
    if arguments.mapping not in ("area", "timing"):
        raise Usage(f"MAPPING is '{arguments.mapping}'; it must be area or timing")
    arguments.routed = arguments.wire == "layout"
    if arguments.routed:
        arguments.wire, arguments.mapping, arguments.no_blocks = "6", "layout", True  # what is placed is one flat netlist
    try:
        arguments.wire = float(arguments.wire)
    except ValueError:
        arguments.wire = -1.0
    if not arguments.wire >= 0 or arguments.unit <= 0:
        raise Usage("WIRE must be 0 or more, in fF for each pin, or the word layout")
    return arguments


# ---- operands ----

Operands = collections.namedtuple("Operands", "name kind a b weight")


def load(path):
    try:
        matrix = numpy.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        said = getattr(error, "strerror", None) or "it is no .npy file"
        raise Failed(f"{path} cannot be read ({said}); it must be a matrix in a .npy file") from None
    if matrix.ndim != 2 or not matrix.size:
        raise Failed(f"{path} is {' x '.join(map(str, matrix.shape)) or 'one number'}; it must be a matrix that is not empty")
    return matrix


def pair(name, kind, a_path, b_path, weight=None):
    a, b = load(a_path), load(b_path)
    if a.shape[1] != b.shape[0]:
        raise Failed(f"A is {a.shape[0]} x {a.shape[1]} and B is {b.shape[0]} x {b.shape[1]}; "
                     f"B must have {a.shape[1]} rows, as many as A has columns")
    return Operands(name, kind, a, b, weight or a.shape[0] * a.shape[1] * b.shape[1])


def choose_mapping(arguments, emitted, target):
    """The recipes of the area report, or the one that DIR/timing.json says, or DIR/layout/layout.json."""
    if arguments.mapping == "area":
        return
    path = emitted.directory / ("layout/layout.json" if arguments.routed else "timing.json")
    try:
        report = json.loads(path.read_text())
        name = report["recipe"]
        fits = (report["hash"], report["library_sha256"]) == (emitted.hash, target.library.sha256)
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise Failed(f"{path} is not of this array and library; make {'layout' if arguments.routed else 'timing'} makes it")
    target.recipes = [recipe for recipe in targets.SPEED_RECIPES if recipe.name == name]
    if not target.recipes:
        raise Failed(f"{path} names the mapping '{name}', which is not known; make {'layout' if arguments.routed else 'timing'} makes it anew")


def operand_sets(arguments):
    """One pair, or every NAME.KIND of a directory; index.json there says how large the whole GEMMs were."""
    if arguments.a:
        return [pair(f"{arguments.a.name}, {arguments.b.name}", "gemm", arguments.a, arguments.b)]
    weights = {}
    index = arguments.operands / "index.json"
    if index.exists():
        try:
            weights = {gemm["name"]: gemm["m"] * gemm["n"] * gemm["k"] for gemm in json.loads(index.read_text())["gemms"]}
        except (OSError, ValueError, KeyError, TypeError):
            raise Failed(f"{index} has no list of gemms with name, m, n and k; without that file all GEMMs weigh what they are here") from None
    names = sorted(path.name.removesuffix(".a.npy") for path in arguments.operands.glob("*.a.npy"))
    if not names:
        raise Failed(f"{arguments.operands} has no NAME.a.npy; OPERANDS must be a directory of NAME.KIND.a.npy and NAME.KIND.b.npy")
    places = {name: [arguments.operands / f"{name}.{side}.npy" for side in "ab"] for name in names}
    return [pair(name, name.rpartition(".")[2], *places[name], weights.get(name)) for name in names]


def spread(size):
    """Indices of SIDE groups of SIZE neighbours, evenly over 0 .. size - 1."""
    starts = [group * max(size - SIZE, 0) // (SIDE - 1) for group in range(SIDE)]
    return [(start + i) % size for start in starts for i in range(SIZE)]


def sample(operands):
    """What of A and B the lanes work on: one tile a lane, the middle of K where it is long."""
    k = operands.a.shape[1]
    start = max(k - DEPTH, 0) // 2
    part = slice(start, start + min(k, DEPTH))
    return (numpy.ascontiguousarray(operands.a[spread(operands.a.shape[0]), part]),
            numpy.ascontiguousarray(operands.b[part, spread(operands.b.shape[1])]))


# ---- the netlists ----

class Silicon:
    """The mapped 3 x 3 array, flattened units and units with their blocks apart, and who is who in it."""

    def __init__(self, emitted, target, work, arguments):
        self.emitted, self.target, self.yosys = emitted, target, job.Yosys(emitted.directory, work)
        target.prepare(work, emitted)
        self.found = tables.Tables(target.library)
        self.found.model(target.library.nand2.name).need_power()
        with job.step(f"elaborating {emitted.top}, {SIZE} x {SIZE} and as emitted"):
            self.shape = structure.Structure(emitted, self.yosys)
            self.units = self.shape.units
            self.elements = self.shape.elements
            self.shape = structure.Structure(emitted, self.yosys, (SIZE, SIZE))
            self.instances = self.shape.unit_instances()
            self.blocks = self.shape.element_instances()
        if self.instances.get(ELEMENT, (None,))[0] != area.ELEMENT:
            raise Failed(f"{emitted.top} has no element {ELEMENT}; its elements must be g_row[R].g_col[C].u_pe")
        self.wire, self.routed = arguments.wire / 1000, None
        names = self.shape.unit_modules()
        blocks = sorted({module for _, module in self.blocks.values()})
        with job.step(f"synthesising {len(names)} modules, {target.title()}"):
            whole = target.whole(self.yosys, names)
            # Some of the element's blocks are units of the edges too, and must not come twice.
            edge_files = self.keep(whole, [name for name in names if name not in [self.shape.element, *blocks]], "edge")
            if arguments.routed:
                element_files = [self.laid_out(whole), *self.keep(whole, [name for name in names if name in blocks], "element")]
            else:
                element_files = self.keep(whole, [name for name in names if name in [self.shape.element, *blocks]], "element")
        self.um2, self.recipe = (whole[self.shape.element][name] for name in ("um2", "recipe"))
        self.split = None
        if not arguments.no_blocks:
            with job.step("the element with its blocks apart"):
                split = target.parts(self.yosys, self.shape.element, blocks)
                block_files = self.keep(split, [self.shape.element, *blocks], "block")
                self.split = self.assemble("split.json", edge_files + block_files)
        with job.step(f"the netlist of {SIZE} x {SIZE}"):
            self.flat = self.assemble("flat.json", edge_files + element_files)

    def laid_out(self, figures):
        """The file of the element that make layout placed, in the place of the one that was mapped now: its netlist, area and wires."""
        layout = self.emitted.directory / "layout"
        elements = [path for path, (role, _) in self.instances.items() if role == area.ELEMENT]
        self.routed = wires.Routed(layout / "wires.json", elements)
        try:
            shutil.copyfile(layout / "element.il", self.yosys.work / "laid.il")
            figures[self.shape.element]["um2"] = json.loads((layout / "layout.json").read_text())["um2"]
        except (OSError, ValueError, KeyError) as error:
            raise Failed(f"{layout} is not whole ({error}); make layout makes it") from None
        return "laid.il"

    def keep(self, figures, names, tag):
        return netlist.keep_chosen(self.target, self.yosys, figures, names, tag)

    def assemble(self, name, files):
        netlist.assemble(self.shape, self.target, self.yosys, files, "json -o", name)
        return mapped.Netlist(mapped.read(self.yosys.work / name, self.emitted.top), self.found, self.wire, self.routed)


def by_prefix(names, default):
    """A function from a cell's name to what NAMES (paths of instances) say of the longest one that it is in."""
    known = {}

    def look(name):
        path = name
        while path:
            if path in names:
                return names[path]
            path = path.rpartition(".")[0]
        return default

    return lambda name: known.setdefault(name, look(name))


# ---- stimulus and check ----

class Bench:
    """gatesim and daavec on the operands of one GEMM: what each lane gets, and whether it gives the golden model's bits."""

    def __init__(self, emitted, work, build):
        self.work, self.build = work, build
        self.options = {**emitted.options, "rows": SIZE, "cols": SIZE}
        self.config = work / "sample.json"
        self.config.write_text(json.dumps({**emitted.manifest, "options": self.options}))

    def words(self, operands):
        """daavec's words of the 64 tiles: A and B as bits, [tile, step, bit]."""
        a, b = sample(operands)
        numpy.save(self.work / "A.npy", a)
        numpy.save(self.work / "B.npy", b)
        try:
            self.daavec("--write")
        except Failed as error:
            raise Failed(f"{operands.name}: {str(error).removeprefix('daavec: ').removeprefix(f'{self.work}/')}") from None
        return self.bits("a.hex"), self.bits("b.hex"), a.shape[1]

    def daavec(self, what):
        try:
            job.run(self.build / "daavec", "--config", self.config, "--a", self.work / "A.npy", "--b", self.work / "B.npy", what, self.work)
        except FileNotFoundError:
            raise Failed(f"there is no {self.build / 'daavec'}; make builds it") from None

    def bits(self, name):
        words = [line.split()[-1] for line in (self.work / name).read_text().splitlines()]
        data = numpy.array([numpy.frombuffer(bytes.fromhex(word)[::-1], numpy.uint8) for word in words])
        return numpy.unpackbits(data, axis=1, bitorder="little").reshape(LANES, len(words) // LANES, -1)

    def rows(self, a, b):
        """By port, a row of 64 lanes for every row of the stimulus: reset, the end of another tile, the tile, the start of a third."""
        steps = a.shape[1]
        warm = min(WARM, steps)
        order = ([(-1, step) for step in range(steps - warm, steps)] + [(0, step) for step in range(steps)]
                 + [(1, step % steps) for step in range(TAIL)])
        count = RESET + len(order)
        self.measured = RESET + warm, RESET + warm + steps
        marks = numpy.zeros(count, bool)
        marks[[RESET + warm - 1, RESET + warm + steps - 1]] = True
        stepped = numpy.arange(count) >= RESET
        low, high = numpy.zeros(count, bool), numpy.ones(count, bool)
        rows = {"rst_ni": stepped, "a_valid_i": stepped, "b_valid_i": stepped, "a_last_i": marks, "b_last_i": marks, "a_c0_i": low,
                "c0_valid_i": low, "c0_data_i": low, "c0_last_i": low, "c_ready_i": high}
        rows = {name: numpy.where(row, ALL, numpy.uint64(0))[:, None] for name, row in rows.items()}
        for name, words in (("a_data_i", a), ("b_data_i", b)):
            lanes = numpy.stack([numpy.roll(words, -shift, axis=0)[:, step] for shift, step in order])  # [row, lane, bit]
            packed = numpy.packbits(lanes.transpose(0, 2, 1), axis=2, bitorder="little").view("<u8")[:, :, 0]
            rows[name] = numpy.concatenate([numpy.zeros((RESET, packed.shape[1]), numpy.uint64), packed])
        return rows, stepped

    def settle(self, circuit, operands):
        """The boundary of the simulated part in every cycle, from the whole array without delays; the results are checked."""
        a, b, self.depth = self.words(operands)
        rows, stepped = self.rows(a, b)
        columns = []
        for name, nets in circuit.input_ports():
            if name not in rows:
                raise Failed(f"the array's port {name} is not one that this program drives")
            columns.append(numpy.broadcast_to(rows[name][:, :len(nets)], (len(stepped), len(nets))))
        data = numpy.concatenate(columns, axis=1)
        found, _ = gatesim.simulate(self.build / "gatesim", circuit.whole, circuit.files["whole"], self.work, data,
                                    circuit.captured + circuit.part.boundary, waits=stepped, ready=circuit.netlist.ports["a_ready_o"][0])
        self.check(circuit, found)
        return found

    def check(self, circuit, found):
        """The rows of results of the measured tile against the golden model, by daavec."""
        valid = found[:, circuit.column["c_valid_o"][0]]
        if not numpy.isin(valid, (0, ALL)).all():
            raise Failed("c_valid_o differs between lanes; all have the same steps")
        rows = numpy.flatnonzero(valid == ALL)[SIZE:2 * SIZE]
        if len(rows) < SIZE:
            raise Failed("the netlist gives no results")
        first, last = (circuit.column[name] for name in ("c_data_o", "c_last_o"))
        words = numpy.ascontiguousarray(found[rows][:, first], "<u8")
        lanes = numpy.unpackbits(words.view(numpy.uint8).reshape(SIZE, len(first), 8), axis=2, bitorder="little")
        lines = []
        for lane in range(LANES):
            for row in range(SIZE):
                word = numpy.packbits(lanes[row, :, lane], bitorder="little").tobytes()[::-1].hex()
                lines.append(f"{int(found[rows[row], last[0]] >> numpy.uint64(lane)) & 1} {word}\n")
        (self.work / "c.hex").write_text("".join(lines))
        try:
            self.daavec("--check")
        except Failed as error:
            raise Failed(f"the netlist's results are wrong: {str(error).removeprefix('daavec: ')}") from None

    def window(self, found):
        """First and last cycle of the measured tile in the middle element."""
        first, after = (int(numpy.flatnonzero(found[:, 0] == row)[-1]) for row in self.measured)
        return first + LAG, after + LAG


class Circuit:
    """A netlist whose middle element and edges are simulated with delays, and the energy of what moves in it."""

    def __init__(self, netlist, roles, work, unit, half):
        self.netlist = netlist
        self.role = by_prefix({path: None if role == area.ELEMENT and path != ELEMENT else (role, module)
                               for path, (role, module) in roles.items()}, None)
        others = {path for path, (role, _) in roles.items() if role == area.ELEMENT and path != ELEMENT}
        inside = by_prefix(dict.fromkeys(others, False), True)
        self.whole, self.part = (gatesim.Part(netlist, test, unit, half) for test in (lambda name: True, inside))
        self.whole.boundary = [net for net in netlist.inputs if net != netlist.clock]
        self.files = {}
        for name, part in (("whole", self.whole), ("part", self.part)):
            self.files[name] = work / f"{id(self)}.{name}"
            part.write(self.files[name])
        self.captured, self.column = [], {}
        for name in ("c_valid_o", "c_last_o", "c_data_o"):
            self.column[name] = [1 + len(self.captured) + i for i in range(len(netlist.ports[name]))]
            self.captured += netlist.ports[name]
        self.watched = len(self.captured)
        self.power = power.Power(self.part)

    def input_ports(self):
        inputs = set(self.netlist.inputs) - {self.netlist.clock}
        return [(name, nets) for name, nets in self.netlist.ports.items() if nets and nets[0] in inputs]

    def run(self, bench, operands):
        """Energies of the middle element and the edges in pJ a lane, and what else there is to say of the run."""
        found = bench.settle(self, operands)
        window = bench.window(found)
        boundary = found[:, 1 + self.watched:]
        timed, counts = gatesim.simulate(bench.build / "gatesim", self.part, self.files["part"], bench.work, boundary, self.captured, window)
        if not (timed[:, 1:1 + self.watched] == found[:, 1:1 + self.watched]).all():
            raise Failed("with delays the netlist gives other bits than without: a fault of this program")
        cycles = window[1] - window[0]
        return self.power.energies(counts, cycles, self.role), cycles, counts.latest

    def leakage(self):
        """W of the middle element."""
        return sum(watts for name, watts in self.netlist.leakage.items() if name.startswith(ELEMENT + "."))


# ---- the report ----

def added(items):
    """Sum of (parts, weight)."""
    return {part: sum(parts[part] * weight for parts, weight in items) for part in PARTS}


def total(parts):
    return sum(parts[part] for part in PARTS)


def edge_share(sums, silicon):
    """pJ a lane and element that the units at the edges of the array as emitted add, each taken as its like of the 3 x 3 array."""
    known = collections.Counter(key for key in silicon.instances.values())
    rows = silicon.emitted.options["rows"]
    edges = {}
    for (role, module), number in sorted(silicon.units.items()):
        if role in (area.ELEMENT, area.BUFFERS):
            continue
        like = [key for key in known if key == (role, module)] or [key for key in known
                                                                    if key[0] == role and job.base_name(key[1]) == job.base_name(module)]
        if not like:
            raise Failed(f"{job.base_name(module)} is in the array as emitted, but not in that of {SIZE} x {SIZE}")
        mean = added([(sums[key], 1 / sum(known[key] for key in like)) for key in like if key in sums])
        often = rows / SIZE if PER_RESULT.search(role) else 1.0
        share = {part: value * (1.0 if part == "clock" else often) * number / silicon.elements for part, value in mean.items()}
        edges[role] = added([(edges.get(role, NOTHING), 1), (share, 1)])
    return edges


def roles_of(silicon, apart):
    """(role, module) by path: of the units, and where APART of the middle element's blocks."""
    if not apart:
        return silicon.instances
    return {**silicon.instances, ELEMENT: (structure.OWN_LOGIC, silicon.shape.element),
            **{ELEMENT + place: block for place, block in silicon.blocks.items()}}


def blocks_of(silicon, sums, element, depth):
    """pJ a MAC of the element's blocks, and what flattening the ELEMENT changes."""
    roles = {role for role, _ in silicon.blocks.values()} | {structure.OWN_LOGIC}
    edges = set(silicon.instances.values())
    blocks = {}
    for (role, module), parts in sums.items():
        if role in roles and (role, module) not in edges:
            blocks[role] = added([(blocks.get(role, NOTHING), 1), (parts, 1 / depth)])
    blocks[area.ACROSS] = added([(element, 1), *((parts, -1) for parts in blocks.values())])
    return blocks


def measure(silicon, circuits, bench, operands):
    """One GEMM: pJ a MAC of the element, of its blocks, of its share of each unit at the edges."""
    flat, split = circuits
    sums, cycles, latest = flat.run(bench, operands)
    element = added([(sums[area.ELEMENT, silicon.shape.element], 1 / bench.depth)])
    blocks = blocks_of(silicon, split.run(bench, operands)[0], element, bench.depth) if split else {}
    edges = {role: added([(parts, 1 / bench.depth)]) for role, parts in edge_share(sums, silicon).items()}
    leak = flat.leakage() * latest * 1e3 * cycles / bench.depth
    return {"name": operands.name, "kind": operands.kind, "weight": operands.weight, "depth": bench.depth, "cycles": cycles,
            "settled_ns": round(latest, 4), "leakage_pj_per_mac": leak, "element": element, "edges": edges, "blocks": blocks}


def averaged(sets):
    """The same of several GEMMs, weighted by their MACs."""
    whole = sum(each["weight"] for each in sets)

    def mean(pick):
        names = dict.fromkeys(name for each in sets for name in pick(each))
        return {name: added([(pick(each).get(name, NOTHING), each["weight"] / whole) for each in sets]) for name in names}

    found = {"element": mean(lambda each: {"element": each["element"]})["element"], "edges": mean(lambda each: each["edges"]),
             "blocks": mean(lambda each: each["blocks"])}
    found["leakage_pj_per_mac"] = sum(each["leakage_pj_per_mac"] * each["weight"] for each in sets) / whole
    return found


def pj_per_mac(found):
    """Element, edges, and both."""
    element, edges = total(found["element"]), sum(total(parts) for parts in found["edges"].values())
    return {"element": element, "edges": edges, "both": element + edges}


def report_of(arguments, silicon, sets):
    names = sorted({each["kind"] for each in sets}, key=lambda kind: (list(KINDS).index(kind) if kind in KINDS else len(KINDS), kind))
    kinds = {kind: averaged([each for each in sets if each["kind"] == kind]) for kind in names}
    kinds["all"] = averaged(sets)
    energies = {kind: pj_per_mac(found) for kind, found in kinds.items()}
    emitted = silicon.emitted
    return rounded({
        **silicon.target.describe(), "voltage": silicon.found.voltage, "wire_ff": arguments.wire, "routed": arguments.routed, "unit_ps": arguments.unit,
        "yosys": silicon.yosys.version, "hash": emitted.hash, "options": emitted.options, "mapping": silicon.recipe, "pe_um2": silicon.um2,
        "pj_per_mac": {kind: each["both"] for kind, each in energies.items()},
        "element_pj_per_mac": {kind: each["element"] for kind, each in energies.items()},
        "edges_pj_per_mac": {kind: each["edges"] for kind, each in energies.items()},
        "leakage_nw": silicon.leakage * 1e9, "settled_ns": max(each["settled_ns"] for each in sets), "kinds": kinds, "sets": sets})


def rounded(value):
    """Without the last digits that only the order of a sum decides."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def row(name, parts):
    return f"{name:22}" + "".join(f"{parts[part]:>12.2f}" for part in PARTS) + f"{total(parts):>12.2f}"


def lines(report):
    options, everything = report["options"], report["kinds"]["all"]
    yield f"pJ a MAC of one element, {report['library']}, {report['voltage']:g} V; {report['pe_um2']:,.0f} um2 (mapping: {report['mapping']})"
    yield f"{'':22}" + "".join(f"{part:>12}" for part in (*PARTS, "total")) + f"{'with edges':>12}"
    for kind, found in report["kinds"].items():
        yield row(KINDS.get(kind, kind), found["element"]) + f"{report['pj_per_mac'][kind]:>12.2f}"
    if everything["blocks"]:
        yield ""
        yield "its blocks, all GEMMs"
    for name in structure.in_order(everything["blocks"]):
        yield row(name, everything["blocks"][name])
    yield ""
    yield f"its share of the edges of {options['rows']} x {options['cols']} without the buffers, all GEMMs"
    for name in structure.in_order(everything["edges"]):
        yield row(name, everything["edges"][name])
    yield ""
    yield (f"{len(report['sets'])} GEMM(s), weighted by MACs; 64 tiles of each through the middle of a {SIZE} x {SIZE} array, K up to {DEPTH}; "
           "every result is the golden model's.")
    wired = "the element's wires as make layout routed them, elsewhere " if report["routed"] else "no placement, "
    yield (f"Delays and energies from Liberty tables, {wired}{report['wire_ff']:g} fF of wire a pin; no clock tree. Glitch: what real delays add "
           f"to functional toggles. Clock: flip-flops' clock pins, every cycle.")
    yield (f"Slowest change seen {report['settled_ns']:.2f} ns after the clock. Leakage, not in the table: {report['leakage_nw']:.3g} nW, "
           f"{everything['leakage_pj_per_mac']:.2g} pJ a MAC at that period.")


def run():
    arguments = read_arguments()
    emitted = job.Emitted(arguments.directory)
    target = area.choose_cells(arguments)
    choose_mapping(arguments, emitted, target)
    operands = operand_sets(arguments)
    try:
        with job.scratch(emitted.directory) as work:
            report = measured(arguments, emitted, target, operands, work)
    except LibertyError as error:
        raise Failed(f"{arguments.liberty}: {error}") from None
    job.save_json(emitted.directory / "energy.json", report)
    print("\n".join(lines(report)))


def measured(arguments, emitted, target, operands, work):
    bench = Bench(emitted, work, arguments.build)
    for each in operands:  # what is wrong with them had better be known before the synthesis
        bench.words(each)
    silicon = Silicon(emitted, target, work, arguments)
    half = (arguments.clock_ps / 2000) if arguments.clock_ps else max(silicon.flat.arrivals) / 2
    circuits = [circuit and Circuit(circuit, roles_of(silicon, apart), work, arguments.unit / 1000, half)
                for circuit, apart in ((silicon.flat, False), (silicon.split, True))]
    silicon.leakage = circuits[0].leakage()
    sets = []
    for number, each in enumerate(operands, 1):
        with job.step(f"{number} of {len(operands)}: {each.name}"):
            sets.append(measure(silicon, circuits, bench, each))
    return report_of(arguments, silicon, sets)


if __name__ == "__main__":
    sys.exit(job.main("energy", run))
