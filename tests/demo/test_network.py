"""The demo's network: its gradients against finite differences in float64, and which products it asks for."""
import sys

import numpy as np
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "demo"))
import network  # noqa: E402


def problem(seed):
    random = np.random.default_rng(seed)
    net = network.Network(6, 5, 4, seed)
    net.biases[0] += 0.1
    return net, random.standard_normal((3, 6)).astype(np.float32), random.integers(0, 4, 3)


def loss(parameters, images, labels):
    """In float64, written apart from the network's own."""
    first, second, bias, other = (each.astype(np.float64) for each in parameters)
    scores = np.maximum(images @ first + bias, 0) @ second + other
    return np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(labels)), labels])


def test_a_step_follows_the_gradient(seed):
    net, images, labels = problem(seed)
    start = [each.copy() for each in net.weights + net.biases]
    told = net.step(images, labels, 1.0, network.exact)
    assert told == pytest.approx(loss(start, images, labels), rel=1e-5)
    for index, (before, after) in enumerate(zip(start, net.weights + net.biases)):
        for at in np.ndindex(before.shape):
            up, down = ([each.astype(np.float64) for each in start] for _ in range(2))
            up[index][at] += 1e-5
            down[index][at] -= 1e-5
            slope = (loss(up, images, labels) - loss(down, images, labels)) / 2e-5
            assert before[at] - after[at] == pytest.approx(slope, abs=2e-5), (index, at)


def test_every_product_is_asked_for(seed):
    net, images, labels = problem(seed)
    asked = []

    def multiply(kind, a, b, c0):
        asked.append((kind, a.shape, b.shape, c0 is not None))
        return network.exact(kind, a, b, c0)

    net.step(images, labels, 0.1, multiply)
    assert asked == [("forward", (3, 6), (6, 5), True), ("forward", (3, 5), (5, 4), True), ("input_grad", (3, 4), (4, 5), False),
                     ("weight_grad", (6, 3), (3, 5), False), ("weight_grad", (5, 3), (3, 4), False)]
