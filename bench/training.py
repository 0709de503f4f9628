"""make bench-training: a training step of whole networks and of depthwise layers, through the array's arithmetic and in
PyTorch's own float32, in turns in one run on one thread. A step is forward, backward and the optimizer's; data are drawn once.
"""
import argparse
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / room) for room in ("", "common", "python")]

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from command import Parser, main, save_json  # noqa: E402
from train import arms, model  # noqa: E402

ARMS = ("fp32", "bf16", "s2-t4", "safe2", "safe4")
IMAGES = {"resnet18": (1, 28), "resnet20-stride": (3, 32), "resnet18-narrow": (3, 32), "vit-small": (3, 32)}  # channels, side
LETTERS = 65
DEPTHWISE = {"depthwise 64 x 32 x 32": (64, 32), "depthwise 192 x 14 x 14": (192, 14)}  # batches of 64, kernels of 3 x 3
WORKS = [*IMAGES, "gpt-small", *DEPTHWISE]


def network_and_batch(work):
    """The float32 network, its inputs, and what it shall say to them; no labels where a sum is the loss."""
    torch.manual_seed(1)
    if work in DEPTHWISE:
        channels, side = DEPTHWISE[work]
        layer = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        x = torch.randn(64, channels, side, side).contiguous(memory_format=torch.channels_last)
        return nn.Sequential(layer), x.requires_grad_(), None
    count = model.MODELS[work].batch
    if work in IMAGES:
        channels, side = IMAGES[work]
        images = torch.randn(count, channels, side, side).contiguous(memory_format=torch.channels_last)
        return model.build(work, channels, 1), images, torch.randint(10, (count,))
    text = torch.randint(LETTERS, (count, model.MODELS[work].length + 1))
    return model.build(work, LETTERS, 1), text[:, :-1], text[:, 1:]


def stepper(work, arm):
    """What does one training step."""
    network, x, labels = network_and_batch(work)
    network = arms.convert(network.to(memory_format=torch.channels_last), arm)
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)

    def step():
        optimizer.zero_grad()
        y = network(x)
        loss = y.sum() if labels is None else functional.cross_entropy(y.flatten(0, -2), labels.flatten())
        loss.backward()
        optimizer.step()
    return step


def measure(work, names, rounds):
    """Arm -> the median of the processor's seconds a step, after one that is not counted."""
    steps = {name: stepper(work, name) for name in names}
    times = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            begin = time.process_time()
            step()
            if turn:
                times[name].append(time.process_time() - begin)
    return {name: statistics.median(taken) for name, taken in times.items()}


def bench():
    parser = Parser(prog="bench-training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE.json", help="the figures as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (default 5)")
    parser.add_argument("--work", action="append", choices=WORKS, help="only this one; more than once for more")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")
    torch.set_num_threads(1)
    figures = {}
    print("| milliseconds a step, times float32 | " + " | ".join(f"`{name}`" for name in ARMS) + " |")
    print("| --- |" + " ---: |" * len(ARMS))
    for work in arguments.work or WORKS:
        found = figures[work] = measure(work, ARMS, arguments.rounds)
        print(f"| {work} | " + " | ".join(f"{1e3 * found[name]:.0f} ({found[name] / found['fp32']:.2f})" for name in ARMS) + " |", flush=True)
    if arguments.output:
        save_json(arguments.output, figures)


if __name__ == "__main__":
    sys.exit(main("bench-training", bench))
