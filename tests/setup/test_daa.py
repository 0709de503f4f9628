"""The set-up command: what it asks for, refuses, and hands on to make; apt-get, id and make are stand-ins."""
import os
import pathlib
import shutil
import stat

import pytest

from conftest import ROOT

TOOLS = ("dirname", "sed", "grep", "head", "mktemp", "rm", "cat", "mkdir", "mv", "uniq")


@pytest.fixture
def machine(tmp_path, run):
    """A copy of ./daa on a machine whose commands are those the test puts there."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (tmp_path / "tmp").mkdir()
    shutil.copy(ROOT / "daa", tmp_path / "daa")
    for tool in TOOLS:
        (commands / tool).symlink_to(shutil.which(tool))

    def put(name, body="exit 0"):
        path = commands / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def call(*words):
        return run("/bin/sh", tmp_path / "daa", *words, env={"PATH": str(commands), "TMPDIR": str(tmp_path / "tmp")}, cwd="/")

    call.put = put
    call.path = tmp_path
    return call


def put_rest(machine):
    """All but verilator and yosys; what is proved by a file is on the testing machine itself."""
    for name in ("gcc", "g++", "iverilog", "sta", "pkg-config"):
        machine.put(name)
    machine.put("make", 'echo "make: $*"')


def test_without_anything_missing_it_only_calls_make(machine):
    put_rest(machine)
    machine.put("verilator")
    machine.put("yosys")
    done = machine("run", "IMAGES=3")
    assert (done.returncode, done.stdout, done.stderr) == (0, "make: run IMAGES=3\n", "")


def test_a_user_gets_the_command(machine):
    put_rest(machine)
    machine.put("apt-get", "exit 9")
    machine.put("id", "echo 1000")
    done = machine("run")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == ("daa: missing packages; install them by: "
                           "sudo apt-get install -y --no-install-recommends verilator yosys\n")


def test_root_gets_exactly_the_missing_packages(machine):
    put_rest(machine)
    machine.put("id", "echo 0")
    machine.put("apt-get", f"""
echo "$DEBIAN_FRONTEND $*" >>{machine.path}/calls
case "$*" in *" -s "*|-s*) exit 100;; esac
case "$*" in *install*)
    for tool in verilator yosys; do cp {machine.path}/bin/make {machine.path}/bin/$tool; done;;
esac""")
    (machine.path / "bin/cp").symlink_to(shutil.which("cp"))
    done = machine("run")
    assert done.returncode == 0 and done.stdout == "make: run\n", done.stderr
    calls = (machine.path / "calls").read_text().splitlines()
    assert [line.split()[-1] for line in calls] == ["yosys", "update", "yosys"]
    assert all(line.startswith("noninteractive ") for line in calls)
    assert calls[2].endswith(" install -y --no-install-recommends verilator yosys")


def test_a_failed_installation_is_one_line(machine):
    put_rest(machine)
    machine.put("id", "echo 0")
    machine.put("apt-get", 'echo "E: Temporary failure resolving the mirror"; exit 100')
    done = machine("test")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "daa: installing verilator yosys\n"
        "daa: apt-get could not install these (Temporary failure resolving the mirror); "
        "check the network and /etc/apt/sources.list\n")
    assert os.listdir(machine.path / "tmp") == []


def test_without_apt_get_it_says_what_is_missing(machine):
    put_rest(machine)
    done = machine("run")
    assert done.returncode == 1
    assert done.stderr == ("daa: missing: verilator yosys; there is no apt-get here, "
                           "so install these by other means\n")


def test_an_installation_that_does_not_help_is_told(machine):
    put_rest(machine)
    machine.put("id", "echo 0")
    machine.put("apt-get")
    done = machine("run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "daa: installed, but still not found: verilator yosys; see the list at the top of ./daa")


# apt-get with one mirror of Debian among its sources; it is called with `update` and `download` for that one alone.
MIRRORED = """
echo "$*" >>{path}/calls
case "$*" in
*indextargets*)
    echo "main nodistro http://elsewhere/"
    echo "contrib {codename} http://mirror/debian/"
    echo "main {codename} cdrom:[Debian]/"
    echo "main {codename} http://mirror/debian/"
    echo "main {codename}-updates http://mirror/debian/";;
*update*) cat sources.list >>{path}/sources; {update};;
*download*) {download};;
esac"""


def put_apt(machine, update="true", download="echo deb >qflow-tech-osu018_1_all.deb"):
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    codename = next(line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))
    machine.put("apt-get", MIRRORED.format(path=machine.path, codename=codename, update=update, download=download))


def test_cells_come_from_the_mirror_of_debian_without_root(machine):
    put_apt(machine)
    machine.put("id", "echo 1000")
    machine.put("dpkg", 'mkdir -p "$3" && cat "$2" >"$3/cells"')
    for words in ("--cells", "--cells"):
        done = machine(words)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (machine.path / "build/cells/cells").read_text() == "deb\n"
    assert os.listdir(machine.path / "build") == ["cells"]
    assert machine("--mirror").stdout == "http://mirror/debian/\n"
    source, = (machine.path / "sources").read_text().splitlines()
    assert source.startswith("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ")
    assert source.endswith("] http://mirror/debian/ bookworm main")
    calls = (machine.path / "calls").read_text().splitlines()
    assert len(calls) == 4, "indextargets, update, download, and nothing the second time"
    for call in calls[1:3]:
        for own in ("Dir::Etc::SourceList", "Dir::State::Lists", "Dir::Cache"):
            assert f"{own}={machine.path}/build/cells." in call


@pytest.mark.parametrize("apt, why", [
    (dict(update="echo 'E: Failed to fetch it'; exit 100"), "Failed to fetch it"),
    (dict(download="echo 'E: Unable to locate package'; exit 100"), "Unable to locate package"),
    (dict(download="echo 'W: hash sum mismatch'; exit 100"), "hash sum mismatch"),
    (None, "there is no apt-get here"),
])
def test_without_cells_there_is_one_line_and_no_failure(machine, apt, why):
    if apt:
        put_apt(machine, **apt)
    done = machine("--cells")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == (f"daa: no areas: standard cells (qflow-tech-osu018 of Debian 12) could not be fetched ({why}); "
                                            "LIBERTY=F.lib takes others")
    assert not os.path.exists(machine.path / "build") or os.listdir(machine.path / "build") == []


@pytest.mark.parametrize("words, text", [
    (["--need", "run", "all"], "unknown group 'all'; the groups are run, train, test, tools, bench, sweep, lint and debian"),
    (["--need"], "--need takes groups: run, train, test, tools, bench, sweep, lint, debian"),
    (["--now"], "unknown option '--now'; see ./daa --help"),
])
def test_refuses(refused, root, words, text):
    assert refused(root / "daa", *words, status=2, text=text).startswith("daa: ")


def test_help(run, root):
    done = run(root / "daa", "--help")
    assert done.returncode == 0 and "./daa run" in done.stdout and done.stderr == ""


def test_every_package_is_on_this_machine_by_its_proof(run, root):
    """The list's proofs hold where all packages are installed: nothing is missing and nothing would be installed."""
    done = run(root / "daa", "--need", "run", "test")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_is_posix_shell(run, root):
    assert run("dash", "-n", root / "daa").returncode == 0
    assert (root / "daa").read_text().startswith("#!/bin/sh\n")
