"""make bench-array: how long the Verilated 16x16 arrays take to build, and how many MACs a second they do on one core."""
import json
import os
import pathlib
import shutil
import statistics
import sys
import time

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from command import Parser, main, run, save_json  # noqa: E402

CONFIGS = ("baseline", "paper", "quad")


def build(config, directory, build_dir):
    """Seconds to verilate and compile a 16x16 array from nothing."""
    shutil.rmtree(directory, ignore_errors=True)
    run(build_dir / "daagen", "--config", config, "--rows", 16, "--cols", 16, "-o", directory)
    start = time.monotonic()
    run("make", "--no-print-directory", "tb", f"DIR={directory}", f"BUILD={build_dir}")
    return time.monotonic() - start


def simulate(directory, runs):
    """The statistics of each of the same runs. Dense operands, so that zero gating does not flatter the figure."""
    every = []
    for _ in range(runs):
        run(directory / "daatb", "--a", directory / "a.npy", "--b", directory / "b.npy", "-o", directory / "c.npy",
            "--stats", directory / "stats.json")
        every.append(json.loads((directory / "stats.json").read_text()))
    return every


def measure(config, build_dir, size, runs):
    directory = build_dir / "bench" / config
    build_seconds = build(config, directory, build_dir)
    random = numpy.random.default_rng(1)
    for name in "ab":
        numpy.save(directory / f"{name}.npy", random.standard_normal((size, size)).astype(numpy.float32))
    every = simulate(directory, runs)
    speeds = [stats["macs_per_second"] for stats in every]
    return {
        "build_seconds": round(build_seconds, 1),
        "macs_per_second": round(statistics.median(speeds)),
        "macs_per_second_runs": [round(speed) for speed in speeds],
        "seconds": round(statistics.median(stats["seconds"] for stats in every), 2),
        "cycles": every[0]["cycles"],
        "macs_per_cycle": every[0]["macs_per_cycle"],
        "utilization": every[0]["utilization"],
    }


def bench():
    parser = Parser(prog="bench-array", description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"), help="where make puts things")
    parser.add_argument("--size", type=int, default=512, help="of the square matrices (default 512)")
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts (default 3)")
    arguments = parser.parse_args()
    print(f"16x16 arrays in Verilator, {arguments.size}^3 MACs, median of {arguments.runs} runs on one core")
    print("config      build s   million MACs/s   MACs/cycle")
    arrays = {}
    for config in CONFIGS:
        figures = arrays[config] = measure(config, arguments.build.resolve(), arguments.size, arguments.runs)
        print(f"{config:10} {figures['build_seconds']:8.1f} {figures['macs_per_second'] / 1e6:16.1f} "
              f"{figures['macs_per_cycle']:12.2f}", flush=True)
    report = {"cores": os.cpu_count(), "size": arguments.size, "runs": arguments.runs, "simulation": arrays}
    place = arguments.build / "bench.json"
    save_json(place, report)
    print(f"written to {place}")


if __name__ == "__main__":
    sys.exit(main("bench-array", bench))
