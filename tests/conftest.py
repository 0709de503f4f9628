"""What every test shares: the commands, emitted arrays, the seed, and the two tiers (the marker `long`)."""
import os
import pathlib
import random
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=int(os.environ.get("SEED", "1")), help="of every random test (default 1)")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: minutes, not seconds; run by `make test-long`")
    config.addinivalue_line("markers", "early: five seconds or more; started before the others")
    # A shell's background processes ignore these signals, and so would the commands that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_collection_modifyitems(items):
    """What takes long starts first, so that none of it is left to run alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("early") is None)


def pytest_report_header(config):
    return f"seed: {config.getoption('seed')}"


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_line(f"seed: {config.getoption('seed')} (the same tests again: make test SEED=...)")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build():
    """Where `make` puts things; another place for an instrumented build: BUILD=..."""
    return ROOT / os.environ.get("BUILD", "build")


def _command(path):
    assert path.exists(), f"{path} is not there; run make first"
    return path


@pytest.fixture(scope="session")
def daagen(build):
    return _command(build / "daagen")


@pytest.fixture(scope="session")
def daagemm(build):
    return _command(build / "daagemm")


@pytest.fixture(scope="session")
def seed(request):
    return request.config.getoption("seed")


@pytest.fixture
def rng(seed, request):
    """A random.Random of its own for each test, the same for the same seed whatever the order of the tests."""
    return random.Random(f"{seed} {request.node.nodeid}")


@pytest.fixture
def run(root):
    """Runs a command in the project's root, its output captured as text."""

    def call(*words, **options):
        options.setdefault("cwd", root)
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)

    return call


@pytest.fixture
def refused(run):
    """Runs a command that must be refused: the status given, nothing on stdout, one line on stderr that says `text`."""

    def call(*words, status, text, **options):
        done = run(*words, **options)
        assert done.returncode == status, done.stderr
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
        assert text in done.stderr
        return done.stderr

    return call


@pytest.fixture
def emit(daagen, tmp_path, run):
    """Emits an array into a directory of the test: emit("tiny", "--rows", 3)."""

    def call(config, *options, name="array"):
        directory = tmp_path / name
        done = run(daagen, "--config", config, *options, "-o", directory)
        assert done.returncode == 0, done.stderr
        return directory

    return call


@pytest.fixture
def wrong_daagen(daagen, tmp_path):
    """Leaves a daagen in the test's directory that puts a fault into each array: wrong_daagen(FILE, what sed does to it)."""

    def call(file, fault):
        program = tmp_path / "daagen"
        program.write_text(f"""#!/bin/sh
set -e
{daagen.resolve()} "$@"
while [ "$1" != -o ]; do shift; done
sed -i '{fault}' "$2/{file}"
""")
        program.chmod(0o755)

    return call
