"""The Slurm profile: what a job's state becomes for Snakemake, with a squeue that says what it is told to."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT


@pytest.mark.parametrize("said, status, want", [
    ("COMPLETED", 0, "success"), ("RUNNING", 0, "running"), ("PENDING", 0, "running"), ("FAILED", 0, "failed"), ("TIMEOUT", 0, "failed"),
    ("CANCELLED", 0, "failed"), ("OUT_OF_MEMORY", 0, "failed"), ("NODE_FAIL", 0, "failed"), ("", 0, "failed"),
    ("slurm_load_jobs error: Invalid job id specified", 1, "failed"),
    ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1, "running"),
])
def test_status(said, status, want, tmp_path):
    squeue = tmp_path / "squeue"
    squeue.write_text(f'#!/bin/sh\ncase "$*" in *--jobs=17\\ *) ;; *) exit 9 ;; esac\n[ {status} = 0 ] || exec >&2\necho "{said}"\nexit {status}\n')
    squeue.chmod(0o755)
    for job in "17", "17;cluster":
        done = subprocess.run([ROOT / "compare/slurm/status.sh", job], capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert (done.stdout, done.stderr, done.returncode) == (want + "\n", "", 0)


@pytest.mark.skipif(not shutil.which("snakemake"), reason="there is no snakemake; package snakemake has it")
def test_a_figure_that_is_there_does_not_stop_the_sweep(run, build, tmp_path):
    """As in a fresh clone: docs/results has the figure, but no row has been measured here."""
    (tmp_path / "pareto").mkdir()
    for name in "pareto.csv", "pareto.svg":
        (tmp_path / "pareto" / name).write_text("")
    done = run("make", "-n", "pareto", "ONLY=s1-5", f"BUILD={tmp_path}")
    command = next(line for line in done.stdout.replace("\\\n", " ").splitlines() if line.startswith("snakemake "))
    done = subprocess.run(f"{command} --dry-run", shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^row +1\b", done.stdout, re.M), done.stdout + done.stderr
