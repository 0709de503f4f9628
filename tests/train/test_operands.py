"""Dumped operands: their ratios by arm, the small set cut out of them, and the committed set."""
import json

import numpy as np
import pytest
import torch

from training import ROOT
from train import StudyError, arms, operands, snr

COMMITTED = ROOT / "tests" / "data" / "training"


def bf16(array):
    return torch.from_numpy(array.astype("f4")).bfloat16().float().numpy()


def fill(directory, seed, m=40, k=600, n=50):
    """Operands of one layer and its three GEMMs at two steps."""
    rng = np.random.default_rng(seed)
    for step in (5, 20):
        place = directory / f"step{step}"
        place.mkdir(parents=True)
        for gemm in arms.GEMMS:
            np.save(place / f"layer1.0.conv1.{gemm}.a.npy", bf16(np.maximum(rng.normal(size=(m, k)), 0)))
            np.save(place / f"layer1.0.conv1.{gemm}.b.npy", bf16(rng.normal(size=(k, n))))


def test_files_in_order(tmp_path, seed):
    fill(tmp_path, seed)
    found = [(step, layer, gemm) for step, layer, gemm, _ in operands.files(tmp_path)]
    assert found == [(step, "layer1.0.conv1", gemm) for step in (5, 20) for gemm in arms.GEMMS]
    with pytest.raises(StudyError, match="holds no operands; train.run --dump"):
        operands.files(tmp_path / "step5")


def test_ratios(tmp_path, seed):
    """Against the same figure in numpy; and the order that the arithmetic must have on Gaussian data."""
    import daa

    fill(tmp_path, seed)
    rows = snr.measure(tmp_path)
    assert [(row["step"], row["gemm"], row["m"], row["n"], row["k"]) for row in rows] == [
        (step, gemm, 40, 50, 600) for step in (5, 20) for gemm in arms.GEMMS]
    first = next(operands.load(tmp_path))
    exact = first.a.astype(float) @ first.b.astype(float)
    result = daa.gemm(first.a, first.b, config=daa.Config("paper", lo_bits=2))
    expected = 10 * np.log10((exact**2).sum() / ((result - exact) ** 2).sum())
    assert rows[0]["s2-t2"] == pytest.approx(expected, abs=1e-6)
    for row in rows:
        assert row["high"] > row["s2-t4"] + 30 > row["s2-t3"] + 30 > row["s2-t2"] + 30 > row["s2-t1"] + 30
        assert row["s2-t4"] > row["static-t4"] + 5 and row["static-t4"] > row["low-t4"] and row["s2-t4"] > row["s4-t4"]
        assert row["s2-t2"] > row["s2-t2-trunc"] + 3
        # Exact is of bf16's operands: fewer bits in them are noise, however exact their products.
        assert row["high"] > row["safe2"] + 10 > row["alike2"] + 11 > row["alike2-4"] + 14
        assert "fp32" not in row and not any(name.startswith("only") for name in row)
    snr.write(tmp_path / "snr.csv", rows)
    again = snr.read(tmp_path / "snr.csv")
    assert again[20, "forward"]["bf16"] == pytest.approx([rows[3]["bf16"]], abs=0.01)


def test_crop(tmp_path, seed):
    fill(tmp_path, seed)
    entries = operands.write_crops(tmp_path, tmp_path / "set", ("layer1.0.conv1",), "a test")
    assert len(entries) == 6 and json.loads((tmp_path / "set" / "index.json").read_text())["gemms"] == entries
    whole = next(operands.load(tmp_path))
    entry = entries[0]
    a, b = (np.load(tmp_path / "set" / f"{entry['name']}.{side}.npy") for side in "ab")
    start, stop = entry["depth"]
    assert start % 4 == 0 and stop - start == 256
    assert np.array_equal(a, whole.a[np.ix_(entry["rows"], range(start, stop))]) and a.shape == (32, 256)
    assert np.array_equal(b, whole.b[np.ix_(range(start, stop), entry["cols"])]) and b.shape == (256, 32)


def committed():
    return json.loads((COMMITTED / "index.json").read_text())["gemms"]


def test_committed_set_is_whole_and_small():
    names = {f"{entry['name']}.{side}.npy" for entry in committed() for side in "ab"}
    assert {path.name for path in COMMITTED.iterdir()} == names | {"index.json"}
    assert sum(path.stat().st_size for path in COMMITTED.iterdir()) < 2 << 20
    assert {entry["name"].rpartition(".")[2] for entry in committed()} == set(arms.GEMMS)
    for name in names:
        array = np.load(COMMITTED / name)
        assert array.dtype == np.dtype("<f4") and np.array_equal(array, bf16(array)) and np.isfinite(array).all()
        assert np.count_nonzero(array) > 0.05 * array.size, name


def test_daagemm_takes_the_committed_set(run, daagemm, tmp_path):
    import daa

    for entry in committed()[:: 3]:
        a, b = (COMMITTED / f"{entry['name']}.{side}.npy" for side in "ab")
        done = run(daagemm, "--config", "paper", "--a", a, "--b", b, "-o", tmp_path / "c.npy")
        assert done.returncode == 0, done.stderr
        expected = daa.gemm(np.load(a), np.load(b), config=daa.Config("paper"))
        assert np.load(tmp_path / "c.npy").tobytes() == expected.tobytes()
