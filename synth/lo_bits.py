"""`make lo-bits`: what a low bit costs: the area of one element, rounded, with 2 and 4 streams at 4 to 1 low bits, over that with one stream."""
import argparse
import json
import pathlib
import sys

import job

TOP = job.ROOT.parent
LO_BITS = (4, 3, 2, 1)
STREAMS = (2, 4)


def area(build, name, library, *options):
    """um2 of an element of the array with OPTIONS, and the library's name."""
    directory = build / "lo-bits" / name
    with job.step(name):
        job.run(build / "daagen", *options, "--accumulator", "rounded", "-o", directory)
        job.run(sys.executable, job.ROOT / "area.py", directory, *(["--liberty", library] if library else []))
    report = json.loads((directory / "area.json").read_text())
    return report["pe_um2"], report["library"]


def lines(report):
    """The table as Markdown, which docs/readme.py takes too."""
    yield "| low bits | " + " | ".join(f"{streams} streams, um2 | over 1 stream" for streams in STREAMS) + " |"
    yield "| ---: |" + " ---: |" * 2 * len(STREAMS)
    for bits in LO_BITS:
        areas = [report["elements"][f"s{streams}-t{bits}"] for streams in STREAMS]
        yield f"| {bits} | " + " | ".join(f"{um2:,.0f} | {um2 / report['one_stream']:.2f}" for um2 in areas) + " |"


def main():
    parser = job.Parser(prog="lo-bits", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("--liberty", help="standard cells (default OSU 0.18 um)")
    arguments = parser.parse_args()
    (arguments.build / "lo-bits").mkdir(parents=True, exist_ok=True)
    one_stream, library = area(arguments.build, "s1", arguments.liberty, "--streams", "1")
    elements = {f"s{streams}-t{bits}": area(arguments.build, f"s{streams}-t{bits}", arguments.liberty, "--streams", streams,
                                            "--lo-bits", bits)[0] for bits in LO_BITS for streams in STREAMS}
    report = {"library": library, "one_stream": one_stream, "elements": elements}
    job.save_json(arguments.build / "lo_bits.json", report)
    print("\n".join(lines(report)))


if __name__ == "__main__":
    sys.exit(job.main("lo-bits", main))
