"""One training step of ResNet-18 for images of 32 x 32 through the Verilated core: every GEMM of its three passes, of real tensors.

The network (the CIFAR form: 3 x 3 first layer, no pooling behind it) first trains some steps in float32. Then a step's operands are
taken, of all convolutions and the last layer, and each product runs through `daacore`, from memory to memory: every bit must be the golden
model's and the emulator's, and the cycles those of the cycle model. A product that is done is not run again. Images that are smaller
get a border of zeros, and one channel becomes three.
"""
import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "common"), str(ROOT), str(ROOT / "python")]
from command import Failed, Parser, Usage, main, run, save_json, write_whole  # noqa: E402

SIDE, LATENCY = 32, 64
LEARNING_RATE, WARM_BATCH = 0.05, 32
KINDS = {"forward": "forward", "input_grad": "input gradient", "weight_grad": "weight gradient"}
# How the operands lie in memory: activations and gradients line by line of a pixel, weights of an output.
LIES = {"forward": ("--b-order", "columns"), "input_grad": (), "weight_grad": ("--a-order", "columns")}


def network():
    import torch
    from torch import nn

    from train import model

    torch.manual_seed(1)
    found = model.resnet18(3)
    found.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    found.maxpool = nn.Identity()
    return found


def batch(images, first, count):
    """COUNT images of the training set as 3 x 32 x 32, normalised, and their labels."""
    import torch
    from torch.nn import functional

    pixels, labels = images.batch(images.train.images[first:first + count], images.train.labels[first:first + count])
    border = SIDE - pixels.shape[-1]
    pixels = functional.pad(pixels, [border // 2, border - border // 2] * 2)
    return pixels.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last), labels


def take_operands(directory, config, data, count, steps):
    """The operands of the step after STEPS steps, in DIRECTORY."""
    import torch
    from torch.nn import functional

    import daa.torch
    from train import data as sets

    images = sets.load(data)
    net = network().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=0.9)
    for step in range(steps + 1):
        last = step == steps
        if last:
            daa.torch.convert(net, config)
        pixels, labels = batch(images, step * WARM_BATCH, count if last else WARM_BATCH)
        optimizer.zero_grad()
        if last:
            with daa.torch.dump(net, directory):
                functional.cross_entropy(net(pixels), labels).backward()
            return
        functional.cross_entropy(net(pixels), labels).backward()
        optimizer.step()


def products(directory):
    """(layer, GEMM, M, N, K, path without its end), in the order of the names."""
    for path in sorted(directory.glob("*.a.npy")):
        layer, _, gemm = path.name.removesuffix(".a.npy").rpartition(".")
        m, k = np.load(path, mmap_mode="r").shape
        yield layer, gemm, m, np.load(directory / f"{layer}.{gemm}.b.npy", mmap_mode="r").shape[1], k, directory / f"{layer}.{gemm}"


def through_core(core, config, product):
    """The row of one product; what is not as it must be ends all."""
    import daa

    layer, gemm, m, n, k, stem = product
    row = stem.with_name(stem.name + ".json")
    if row.exists():
        return json.loads(row.read_text())
    a, b, c, stats = (f"{stem}.{end}" for end in ("a.npy", "b.npy", "c.npy", "stats"))
    done = subprocess.run([core / "daacore", "--a", a, "--b", b, "-o", c, "--stats", stats, "--latency", str(LATENCY), *LIES[gemm]],
                          capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{layer}, {KINDS[gemm]}: {(done.stderr.strip() or 'daacore failed').splitlines()[-1]}")
    found = json.loads(pathlib.Path(stats).read_text())
    emulated = daa.gemm(np.load(a), np.load(b), config=config)
    if np.load(c).view(np.uint32).tobytes() != np.asarray(emulated).view(np.uint32).tobytes():
        raise Failed(f"{layer}, {KINDS[gemm]}: the core's results are not the emulator's")
    if found["cycles"] != found["predicted_cycles"]:
        raise Failed(f"{layer}, {KINDS[gemm]}: {found['cycles']} cycles, the cycle model says {found['predicted_cycles']}")
    result = {"layer": layer, "gemm": gemm, "m": m, "n": n, "k": k, "cycles": found["cycles"], "results_sha256":
              hashlib.sha256(pathlib.Path(c).read_bytes()).hexdigest(), "seconds": round(found["seconds"], 1)}
    save_json(row, result)
    for path in c, stats:
        pathlib.Path(path).unlink()
    return result


def table(rows, config, images):
    height, width, streams, bus = (int(config[name]) for name in ("rows", "cols", "streams", "bus-bits"))
    peak = height * width * streams
    yield f"{'a training step of ResNet-18':28}{'products':>10}{'results':>13}{'MACs, 1e6':>12}{'cycles':>13}{'of peak':>9}"
    for gemm, kind in [*KINDS.items(), (None, "all")]:
        of = [row for row in rows if gemm in (row["gemm"], None)]
        macs, cycles = sum(row["m"] * row["n"] * row["k"] for row in of), sum(row["cycles"] for row in of)
        yield (f"{kind:28}{len(of):>10}{sum(row['m'] * row['n'] for row in of):>13,}{macs / 1e6:>12,.0f}{cycles:>13,}"
               f"{macs / cycles / peak:>9.1%}")
    yield (f"{images} image(s) of 32 x 32; {height} x {width} elements of {streams} streams, a bus of {bus} bits, {LATENCY} cycles to memory.")
    yield "Every result is the golden model's and the emulator's bit for bit, every count of cycles the cycle model's."


def job():
    parser = Parser(prog="resnet18_rtl", description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--core", type=pathlib.Path, required=True, help="directory with a core and its daacore")
    parser.add_argument("--data", type=pathlib.Path, help="folder with Fashion-MNIST or CIFAR-10")
    parser.add_argument("--images", type=int, default=2, help="of the step (default 2)")
    parser.add_argument("--steps", type=int, default=20, help="in float32 before it (default 20)")
    parser.add_argument("--jobs", type=int, default=2, help="products at a time (default 2)")
    parser.add_argument("--only", help="products whose layer begins so")
    options = parser.parse_args()
    if min(options.images, options.jobs) < 1 or options.steps < 0:
        raise Usage("--images and --jobs must be at least 1, --steps at least 0")
    import daa
    from train import data as sets

    if not (options.core / "daacore").exists():
        raise Failed(f"{options.core} has no daacore; make core DIR={options.core} builds it")
    config = daa.Config(options.core / "daa.json")
    data = options.data or sets.DIRECTORY
    key = hashlib.sha256(json.dumps([json.loads((options.core / "daa.json").read_text())["hash"], str(data), options.images, options.steps]
                                    ).encode()).hexdigest()[:16]
    directory = options.build / "resnet18-rtl" / key
    if not (directory / "taken").exists():
        shutil.rmtree(directory, ignore_errors=True)
        print(f"{options.steps} steps in float32, then the operands of one ...", file=sys.stderr, flush=True)
        take_operands(directory, config, data, options.images, options.steps)
        write_whole(directory / "taken", b"")
    todo = [product for product in products(directory) if product[0].startswith(options.only or "")]
    if not todo:
        raise Failed(f"no layer begins with {options.only}")
    todo.sort(key=lambda product: product[2] * product[3] * product[4])
    rows, start, macs_done, macs = [], time.monotonic(), 0, sum(p[2] * p[3] * p[4] for p in todo)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(through_core, options.core, config, product): product for product in todo}
        try:
            for future in concurrent.futures.as_completed(running):
                layer, gemm, m, n, k, _ = running[future]
                rows.append(future.result())
                macs_done += m * n * k
                left = (time.monotonic() - start) * (macs - macs_done) / macs_done
                print(f"{len(rows)} of {len(todo)}: {layer}, {KINDS[gemm]}, {m} x {n} x {k}: {rows[-1]['cycles']:,} cycles; "
                      f"{left / 60:.0f} min left", file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    rows.sort(key=lambda row: (row["layer"], list(KINDS).index(row["gemm"])))
    print("\n".join(table(rows, config, options.images)))
    if not options.only:
        save_json(options.core / "resnet18.json", [{k: v for k, v in row.items() if k != "seconds"} for row in rows])


if __name__ == "__main__":
    sys.exit(main("resnet18_rtl", job))
