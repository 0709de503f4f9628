"""What the training tests share: where the packages are, and small data."""
import sys

import numpy as np
import pytest

from conftest import ROOT

sys.path[:0] = [str(ROOT / "python"), str(ROOT)]


@pytest.fixture(scope="session")
def shapes(seed):
    """A data set of ten easy classes, 12 x 12 pixels: a bright bar at one of ten places, in noise."""
    from train import data

    rng = np.random.default_rng(seed)

    def make(count):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        images = rng.integers(0, 64, (count, 1, 12, 12)).astype(np.uint8)
        for image, label in zip(images, labels):
            image[0, label + 1] += 150
        return data.Set(images, labels)

    return data.normalised("shapes", make(600), make(100))
