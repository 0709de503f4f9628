"""For a machine with a GPU: check_gpu.py [--only bits|speed]. Bits of the GPU engine against the golden model, and speeds
in TMAC/s beside cuBLAS."""
import argparse
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "gpu")]

PAPER, ANCHORED = dict(accumulator="rounded"), dict(accumulator="anchored")
LEAN = dict(format="e8m5", lo_bits=3)
CONFIGS = [
    *(dict(base, streams=s) for base in (PAPER, ANCHORED) for s in (1, 2, 4, 8)),
    *(dict(LEAN, **PAPER, policy=policy, streams=s) for policy in ("static", "rotate", "high", "low") for s in (2, 4)),
    *(dict(PAPER, lo_bits=t, lo_round=how) for t in (1, 3, 8) for how in ("nearest", "truncate")),
    dict(policy="magnitude", streams=4), dict(PAPER, window=0), dict(PAPER, streams=4, window=20), dict(LEAN, **ANCHORED, acc_bits=12),
    dict(ANCHORED, acc_bits=60, acc_step=2), dict(a_format="e4m3", b_format="e5m2"), dict(PAPER, format="fp16", out_format="fp16"),
    dict(format="tf32"), dict(PAPER, acc_format="e6m12", format="e5m4"),
]
SHAPES = [(1, 70, 130, 72), (2, 9, 5, 45), (1, 33, 40, 700), (1, 300, 200, 64)]  # batch, M, N, K
SPEEDS = {"1 stream": dict(PAPER, streams=1), "2 streams": PAPER, "4 streams": dict(PAPER, streams=4), "2, anchored": ANCHORED,
          "4, anchored": dict(ANCHORED, streams=4)}
FORWARD = [(4096, 4096, 4096), (100352, 64, 576), (6272, 256, 2304)]
WEIGHTS = [(64, 576, 100352), (128, 1152, 25088), (256, 2304, 6272), (512, 4608, 1568)]  # weight gradients: A is transposed


def fail(text):
    print(f"check-gpu: {text}", file=sys.stderr)
    sys.exit(1)


def bits(device, configs, shapes, seed=1):
    """Results compared. Fails at the first that is not the golden model's."""
    import daa
    import numpy
    import torch
    from gpu_operands import KINDS, operands
    compared = 0
    for options in configs:
        config = daa.Config(**options)
        rng = numpy.random.default_rng(seed)
        for kind in KINDS:
            for turned, (batch, m, n, k) in enumerate(shapes):
                a, b = operands(rng, kind, (batch, m, k)), operands(rng, kind, (batch, k, n), of_b=True)
                c0 = operands(rng, kind, (batch, m, n))
                want = daa.gemm(a, b, c0, config=config, engine="golden")
                x, y, z = (torch.from_numpy(array).to(device) for array in (a, b, c0))
                if turned % 2:
                    x, y = (t.transpose(1, 2).contiguous().transpose(1, 2) for t in (x, y))
                got = daa.gemm(x, y, z, config=config).cpu().numpy()
                different = numpy.argwhere(got.view(numpy.uint32) != want.view(numpy.uint32))
                if len(different):
                    at = tuple(different[0])
                    fail(f"{len(different)} of {want.size} results differ; C{[int(i) for i in at]} is {float(got[at]).hex()}, "
                         f"the golden model has {float(want[at]).hex()} ({kind}, {m} x {n} x {k}, seed {seed}: {config})")
                compared += want.size
    return compared


def seconds(call):
    """The median of three runs of some 30 ms."""
    import torch
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def run(times):
        begin.record()
        for _ in range(times):
            call()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3 / times

    run(1)
    times = max(1, min(100, int(0.03 / max(run(1), 1e-6))))
    return sorted(run(times) for _ in range(3))[1]


def speeds(device):
    import daa
    import torch
    torch.backends.cuda.matmul.allow_tf32 = False
    names = [*SPEEDS, "cuBLAS fp32", "cuBLAS bf16"]
    print(f"\n{'TMAC/s':22s}" + "".join(f"{name:>13s}" for name in names))
    for m, n, k in FORWARD + WEIGHTS:
        torch.manual_seed(1)
        a = torch.randn(k, m, device=device).t() if (m, n, k) in WEIGHTS else torch.randn(m, k, device=device)
        b = torch.randn(k, n, device=device)
        a, b = a.bfloat16(), b.bfloat16()
        wide_a, wide_b = a.float(), b.float()
        calls = [lambda c=daa.Config(**options): daa.gemm(a, b, config=c) for options in SPEEDS.values()]
        calls += [lambda: torch.matmul(wide_a, wide_b), lambda: torch.matmul(a, b)]
        shape = f"{m} x {n} x {k}"
        print(f"{shape:22s}" + "".join(f"{m * n * k / seconds(call) / 1e12:13.2f}" for call in calls), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="check-gpu", description=__doc__)
    parser.add_argument("--only", choices=("bits", "speed"), help="one of the two")
    only = parser.parse_args().only
    try:
        import torch
    except ImportError:
        fail("PyTorch is not here; install a PyTorch for CUDA, and say PYTHON=... if it is not Debian's Python that has it")
    if not torch.cuda.is_available():
        fail("PyTorch finds no GPU; it takes an NVIDIA GPU, its driver, and a PyTorch for CUDA (PYTHON=... says whose)")
    import daa
    device, begin = torch.device("cuda", torch.cuda.current_device()), time.monotonic()
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}", flush=True)
    try:
        if only != "speed":
            compared = bits(device, CONFIGS, SHAPES)
            print(f"{compared} results of {len(CONFIGS)} configurations as the golden model has them, in "
                  f"{time.monotonic() - begin:.0f} s", flush=True)
        if only != "bits":
            speeds(device)
    except daa.Error as error:
        fail(error)


if __name__ == "__main__":
    main()
