"""The data sheet's latencies, and its drawing, against simulation."""
import json
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import timing  # noqa: E402

SIZES = [(1, 1, 1), (2, 2, 1), (1, 4, 2), (5, 1, 3), (3, 4, 2), (4, 3, 3)]


@pytest.fixture(params=SIZES, ids=lambda size: "{}x{}-pipeline{}".format(*size))
def array(request, emit):
    rows, columns, pipeline = request.param
    return emit("tiny", "--rows", rows, "--cols", columns, "--pipeline", pipeline), *request.param


def taken(wave):
    """The cycles in which steps of A and rows of results move."""
    steps = timing.transfers(wave["a_valid_i"], wave["a_ready_o"])
    results = timing.transfers(wave["c_valid_o"], wave["c_ready_i"])
    return [[cycle for cycle, moves in enumerate(stream) if moves] for stream in (steps, results)]


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("c0", [0, 1])
def test_one_tile(array, steps, c0):
    directory, rows, columns, pipeline = array
    scenario = timing.Scenario("", (steps,), (c0,), (), steps + rows + columns + pipeline + 10)
    wave = timing.simulate(directory, scenario)
    assert wave["swept"] == rows + columns + pipeline + 4
    moved, results = taken(wave)
    assert moved == list(range(steps))
    first = steps - 1 + columns + pipeline + 2
    assert results == list(range(first, first + rows))
    assert results[-1] + 1 == steps + rows + columns + pipeline + 1
    assert [wave["c_last_o"][cycle] for cycle in results] == ["0"] * (rows - 1) + ["1"]
    if c0:
        c0_rows = timing.transfers(wave["c0_valid_i"], wave["c0_ready_o"])
        assert [cycle for cycle, moves in enumerate(c0_rows) if moves] == list(range(rows))


def test_the_manifest_says_the_same(array):
    directory, rows, columns, pipeline = array
    assert json.loads((directory / "daa.json").read_text())["latency"] == {
        "reset_cycles": rows + columns + pipeline + 4, "result_cycles": columns + pipeline + 2,
        "element_cycles": pipeline + 1, "least_tile_cycles": rows}


@pytest.mark.parametrize("steps", [1, 2, 4, 5])
def test_tiles_follow_each_other(array, steps):
    """No cycle is lost from Rows steps on; shorter tiles start Rows cycles apart."""
    directory, rows, columns, pipeline = array
    scenario = timing.Scenario("", (steps,) * 3, (0, 1, 0), (), 3 * max(steps, rows) + rows + columns + pipeline + 10)
    moved, results = taken(timing.simulate(directory, scenario))
    assert [moved[tile * steps] for tile in range(3)] == [tile * max(steps, rows) for tile in range(3)]
    assert len(results) == 3 * rows
    if steps >= rows:
        assert moved == list(range(3 * steps))


def test_a_result_that_waits_stops_the_array(emit):
    scenario = timing.SCENARIOS[2]
    wave = timing.simulate(emit("tiny"), scenario)
    assert [wave["a_ready_o"][cycle] for cycle in range(7, 11)] == ["1", "0", "0", "1"]
    moved, results = taken(wave)
    assert len(moved) == sum(scenario.steps) and not set(moved + results) & set(scenario.not_ready)


def test_the_drawing_is_up_to_date(emit):
    assert (ROOT / "docs" / "timing.svg").read_text() == timing.svg(emit("tiny"))
