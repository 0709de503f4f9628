"""The proofs of the element, in a short form; the whole of them; what is said where one fails or cannot be run."""
import fcntl
import re
import shutil
import subprocess

import pytest

SHORT = ("paper-step", "paper-start", "safe2-step", "safe2-product0", "safe2-start", "safe2-loop", "safe2-head", "safe2-foot",
         "safe2-core-start", "safe2-core-head", "safe2-core-foot", "safe4-step", "safe4-sum")
MORE = ("paper-sum", "paper-addend", "paper-loop", "paper-head", "paper-foot", "safe2-sum", "safe4-key", "quad-step")  # for the mutation check


@pytest.fixture
def prove(run, build):
    def call(*words, **options):
        return run("/usr/bin/python3", "proof/prove.py", "--build", build.resolve(), *words, **options)

    return call


@pytest.fixture
def linked(build, tmp_path):
    """A build folder in which nothing is proved."""
    (tmp_path / "daagen").symlink_to((build / "daagen").resolve())
    return tmp_path


def cases(done):
    assert done.returncode == 0, done.stderr
    return int(re.search(r"^(\d+) cases hold", done.stdout, re.MULTILINE)[1])


@pytest.mark.early
@pytest.mark.parametrize("proof", [*SHORT, *(pytest.param(proof, marks=pytest.mark.long) for proof in MORE)])
def test_short(prove, proof):
    config, _, name = proof.rpartition("-")
    assert cases(prove("--short", "--jobs", 1, "--only", name, config)) > 0


@pytest.mark.long
@pytest.mark.parametrize("config", ["baseline", "paper", "quad", "safe2", "lean2", "alike2", "safe4", "lean4", "alike4", "high2", "low2", "fp8",
                                    "tiny", "safe2-core", "safe4-core"])
def test_whole(prove, config):
    assert cases(prove(config)) > 50


def test_what_was_proved_is_kept(prove):
    first = prove("--short", "--only", "foot", "safe2")
    again = prove("--short", "--only", "foot", "safe2")
    assert cases(first) == cases(again)
    assert "known before" in again.stdout


def test_a_wrong_number_is_told(prove, tmp_path, wrong_daagen):
    """A fault in what daagen wrote: the case and its inputs, in one line."""
    wrong_daagen("rtl/daa_anchor_foot.v", r"s/wire negative = m\[AccBits-1\];/wire negative = m[AccBits-2];/")
    done = prove("--only", "foot", "safe2", "--build", tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(r"proof: safe2: foot, leading bit \d+: not what the contract says, for example with negative=.*\n", done.stderr)


def test_bad_input(refused, build, tmp_path):
    words = "/usr/bin/python3", "proof/prove.py", "--build", build.resolve()
    for tool in "yosys-abc", "yosys":
        links = tmp_path / tool
        links.mkdir()
        for name in {"yosys-abc", "yosys"} - {tool}:
            (links / name).symlink_to(shutil.which(name))
        refused(*words, "safe2", status=1, text=f"there is no {tool}; ./daa --need ", env={"PATH": str(links)})
    refused(*words, "--jobs", "0", status=2, text="--jobs must be 1 or more")


def test_unknown_names(prove, linked):
    done = prove("--only", "nothing", "safe2")
    assert (done.returncode, done.stderr) == (2, "proof: there is no proof 'nothing'; there are key, step, sum, product0, product1, start, loop, head, foot\n")
    done = prove("nothing", "--build", linked)
    assert done.returncode == 1 and "'nothing' is neither a named configuration nor a file" in done.stderr and done.stderr.count("\n") == 1
    assert not (linked / "proof/nothing").exists()


def test_one_at_a_time(root, linked):
    """A command waits, and writes nothing, while another one is at work on the same configuration."""
    place = linked / "proof/safe2"
    place.mkdir(parents=True)
    words = "/usr/bin/python3", "proof/prove.py", "--build", linked, "--short", "--only", "foot", "safe2"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as waiting:
            assert "configuration" in waiting.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(2)
            assert [file.name for file in place.iterdir()] == ["lock"]
            fcntl.flock(lock, fcntl.LOCK_UN)
            said, _ = waiting.communicate(timeout=120)
    assert waiting.returncode == 0 and "cases hold" in said, said
