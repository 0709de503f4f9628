"""Instructions of the GPU engine's innermost loops, as CUDA's compiler makes them: count_gpu.py [ARCHITECTURE]. It takes
nvcc or NVRTC, and nvdisasm, below CUDA_HOME, but no GPU."""
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
import daa  # noqa: E402
from daa import _gpu  # noqa: E402

LARGE = (4096, 4096, 4096)
KERNELS = {
    **{f"{streams} stream{'s' * (streams > 1)}": dict(streams=streams, accumulator="rounded") for streams in (1, 2, 4, 8)},
    "2, static, e8m5": dict(policy="static", format="e8m5", accumulator="rounded"), "2, anchored": dict(accumulator="anchored"),
    "4, anchored": dict(accumulator="anchored", streams=4),
}


def instructions(text):
    """(labels, instructions) of daa_gemm in a disassembly; a label's value is the place of the instruction behind it."""
    body = re.split(r"\n\.text\.daa_gemm:\n", text)[1].split("\n\t.section")[0]
    labels, found = {}, []
    for line in body.split("\n"):
        label, instruction = re.match(r"(\.L_x_\d+):", line), re.match(r"\s+/\*[0-9a-f]+\*/\s+(.*?) ?;", line)
        if label:
            labels[label[1]] = len(found)
        elif instruction:
            found.append(instruction[1].strip())
    return labels, found


def innermost_loop(labels, found):
    """The longest loop that has no other in it and no doubles."""
    loops = []
    for at, instruction in enumerate(found):
        jump = re.search(r"\bBRA\b.*(\.L_x_\d+)", instruction)
        if jump and labels.get(jump[1], at + 1) <= at:
            loops.append((labels[jump[1]], at + 1))
    bodies = [found[first:last] for first, last in loops
              if not any((first, last) != (f, t) and first <= f and t <= last for f, t in loops)]
    kinds = [collections.Counter(re.sub(r"^@\S+\s+", "", word).split()[0].split(".")[0] for word in body) for body in bodies]
    return max((kind for kind in kinds if "DADD" not in kind), key=lambda kind: sum(kind.values()))


def main():
    arch = sys.argv[1] if len(sys.argv) > 1 else "sm_90"
    nvdisasm = next(iter(_gpu.beside_packages("bin/nvdisasm")), None) or shutil.which("nvdisasm")
    if nvdisasm is None:
        print("count-gpu: nvdisasm is not here; it comes with CUDA, below CUDA_HOME", file=sys.stderr)
        return 1
    print(f"instructions for a step of one result, {arch}\n{'':18s}{'step':>8s}{'product':>9s}")
    for name, options in KERNELS.items():
        config = daa.Config(**options)
        shape = _gpu.tile_for(config, *LARGE, 1, 132)
        words = _gpu.macros(config, "bfloat16", "bfloat16", True, False, shape)
        with tempfile.NamedTemporaryFile(suffix=".cubin") as binary:
            binary.write(_gpu.compile_for(words, arch))
            binary.flush()
            text = subprocess.run([nvdisasm, "-c", binary.name], check=True, capture_output=True, text=True).stdout
        kinds = innermost_loop(*instructions(text))
        steps = shape["TM"] * shape["TN"] * shape["UNROLL"]
        each = ", ".join(f"{count / steps:.2f} {kind}" for kind, count in kinds.most_common(9))
        total = sum(kinds.values()) / steps
        print(f"{name:18s}{total:8.2f}{total / config.streams:9.2f}  {each}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
