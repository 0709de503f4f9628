"""Every GEMM of a training step of ResNet-18 on the core, by its cycle model: docs/results/resnet18.json, .md, .svg.

Convolutions are GEMMs of matrices in memory (im2col), activations and gradients of 2 bytes a number, weight gradients of 4.
Batch normalisation, pooling and im2col itself are not the core's and not counted.
"""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
from daa import Config, core  # noqa: E402

SIDE, LATENCY, OUTSTANDING = 16, 64, 16
STREAMS = {1: ("safe2", {"streams": 1}), 2: ("safe2", {}), 4: ("safe4", {})}
BUSES = 128, 256, 512
IMAGES = {"ImageNet": 4, "CIFAR": 16}  # of a batch
KINDS = "forward", "input gradient", "weight gradient"
Layer = collections.namedtuple("Layer", "name pixels inputs outputs count first")


def layers(net):
    """Pixels of an image's output, numbers in a window, output channels, how often; FIRST needs no input gradient."""
    large = net == "ImageNet"
    side = 56 if large else 32
    yield Layer("conv1", (2 * side) ** 2 if large else side ** 2, 3 * (49 if large else 9), 64, 1, True)
    yield Layer("layer1", side ** 2, 64 * 9, 64, 4, False)
    for number, channels in (2, 128), (3, 256), (4, 512):
        side //= 2
        yield Layer(f"layer{number} first", side ** 2, channels // 2 * 9, channels, 1, False)
        yield Layer(f"layer{number} short cut", side ** 2, channels // 2, channels, 1, False)
        yield Layer(f"layer{number}", side ** 2, channels * 9, channels, 3, False)
    yield Layer("fc", 1, 512, 1000 if large else 10, 1, False)


def gemms(net):
    """(layer, kind, times, m, n, k, how the operands lie, bytes of a result)"""
    for layer in layers(net):
        rows = layer.pixels * IMAGES[net]
        yield layer.name, KINDS[0], layer.count, rows, layer.outputs, layer.inputs, {"b_columns": True}, 2
        if not layer.first:
            yield layer.name, KINDS[1], layer.count, rows, layer.inputs, layer.outputs, {}, 2
        yield layer.name, KINDS[2], layer.count, layer.outputs, layer.inputs, rows, {"a_columns": True}, 4


def measure(task):
    net, streams, bus, gemm = task
    name, kind, count, m, n, k, lies, c_bytes = gemm
    named, options = STREAMS[streams]
    config = Config(named, **options, core="on", rows=SIDE, cols=SIDE, bus_bits=bus, outstanding=OUTSTANDING)
    counts = core.Model(config, LATENCY).run(core.job(m, n, k, c_bytes=c_bytes, **lies))
    return {"net": net, "streams": streams, "bus_bits": bus, "layer": name, "kind": kind, "count": count, "m": m, "n": n, "k": k,
            "macs": m * n * k, "cycles": counts["busy"], "bytes": counts["read_beats"] * bus // 8 + m * n * c_bytes}


def total(rows, what, **which):
    return sum(row["count"] * row[what] for row in rows if all(row[name] == value for name, value in which.items()))


def table(rows):
    yield "| | bus | streams | " + " | ".join(KINDS) + " | step | MACs/cycle | of peak | over 1 stream |"
    yield "| --- | ---: | ---: |" + " ---: |" * (len(KINDS) + 4)
    for net in IMAGES:
        for bus in BUSES:
            one = total(rows, "cycles", net=net, bus_bits=bus, streams=1)
            for streams in STREAMS:
                which = {"net": net, "bus_bits": bus, "streams": streams}
                parts = [total(rows, "cycles", kind=kind, **which) / IMAGES[net] / 1e6 for kind in KINDS]
                step, macs = total(rows, "cycles", **which), total(rows, "macs", **which)
                yield (f"| {net} | {bus} | {streams} | " + " | ".join(f"{part:.3f}" for part in parts)
                       + f" | {step / IMAGES[net] / 1e6:.3f} | {macs / step:.0f} | {100 * macs / step / SIDE ** 2 / streams:.1f}% "
                       f"| {one / step:.2f}x |")


PAGE = """\
# ResNet-18 on the core
`make resnet18` writes this page: all GEMMs of a training step through a core of {side} x {side} elements, by the cycle model, which
takes the cycles that the Verilog takes. Millions of cycles an image; batches of {images}. `safe2` with 1 and
2 streams and `safe4`, blocks of 128 x 128 x 128, {outstanding} bursts under way of each operand, a memory that answers after {latency}
cycles and gives a word of the bus in each.

{table}

What 4 streams lose on {widest} bits:

{lost}

What is loaded or stored is a block ahead of what is computed or behind it, so a small block beside a large one waits for it. K = 576 ends in a block of
64, which computes for less long than the next one's loads take; where K is 64, C comes out as fast as the store takes it, {side} numbers
a cycle, and a narrow last block waits for the store of the one before. conv1's K of 147 ends in a block of 19, 5 steps of 4 products where a tile
takes 16; its N of 147 in one of 19 columns, which needs more operands a product than the bus gives. Batches of 4 images leave layers 3 and 4 with
784 and 196 rows: blocks of 128, and one of 16 or 68. The others lose what each job pays for its first loads and last stores ([core.md](../core.md)).

Convolutions are products of matrices that lie in memory (im2col), numbers of 2 bytes, weight gradients of 4. im2col itself,
normalisation and pooling are not counted. [resnet18.json](resnet18.json) has each GEMM.

![Roofline](resnet18.svg)

A point is a GEMM: MACs a byte that goes over the bus, and MACs a cycle that it reaches. Lines are the peak of the elements and of
the bus. Where 4 streams stay below twice 2 streams' rate the bus of 128 bits is the limit: a block of 128 x 128 x 128 needs 4,096
cycles of it, and its products 2,048 of the elements.
"""


def losses(rows, streams=4, bus_bits=512, least=0.004):
    """Where the cycles of a step go that the elements do not compute in."""
    yield "| | GEMM | M x N x K | of peak | cycles of the step that it loses |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for net in IMAGES:
        of = [row for row in rows if (row["net"], row["streams"], row["bus_bits"]) == (net, streams, bus_bits)]
        step, other = total(of, "cycles"), 0
        for row in of:
            needs = row["macs"] / SIDE ** 2 / streams
            lost = row["count"] * (row["cycles"] - needs) / step
            if lost < least:
                other += lost
            else:
                yield (f"| {net} | {row['layer']}, {row['kind']} | {row['m']} x {row['n']} x {row['k']} | {100 * needs / row['cycles']:.1f}% "
                       f"| {100 * lost:.1f}% |")
        yield f"| {net} | all others | | | {100 * other:.1f}% |"


def draw(rows, path):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plot
    plot.rcParams.update({"svg.hashsalt": "daa", "font.size": 9})
    figure, axes = plot.subplots(1, len(BUSES), figsize=(11, 4), sharey=True)
    for axis, bus in zip(axes, BUSES):
        for streams, colour in zip(STREAMS, ("#888888", "#1f77b4", "#d62728")):
            peak = SIDE ** 2 * streams
            points = [row for row in rows if row["bus_bits"] == bus and row["streams"] == streams]
            axis.scatter([row["macs"] / row["bytes"] for row in points], [row["macs"] / row["cycles"] for row in points],
                         s=10, color=colour, label=f"{streams} stream" + "s" * (streams > 1))
            knee = peak / (bus / 8)
            axis.plot([1, knee, 100], [bus / 8, peak, peak], color=colour, linewidth=0.8)
        axis.set(xscale="log", yscale="log", xlabel="MACs a byte", title=f"bus of {bus} bits", xlim=(1, 100), ylim=(8, 2000))
    axes[0].set_ylabel("MACs a cycle")
    axes[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/results")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    tasks = [(net, streams, bus, gemm) for net in IMAGES for bus in BUSES for streams in STREAMS for gemm in gemms(net)]
    tasks.sort(key=lambda task: -task[3][3] * task[3][4] * task[3][5] // task[1])  # long ones first
    with multiprocessing.Pool(args.jobs) as pool:
        rows = pool.map(measure, tasks, chunksize=1)
    rows.sort(key=lambda row: (list(IMAGES).index(row["net"]), row["bus_bits"], row["streams"]))
    lines = "\n".join(table(rows))
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "resnet18.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    images = " and ".join(f"{count} ({net})" for net, count in IMAGES.items())
    (args.output / "resnet18.md").write_text(PAGE.format(side=SIDE, images=images, outstanding=OUTSTANDING, latency=LATENCY, table=lines,
                                                                 widest=BUSES[-1], lost="\n".join(losses(rows))))
    draw(rows, args.output / "resnet18.svg")
    print(lines)


if __name__ == "__main__":
    main()
