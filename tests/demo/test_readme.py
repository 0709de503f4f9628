"""The front documents: their commands run, their made parts are what the commands give, their links lead somewhere."""
import re
import shutil
import subprocess

import numpy as np
import pytest

from conftest import ROOT

DOCUMENTS = sorted(str(path.relative_to(ROOT)) for pattern in ("*.md", "docs/**/*.md", "*/README.md") for path in ROOT.glob(pattern))


def commands(document):
    """The lines of its sh blocks, in order, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S)
    lines = [re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def copy_of_project(place):
    """The tracked files as they are now, without anything built."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.rstrip("\0").split("\0"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name)
    return place


def check(command, place):
    done = subprocess.run(["sh", "-c", command], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def test_there_are_commands():
    assert "./daa run" in commands("README.md") and "./daa test" in commands("README.md")
    assert len(commands("README.md")) >= 10


def test_the_quick_commands_run(tmp_path, build, seed):
    """daagen and daagemm as printed, on small matrices in the place of those that `./daa run` leaves."""
    (tmp_path / "build" / "run").mkdir(parents=True)
    for name in ("daagen", "daagemm"):
        (tmp_path / "build" / name).symlink_to(build / name)
    rng = np.random.default_rng(seed)
    for name, shape in (("A", (3, 20)), ("B", (20, 4)), ("C0", (3, 4))):
        np.save(tmp_path / "build" / "run" / f"{name}.npy", rng.standard_normal(shape, np.float32))
    quick = [line for line in commands("README.md") if line.startswith(("build/daagen ", "build/daagemm "))]
    assert len(quick) >= 4
    for command in quick:
        check(command, tmp_path)
    assert np.load(tmp_path / "build" / "C.npy").shape == (3, 4)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_targets_are_there(document, run):
    targets = {word for line in commands(document) if line.startswith(("make ", "./daa ")) for word in line.split()[1:]
               if re.fullmatch(r"[a-z-]+", word)}
    assert targets
    text = run("make", "help").stdout
    assert not [target for target in targets - {"help"} if not re.search(rf"^{target}\s", text, re.M)]


@pytest.mark.long
def test_every_command_runs_in_a_new_copy(tmp_path):
    """All in order, but for the tests themselves, which are running."""
    place = copy_of_project(tmp_path)
    for command in commands("README.md"):
        if command != "./daa test":
            check(command, place)


@pytest.mark.parametrize("part", ["accuracy", "claim", "compare", "configs", "core", "options"])
def test_the_quick_parts_are_up_to_date(part, run, build):
    done = run("/usr/bin/python3", "docs/readme.py", "--build", build, "--check", part)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_the_measured_parts_are_up_to_date(run, build):
    assert run("make", f"BUILD={build}", "run", "lo-bits").returncode == 0
    done = run("/usr/bin/python3", "docs/readme.py", "--build", build, "--check", "run", "lo-bits")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    assert len(DOCUMENTS) > 15
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert ((ROOT / document).parent / target).exists(), target


def test_pictures_are_well_formed():
    from xml.etree import ElementTree

    pictures = sorted((ROOT / "docs").glob("*.svg"))
    assert len(pictures) >= 2
    for picture in pictures:
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
