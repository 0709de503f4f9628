"""What the tests of the Python package share: the package in the tree, daagemm as its judge, bounds on errors. A
module imports the fixtures that it uses."""

import json
import sys

import numpy as np
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "python"))

import torch  # noqa: E402

torch.set_num_threads(1)  # the tests run side by side
torch.manual_seed(1)  # of layers that a module makes for all of its tests


@pytest.fixture
def numbers(rng):
    """A NumPy generator of the test's own; PyTorch's is seeded with it."""
    torch.manual_seed(rng.getrandbits(32))
    return np.random.default_rng(rng.getrandbits(64))


@pytest.fixture
def judge(daagemm, run, tmp_path):
    """C, and the counts, that daagemm's golden model gives for A, B and C0 with a configuration."""

    def call(config, a, b, c0=None):
        words = str(config).split()
        for letter, matrix in (("a", a), ("b", b), ("c", c0)):
            if matrix is not None:
                np.save(tmp_path / f"judge-{letter}.npy", np.ascontiguousarray(matrix))
                words += [f"--{letter}", tmp_path / f"judge-{letter}.npy"]
        out, stats = tmp_path / "judge-out.npy", tmp_path / "judge.json"
        done = run(daagemm, *words, "-o", out, "--stats", stats, "--engine", "golden")
        assert done.returncode == 0, done.stderr
        return np.load(out), json.loads(stats.read_text())["products"]

    return call


def relative_bound(config, k):
    """How far an element of A B may be from the exact sum over its K, relative to the sum of |a b|, by the contract.

    Section 2: a low value has a relative error of at most u = 2^-T, the half unit at T bits over the least significand
    (truncated: a whole unit, 2^(1-T)), also where it carries; so a product of two is off by at most (1 + u)^2 - 1.
    Section 4: a dropped product has a key of at most K* - D - 1, so is below 2^(K* - D + 1), where the largest of its
    step is at least 2^K*: at most S - 1 times 2^(1-D) of that one are lost. Section 5: each of n steps is rounded to
    a significand of Y + 1 bits, which is gamma_n = n v / (1 - n v), v = 2^-(Y+1), of the terms' magnitudes together.
    None is float32 in any order of sums: K products and K sums, each rounded."""
    if config is None:
        v = (k + 1) * 2.0**-24
        return v / (1 - v)
    u = 2.0 ** -(config.lo_bits - (config.lo_round == "truncate"))
    exact = config.streams == 1 or config.policy == "high"
    low = 0.0 if exact else (1 + u) ** 2 - 1
    dropped = (config.streams - 1) * 2.0 ** (1 - config.window)
    steps = -(-k // config.streams)
    if config.accumulator == "anchored":
        # Section 5.2: a place is below 2^(G-(W-3)) of the largest size that a step's sum or M may have, 4 S 2^K* or the
        # terms' magnitudes together; a step rounds by half of it and a shift takes less than one.
        v = 1.5 * steps * 4 * config.streams * 2.0 ** (config.acc_step - config.acc_bits + 3) + 2.0**-24
        return low + dropped + v * (1 + low)
    v = steps * 2.0 ** -{"fp32": 24}[config.acc_format]
    return low + dropped + v / (1 - v) * (1 + low)


FLUSHED = 2.0**-120  # below it, flushed subnormals may be all there is
