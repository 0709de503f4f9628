"""The list of mutants, and the mutation check itself."""
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "mutation"))
import mutate  # noqa: E402

MUTANTS = mutate.load()


def test_the_list_is_long_enough():
    names = [mutant.name for mutant in MUTANTS]
    hardware = sum(mutant.file.startswith("gen/template/") for mutant in MUTANTS)
    assert len(names) == len(set(names)) >= 30
    assert hardware >= 20 and len(names) - hardware >= 10


def test_every_template_of_hardware_has_a_mutant(root):
    templates = {f"gen/template/{file.name}" for file in (root / "gen/template").glob("*.v.in")}
    assert templates - {mutant.file for mutant in MUTANTS} == {"gen/template/daa_tb.v.in"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_can_be_applied(mutant, root):
    assert mutate.mutated(root, mutant)
    assert mutant.breaks


def test_what_is_not_understood_is_refused(run, tmp_path):
    done = run(sys.executable, "tests/mutation/mutate.py", "no-such-mutant")
    assert done.returncode == 1 and "there is no mutant 'no-such-mutant'" in done.stderr
    (tmp_path / "mutants.txt").write_text("[one]\nodd: 1\n")
    with pytest.raises(ValueError, match="mutants.txt:2"):
        mutate.load(tmp_path / "mutants.txt")


@pytest.mark.long
def test_every_mutant_is_caught(run):
    done = run(sys.executable, "tests/mutation/mutate.py")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
