"""What the Python commands share: failing in one line, and files that are whole, as they were, or not there."""
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "common"))
import command  # noqa: E402


def program(text, *words, **options):
    """Runs a job of these lines through command.main()."""
    body = "\n    ".join(text.splitlines())
    source = (f"import sys, time, pathlib\nsys.path.insert(0, {str(ROOT / 'common')!r})\nimport command\n"
              f"def job():\n    {body}\nsys.exit(command.main('name', job))\n")
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([sys.executable, "-c", source, *map(str, words)], **options)


def ended(text, *words, **options):
    child = program(text, *words, **options)
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err


def test_failures_are_one_line_and_a_status():
    assert ended("raise command.Failed('no\\n\\x1b[31m good')") == (1, "", "name: no??[31m good\n")
    assert ended("raise command.Usage('what?')") == (2, "", "name: what?\n")
    assert ended("open('/nothing\\nthere')") == (1, "", "name: /nothing?there: No such file or directory\n")


def test_full_standard_output():
    with open("/dev/full", "w") as full:
        assert ended("print('much')", stdout=full) == (1, None, "name: No space left on device\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_interrupted(tmp_path, number):
    path = tmp_path / "file"
    path.write_text("earlier")
    child = program("with command.written_beside(pathlib.Path(sys.argv[1])) as beside:\n"
                    "    beside.write_text('half')\n    time.sleep(60)", path,
                    preexec_fn=lambda: [signal.signal(one, signal.SIG_DFL) for one in (signal.SIGHUP, signal.SIGQUIT)])
    deadline = time.monotonic() + 30
    while len(os.listdir(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.05)
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (130, "name: interrupted; what was there is kept\n")
    assert os.listdir(tmp_path) == ["file"] and path.read_text() == "earlier"


def test_files_are_whole(tmp_path):
    path, link = tmp_path / ("n" * 255), tmp_path / "link"
    link.symlink_to(path)
    command.save_json(link, {"a": 1})
    assert link.is_symlink() and path.read_text() == '{\n  "a": 1\n}\n'
    with pytest.raises(ZeroDivisionError):
        with command.written_beside(path) as beside:
            beside.write_text("half")
            1 / 0
    assert path.read_text().startswith("{") and sorted(os.listdir(tmp_path)) == ["link", path.name]


def test_only_plain_files_are_replaced(tmp_path):
    fifo, device = tmp_path / "fifo", tmp_path / "device"
    os.mkfifo(fifo)
    places = [fifo, tmp_path]
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        places.append(device)
    except PermissionError:
        print("no right to make a device: FIFO and folder only")
    for place in places:
        before = place.lstat()
        with pytest.raises(command.Failed, match="is not a plain file"):
            command.write_whole(pathlib.Path(place), b"x")
        assert place.lstat().st_mode == before.st_mode and place.lstat().st_ino == before.st_ino
