"""The harness itself, on a stand-in for the core: its memory, the rules that it watches, its registers."""
import pytest

import cores


@pytest.mark.parametrize("copies", [60, pytest.param(3000, marks=pytest.mark.long)])
def test_harness(root, seed, tmp_path, copies):
    array = cores.emit(tmp_path / "core", "--config", "tiny")
    done = cores.arrays.run(cores.stand_in(array, root / "tests/core/check_bus.c"), seed, copies)
    print(done.stdout)
    assert "16 faults: all right" in done.stdout
