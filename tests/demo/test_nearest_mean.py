"""The classifier's GEMM against the definition: the class whose mean is nearest."""
import sys

import numpy as np
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "demo"))
import nearest_mean  # noqa: E402


def test_scores_order_the_distances(seed):
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    labels = np.arange(200) % 10
    images = rng.integers(0, 256, (200, 30), dtype=np.uint8)
    means = nearest_mean.class_means(images, labels, 10)
    for label in range(10):
        np.testing.assert_allclose(means[label], (images[labels == label] / 255).mean(axis=0), rtol=1e-12)

    a, b, c0 = nearest_mean.operands(images, means)
    distances = np.square(images[:, None, :] / 255 - means).sum(axis=2)
    scores = a @ b + c0
    assert (scores.argmax(axis=1) == distances.argmin(axis=1)).all()
    # The score is half the gain over the distance to the origin.
    np.testing.assert_allclose(distances, np.square(a).sum(axis=1)[:, None] - 2 * scores, atol=1e-9)


def test_refuses_a_class_without_images():
    with pytest.raises(ValueError, match="class 2 has no training image"):
        nearest_mean.class_means(np.zeros((2, 3), np.uint8), np.array([0, 1]), 3)


def test_the_first_of_equal_scores_wins():
    assert nearest_mean.correct(np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([0, 1])) == 2
    assert nearest_mean.correct(np.array([[1.0, 1.0]]), np.array([1])) == 0
