"""Parameters out of range stop elaboration in every tool, and its message has the rule that they break."""
import subprocess

import pytest

import arrays

OUT_OF_RANGE = [
    ("Rows", 0, "daa_array_needs_Rows_from_1_to_256"),
    ("Rows", 300, "daa_array_needs_Rows_from_1_to_256"),
    ("Cols", 0, "daa_array_needs_Cols_from_1_to_256"),
    ("Cols", 257, "daa_array_needs_Cols_from_1_to_256"),
    ("C0Rows", 1, "daa_array_needs_C0Rows_of_Rows_or_more"),
    ("ResultRows", 1, "daa_array_needs_ResultRows_of_Rows_or_more"),
]
TOOLS = ("verilator", "icarus", "yosys")


@pytest.fixture(scope="module")
def array(tmp_path_factory):
    return arrays.emit(tmp_path_factory.mktemp("rules") / "array", "--config", "tiny")


def elaborate(tool, array, name, value):
    """The array with one parameter overridden: exit status and all that is said."""
    files = [str(array / line) for line in (array / "daa.f").read_text().split()]
    command = {
        "verilator": ["verilator", "--lint-only", "--top-module", "daa_array", f"-G{name}={value}", *files],
        "icarus": ["iverilog", "-g2005", "-t", "null", "-s", "daa_array", f"-Pdaa_array.{name}={value}", *files],
        "yosys": ["yosys", "-q", "-p", f"read_verilog {' '.join(files)}; hierarchy -check -top daa_array -chparam {name} {value}"],
    }[tool]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_a_parameter_in_range_elaborates(tool, array):
    for name, value in ("Rows", 1), ("Cols", 3), ("C0Rows", 2), ("ResultRows", 2):
        status, said = elaborate(tool, array, name, value)
        assert status == 0 and "needs" not in said, said


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name, value, rule", OUT_OF_RANGE, ids=lambda value: str(value))
def test_a_parameter_out_of_range_is_refused(tool, name, value, rule, array):
    status, said = elaborate(tool, array, name, value)
    assert status != 0 and rule in said, said
