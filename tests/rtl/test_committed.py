"""rtl/ holds the default configuration as emitted, and its README names each module."""
import re


def test_rtl_is_as_emitted(run):
    done = run("make", "-s", "check-rtl")
    assert done.returncode == 0, done.stderr


def test_the_module_tree_is_whole(root):
    modules = {file.stem for file in (root / "rtl").glob("*.v")}
    named = re.findall(r"^[│├└─ ]*(daa_\w+)  ", (root / "rtl/README.md").read_text(), re.M)
    assert len(named) == len(set(named)) and set(named) == modules
