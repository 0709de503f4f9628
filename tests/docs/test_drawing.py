"""The data sheet's latencies, and its drawing, against simulation."""
import json
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import drawing as timing  # noqa: E402

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


def reset_cycles(rows, columns, pipeline):
    return rows + columns + pipeline + 4


def result_cycles(columns, pipeline):
    return columns + pipeline + 6


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("c0", [0, 1])
def test_one_tile(array, steps, c0):
    """A tile that starts from C0 starts when its rows are in."""
    directory, rows, columns, pipeline = array
    wait = rows - 1 if c0 else 0
    scenario = timing.Scenario("", (steps,), (c0,), (), steps + wait + rows + columns + pipeline + 11)
    wave = timing.simulate(directory, scenario)
    assert wave["swept"] == reset_cycles(rows, columns, pipeline)
    moved, results = taken(wave)
    # Two steps wait inside, the third one before them.
    assert moved == [0, 1, *range(2 + wait, steps + wait)][:steps]
    first = steps - 1 + wait + result_cycles(columns, pipeline)
    assert results == list(range(first, first + rows))
    assert results[-1] + 1 == steps + wait + rows + columns + pipeline + 5
    assert [wave["c_last_o"][cycle] for cycle in results] == ["0"] * (rows - 1) + ["1"]
    if c0:
        c0_rows = timing.transfers(wave["c0_valid_i"], wave["c0_ready_o"])
        assert [cycle for cycle, moves in enumerate(c0_rows) if moves] == list(range(rows))


def test_the_manifest_says_the_same(array):
    directory, rows, columns, pipeline = array
    assert json.loads((directory / "daa.json").read_text())["latency"] == {
        "reset_cycles": reset_cycles(rows, columns, pipeline), "result_cycles": result_cycles(columns, pipeline),
        "element_cycles": pipeline + 1, "least_tile_cycles": rows}


@pytest.mark.parametrize("steps", [1, 2, 4, 5])
def test_tiles_follow_each_other(array, steps):
    """No cycle is lost from Rows steps on; shorter tiles start Rows cycles apart."""
    directory, rows, columns, pipeline = array
    scenario = timing.Scenario("", (steps,) * 3, (0, 0, 0), (), 3 * max(steps, rows) + rows + columns + pipeline + 14)
    moved, results = taken(timing.simulate(directory, scenario))
    first_row = [results[tile * rows] for tile in range(3)]
    assert [row - first_row[0] for row in first_row] == [tile * max(steps, rows) for tile in range(3)]
    assert len(results) == 3 * rows
    if steps >= rows:
        assert moved == list(range(3 * steps))


def test_results_that_wait_stop_nothing_until_there_is_no_room(emit):
    scenario = timing.SCENARIOS[2]
    directory = emit("tiny")
    held = json.loads((directory / "daa.json").read_text())["derived"]["result_rows"]
    wave = timing.simulate(directory, scenario)
    moved, results = taken(wave)
    assert len(moved) == sum(scenario.steps) and not set(results) & set(scenario.not_ready)
    # Five tiles' rows fit into the ten places and the one at the port. The sixth tile's last step waits.
    assert held == 10
    stopped = [cycle for cycle, ready in enumerate(wave["a_ready_o"]) if ready == "0"]
    assert stopped and min(stopped) == 2 * 5 + 3
    assert len(results) == 2 * len(scenario.steps)


def test_the_drawing_is_up_to_date(emit):
    assert (ROOT / "docs" / "timing.svg").read_text() == timing.svg(emit("tiny"))
