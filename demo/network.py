"""A network of two layers and its training by hand, so that every product of matrices is in sight.

All matrices are float32. A product is left to the caller: multiply(kind, a, b, c0) gives a @ b + c0 as float32, where c0 is
None for zeros and KIND is one of GEMMS.
"""
import numpy as np

GEMMS = ("forward", "input_grad", "weight_grad")
MOMENTUM = np.float32(0.9)


def exact(kind, a, b, c0=None):
    """The products in float32 by NumPy: the reference without an array."""
    return a @ b if c0 is None else a @ b + c0


class Network:
    """pixels -> hidden (ReLU) -> outputs, softmax and cross entropy; weights drawn from SEED."""

    def __init__(self, pixels, hidden, outputs, seed):
        random = np.random.default_rng(seed)
        self.weights = [self.drawn(random, pixels, hidden), self.drawn(random, hidden, outputs)]
        self.biases = [np.zeros(hidden, np.float32), np.zeros(outputs, np.float32)]
        self.velocities = [np.zeros_like(each) for each in self.weights + self.biases]

    @staticmethod
    def drawn(random, inputs, outputs):
        return (random.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32)

    def forward(self, images, multiply):
        """The hidden layer before its ReLU and after it, and the scores."""
        first, second = (np.tile(bias, (len(images), 1)) for bias in self.biases)
        before = multiply("forward", images, self.weights[0], first)
        hidden = np.maximum(before, 0)
        return before, hidden, multiply("forward", hidden, self.weights[1], second)

    def step(self, images, labels, rate, multiply):
        """One step of gradient descent with momentum; the mean loss before it."""
        before, hidden, scores = self.forward(images, multiply)
        likely = softmax(scores)
        loss = -np.log(likely[np.arange(len(labels)), labels]).mean()
        error = likely.copy()
        error[np.arange(len(labels)), labels] -= 1
        error = (error / len(labels)).astype(np.float32)
        behind = multiply("input_grad", error, self.weights[1].T, None) * (before > 0)
        gradients = [multiply("weight_grad", images.T, behind, None), multiply("weight_grad", hidden.T, error, None),
                     behind.sum(axis=0), error.sum(axis=0)]
        for value, velocity, gradient in zip(self.weights + self.biases, self.velocities, gradients):
            velocity *= MOMENTUM
            velocity -= np.float32(rate) * gradient
            value += velocity
        return float(loss)

    def correct(self, images, labels, multiply):
        """How many of the images have their largest score at their label."""
        return int((self.forward(images, multiply)[2].argmax(axis=1) == labels).sum())


def softmax(scores):
    powers = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
