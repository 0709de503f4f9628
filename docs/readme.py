"""Brings the made parts of README.md and of docs/ up to date: readme.py [--build DIR] [--check] [PART]...

A part stands between two marks. Each comes from a command: `configs` and `options` from daagen, `run` from `make run`,
`claim` and `compare` from docs/results, which `make compare` leaves, `layout` and `core` from there, by `make layout-results` and `make core-silicon`, `accuracy` from the study's results, `lo-bits` from `make lo-bits`,
`speed` and `anchored` from `make bench-engine bench-rivals`, `formats` and `training` from `make bench-formats bench-training`. With --check nothing is written; a part that is not up to date is told, and the exit status is 1.
"""
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / room) for room in (".", "common", "compare", "demo", "synth")]
import compare as comparison  # noqa: E402
import lo_bits  # noqa: E402
import summary  # noqa: E402
from command import ROOT, Failed, Parser, Usage, main, write_whole  # noqa: E402


def configs(build):
    text = subprocess.run([build / "daagen", "--list-configs"], check=True, capture_output=True, text=True).stdout
    yield "| configuration | is |"
    yield "| --- | --- |"
    for line in text.splitlines():
        name, meaning = line.split(maxsplit=1)
        yield f"| `{name}` | {meaning} |"


def options(build):
    """The option table of daagen --help: a line with name, default and range, and a line with the meaning."""
    text = subprocess.run([build / "daagen", "--help"], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^  --([\w-]+) +(\S+) {2,}(\S.*)\n {10,}(\S.*)$", text, re.M)
    yield "| option | default | range | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, default, values, meaning in found:
        values = ", ".join(values.split("|"))
        yield f"| `{name}` | `{default}` | {values} | {meaning} |"


def run(build):
    """What `make run` printed last."""
    yield "```"
    yield from summary.lines(json.loads((build / "run" / "summary.json").read_text()))
    yield "```"


STEP = {"net": "ImageNet", "bus_bits": 512}  # of docs/results/resnet18.json, in the claim


def whole_step():
    """Cycles of a training step of ResNet-18 with 1 stream over those with 2 and 4, by the winner's name."""
    cycles = {streams: 0 for streams in (1, 2, 4)}
    for row in json.loads((ROOT / "docs/results/resnet18.json").read_text()):
        if all(row[name] == value for name, value in STEP.items()):
            cycles[row["streams"]] += row["count"] * row["cycles"]
    return {f"safe{streams}": f"{cycles[1] / cycles[streams]:.2f}x" for streams in (2, 4)}


def claim(_):
    """The winners in numbers, over the conventional element."""
    rows = json.loads((ROOT / "docs/results/compare.json").read_text())["configurations"]
    base, shown = rows[comparison.BASE], ("paper", "safe2", "safe4")
    steps = whole_step()
    lines = (
        ("MACs a cycle, Verilated RTL", lambda row: f"{row['macs_per_cycle']:.2f}x"),
        (f"the same of a ResNet-18 training step ({STEP['net']}) through the core, bus of {STEP['bus_bits']} bits, over 1 stream", lambda row: row["step"]),
        ("clock, OSU 0.18 um cells, flip-flops included", lambda row: f"{base['clock_ns'] / row['clock_ns']:.2f}x"),
        ("area of an element at that clock", lambda row: f"{row['um2'] / base['um2']:.2f}x"),
        ("MACs a second and mm2", lambda row: f"**{comparison.rate(row) / comparison.rate(base):.2f}x**"),
        ("energy a MAC at that clock, glitches counted", lambda row: f"**{row['pj_per_mac']['all'] / base['pj_per_mac']['all'] - 1:+.0%}**"),
        ("energy a MAC, both of the fewest cells", lambda row: f"{row['pj_per_mac_small']['all'] / base['pj_per_mac_small']['all'] - 1:+.0%}"),
        ("signal to noise on training's operands, dB", lambda row: f"{min(row['db'][gemm] for gemm in comparison.GEMMS):.0f}"),
    )
    marks = {name: "\\*" if comparison.unlike(rows[name], base) else "" for name in shown}
    yield "| over the conventional element | " + " | ".join(f"`{name}`{marks[name]}" for name in shown) + " |"
    yield "| --- |" + " ---: |" * len(shown)
    for text, figure in lines:
        yield f"| {text} | " + " | ".join(figure(rows[name] | {"step": steps.get(name, "")}) for name in shown) + " |"


def star(rows):
    """What a star at a row's name says."""
    told = {", ".join(comparison.unlike(row, rows[comparison.BASE])) for row in rows.values()} - {""}
    return "" if not told else f" \\* Measured {'; '.join(sorted(told))}, unlike the conventional element: an upper bound of its energy and area."


def compare(_):
    """What `make compare` left, a configuration a row; ratios are to the conventional element."""
    report = json.loads((ROOT / "docs/results/compare.json").read_text())
    rows = report["configurations"]
    base = rows[comparison.BASE]
    yield "| element | clock ns | um2 | MACs/cycle | MACs/s/mm2 | pJ/MAC | small: um2 | pJ/MAC | dB, forward | input grad. | weight grad. |"
    yield "| --- |" + " ---: |" * 10
    for name, row in rows.items():
        energy, small = row["pj_per_mac"]["all"], row["pj_per_mac_small"]["all"]
        mark = "\\*" if comparison.unlike(row, base) else ""
        yield (f"| {name.strip()}{mark} | {row['clock_ns']:.2f} | {row['um2']:,.0f} ({row['um2'] / base['um2']:.2f}) | {row['macs_per_cycle']:.2f} | "
               f"{comparison.rate(row):.2f} ({comparison.rate(row) / comparison.rate(base):.2f}) | "
               f"{energy:.0f} ({energy / base['pj_per_mac']['all']:.2f}) | {row['um2_small']:,.0f} | "
               f"{small:.0f} ({small / base['pj_per_mac_small']['all']:.2f}) | "
               + " | ".join(f"{row['db'][gemm]:.1f}" for gemm in comparison.GEMMS) + " |")
    yield ""
    yield f"{report['library']}; in brackets, over conventional. {report['says']}{star(rows)}"


ARMS = ("fp8", "s2-t4", "safe2", "safe4", "alike2")  # the accuracy of these; the report has all
AGAINST = (("s2-3-1", "static2-3-1"), ("s2-3-1", "alike2-2"), ("s2-4-1", "alike2-2"))  # steered, and its rivals where few bits are too few


def accuracy(_):
    """The study, a network a row: the pairs of some arms with bf16, and steering against rivals."""
    from train import arms, report, table

    def cell(difference, digits):
        if difference is None:
            return ""
        pairs, mean, half = difference
        return report.signed(mean, digits) + (f" ± {half:.{digits}f}" if pairs > 1 else "") + f" ({pairs})"

    rows = table.read_rows(ROOT / "docs" / "accuracy" / "runs.csv")
    pairs = " | ".join(f"`{steered}` minus `{rival}`" for steered, rival in AGAINST)
    yield f"| minus bf16 (pairs) | bf16 | {' | '.join(f'`{arm}`' for arm in ARMS)} | {pairs} |"
    yield "| --- | ---: |" + " ---: |" * (len(ARMS) + len(AGAINST))
    networks = [(recipe, f"{recipe.model}, {recipe.dataset}", by_arm, True) for recipe, by_arm, _ in report.groups(rows) if not recipe.high]
    networks += [(found[0], f"the {len(found)} on {dataset} together", by_arm, False) for dataset, found, by_arm in report.together(rows)]
    for recipe, name, by_arm, apart in networks:
        kind = report.sees(recipe)
        judged = report.KINDS[kind]
        found = {s.arm: s for s in report.summarise(by_arm, kind)}
        against = [report.paired(*(report.figures(by_arm, arm, judged.figure, kind) for arm in pair)) for pair in AGAINST]
        cells = [f"{found[arms.REFERENCE].figure:.{judged.digits}f}" if apart else "",
                 *(cell(found[arm].difference, judged.digits) if arm in found else "" for arm in ARMS), *(cell(difference, judged.digits) for difference in against)]
        yield f"| {name}, {judged.unit} | {' | '.join(cells)} |"
    yield ""
    yield (f"Mean ± half of the 95% interval, over pairs. Points of test accuracy: more is better; nats of test loss: less. {len(rows)} runs in all. "
           + "; ".join(f"`{arm}`: {arms.ARMS[arm].says}" for arm in dict.fromkeys((*ARMS, *(arm for pair in AGAINST for arm in pair)))) + ".")


def layout(_):
    """What `make layout-results` kept, beside what `make compare` found of the same element without a layout."""
    found = json.loads((ROOT / "docs/results/layout.json").read_text())
    row = json.loads((ROOT / "docs/results/compare.json").read_text())["configurations"][found["name"]]
    kinds = (*comparison.GEMMS, "all")
    yield f"| one element of `{found['name']}` | clock ns | pJ a MAC, {', '.join(kind.replace('_', ' ') for kind in kinds)} |"
    yield "| --- | ---: | ---: |"
    for text, clock, energies in (("mapped: no wires in the clock, 6 fF a pin in the energy", row["clock_ns"], row["pj_per_mac"]),
                                  ("placed and routed, its own wires", found["clock_ns"], found["pj_per_mac"])):
        yield f"| {text} | {clock:.2f} | {', '.join(f'{energies[kind]:.1f}' for kind in kinds)} |"
    yield ""
    yield (f"{found['um2']:,.0f} um2 of cells and {found['flip_flops']} flip-flops in {found['outline_um'][0]:.0f} x {found['outline_um'][1]:.0f} um; "
           f"{found['wire_mm']:.0f} mm of wire, {found['wire_pf']:.1f} pF, {found['wire_ff_per_sink']:.1f} fF a pin; rules broken: {found['drc_errors']}; "
           f"against the netlist: {found['lvs']}. Energies with the element's share of the edges, whose wires are 6 fF a pin in both.")


def core(_):
    """What `make core-silicon` kept, beside the elements that `make compare` measured."""
    found = json.loads((ROOT / "docs/results/core.json").read_text())
    element = json.loads((ROOT / "docs/results/compare.json").read_text())["configurations"]["safe2"]
    jobs, times, options = found["energy"]["kinds"], found["times"], found["options"]
    kinds = list(comparison.GEMMS)

    def energies(name):
        return ", ".join(f"{sum(sum(parts.values()) for part, parts in jobs[kind]['parts'].items() if name in (part, None)):.2f}" for kind in kinds)

    yield f"| part | times | um2 in all | flip-flops | clock ns, {found['wire_ff']:g} fF a pin | pJ a MAC, {', '.join(kind.replace('_', ' ') for kind in kinds)} |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    total = {name: sum(part["count"] * part[name] for part in found["parts"]) for name in ("um2", "flip_flops")}
    names = {part["part"]: sum(each["count"] * each["um2"] for each in found["parts"] if each["part"] == part["part"]) for part in found["parts"]}
    for name in sorted(names, key=lambda name: -names[name]):
        of = [part for part in found["parts"] if part["part"] == name]
        yield (f"| {name} | {sum(part['count'] for part in of)} | {names[name]:,.0f} | {sum(part['count'] * part['flip_flops'] for part in of):,} "
               f"| {times['ns']['parts'][name]:.2f}, {times['wired_ns']['parts'][name]:.2f} | {energies(name)} |")
    worst = [max(times[way]["parts"].values()) for way in ("ns", "wired_ns")]
    yield f"| all | | {total['um2']:,.0f} | {total['flip_flops']:,} | {worst[0]:.2f}, {worst[1]:.2f} | {energies(None)} |"
    yield (f"| elements, with the array's edges | {options['rows'] * options['cols']} | {options['rows'] * options['cols'] * element['um2']:,.0f} | "
           f"| {element['clock_ns']:.2f} | {', '.join(format(element['pj_per_mac'][kind], '.2f') for kind in kinds)} |")
    yield ""
    bits = {name: [jobs[kind]["memory_bits_per_mac"][name] for kind in kinds] for name in jobs[kinds[0]]["memory_bits_per_mac"]}
    yield ("Bits of the memories a MAC, read and written, of the same jobs: "
           + "; ".join(f"{name.replace('_', ' ')} " + ", ".join(f"{each['read']:.2f} + {each['written']:.2f}" for each in of) for name, of in bits.items() if any(each["written"] for each in of)) + ".")
    yield ("The core's share of paths that go on outside it, ns without wires: "
           + ", ".join(f"{name} {ns:.2f}" for name, ns in times["ns"]["boxes"].items()) + ".")


def low_bits(build):
    """What `make lo-bits` measured."""
    report = json.loads((build / "lo_bits.json").read_text())
    yield from lo_bits.lines(report)
    yield ""
    yield f"Area of one element with the rounded accumulator, {report['library']}; with one stream it is {report['one_stream']:,.0f} um2."


def processor():
    """This machine's, as Linux names it."""
    first = pathlib.Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    fields = dict(re.split(r"\s*:\s*", line, maxsplit=1) for line in first.splitlines())
    details = "".join(f", {key.split()[-1]} {fields[key]}" for key in ("cpu family", "model") if key in fields)
    return f"{fields.get('model name', platform.machine())}{details}, {os.cpu_count()} processors"


def speed(build):
    """The engines' medians, an engine and number of streams a row, and the fastest other emulator."""
    shapes = json.loads((build / "bench_engine.json").read_text())
    rows, threads = {}, {}
    for shape in shapes:
        for one in shape["results"]:
            if one["threads"] > 1:
                name = f"`{one['config']}`" if "config" in one else f"{one['streams']} streams"
                threads.setdefault(f"{name}, {one['threads']} threads over 1", []).append(f"{one['of_one_thread']:.2f}")
            key = f"`{one['engine']}`" + ", anchored" * (one["accumulator"] == "anchored"), one["streams"]
            if one["engine"] not in ("auto", "portable") and one["lo-round"] == "nearest":
                rows.setdefault(key, []).append(f"{one['gmacs']:.1f} ({one['of_sgemm']:.2f})")
    yield "| engine | streams | " + " | ".join(shape["shape"] for shape in shapes) + " |"
    yield "| --- | ---: |" + " ---: |" * len(shapes)
    for (engine, streams), cells in rows.items():
        yield f"| {engine} | {streams} | {' | '.join(cells)} |"
    sgemm = {text: [format(shape[figure], form) for shape in shapes]
             for text, figure, form in (("sgemm", "sgemm_gmacs", ".1f"), ("sgemm on AVX2", "sgemm_avx2_gmacs", ".1f"),
                                        ("sgemm, 2 threads over 1", "sgemm_two_threads_speedup", ".2f"))}
    for text, cells in (threads | sgemm).items():
        yield f"| {text} | | {' | '.join(cells)} |"
    yield ""
    first = json.loads((build / "bench_rivals.json").read_text())["shapes"][0]
    rivals = first["contenders"]
    note = f"{processor()}. GMAC/s and, in brackets, the share of OpenBLAS sgemm's, held to AVX2 beside `avx2`."
    others = [one for one in rivals if not one["name"].startswith("daa")]
    if others:
        best = max(others, key=lambda one: one["gmacs"])
        note += (f" {best['name']}, the fastest other emulator that was there, rounding after every product: {best['gmacs']:.2f} GMAC/s at "
                 f"{first['shape']}, where one stream from Python has {rivals[0]['gmacs']:.1f}.")
    yield note


def anchored(build):
    """The anchored accumulator's share of the speed of the rounded one, on the same engine or, of a named configuration, the fastest."""
    shapes = [shape for shape in json.loads((build / "bench_engine.json").read_text()) if not shape["shape"].endswith("^3")]
    rows = {}
    for shape in shapes:
        rounded = [one for one in shape["results"] if one["accumulator"] == "rounded" and one["lo-round"] == "nearest"]
        for one in shape["results"]:
            if one["accumulator"] == "anchored" and one["threads"] == 1:
                other = next(other for other in rounded if other["streams"] == one["streams"] and other["threads"] == 1 and one["engine"] in ("auto", other["engine"]))
                rows.setdefault((one.get("config", one["engine"]), one["streams"]), []).append(f"{one['gmacs'] / other['gmacs']:.2f}")
    yield "| engine | streams | " + " | ".join(shape["shape"] for shape in shapes) + " |"
    yield "| --- | ---: |" + " ---: |" * len(shapes)
    for (name, streams), cells in rows.items():
        yield f"| `{name}` | {streams} | {' | '.join(cells)} |"


def formats(build):
    """Speeds of kinds of operands and accumulators."""
    kinds = json.loads((build / "bench_formats.json").read_text())
    streams = max(kinds.values(), key=len)
    yield "| GMAC/s: operands, accumulator | " + " | ".join(f"{number} stream{'s' * (number != '1')}" for number in streams) + " |"
    yield "| --- |" + " ---: |" * len(streams)
    for kind, speeds in kinds.items():
        yield f"| {kind} | " + " | ".join(f"{speeds[number]:.1f}" if number in speeds else "" for number in streams) + " |"


def training(build):
    """Training steps beside PyTorch's float32."""
    works = json.loads((build / "bench_training.json").read_text())
    arms = next(iter(works.values()))
    yield "| milliseconds a step, times float32 | " + " | ".join(f"`{arm}`" for arm in arms) + " |"
    yield "| --- |" + " ---: |" * len(arms)
    for work, seconds in works.items():
        yield f"| {work} | " + " | ".join(f"{1e3 * taken:.0f} ({taken / seconds['fp32']:.2f})" for taken in seconds.values()) + " |"


# What makes a part, and the document that it stands in.
PARTS = {"run": (run, "docs/results/run.md"), "claim": (claim, "README.md"), "compare": (compare, "README.md"), "accuracy": (accuracy, "README.md"),
         "core": (core, "docs/core.md"), "layout": (layout, "synth/README.md"), "lo-bits": (low_bits, "docs/configurations.md"), "speed": (speed, "docs/speed.md"), "anchored": (anchored, "docs/speed.md"),
         "formats": (formats, "docs/speed.md"), "training": (training, "docs/speed.md"),
         "configs": (configs, "docs/configurations.md"), "options": (options, "docs/configurations.md")}


def replaced(text, name, lines):
    """TEXT with the part NAME made of LINES."""
    begin, end = f"<!-- begin {name}: written by make readme -->\n", f"<!-- end {name} -->\n"
    before, rest = text.split(begin)
    return before + begin + "\n".join(lines) + "\n" + end + rest.split(end)[1]


def write():
    parser = Parser(prog="readme")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        raise Usage(f"there is no part '{unknown[0]}'; they are {', '.join(PARTS)}")
    stale = []
    for name in arguments.parts or PARTS:
        make, document = PARTS[name]
        old = (ROOT / document).read_text()
        text = replaced(old, name, make(arguments.build))
        if text != old and arguments.check:
            stale.append(f"part {name} of {document}")
        elif text != old:
            write_whole(ROOT / document, text.encode())
    if stale:
        raise Failed(f"{', '.join(stale)}: not what the command gives; make readme writes it")


if __name__ == "__main__":
    sys.exit(main("readme", write))
