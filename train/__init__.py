"""Networks trained through the array's arithmetic: the accuracy study (`make accuracy`, `make study`)."""
import os
import pathlib

from common.command import Failed as StudyError  # noqa: F401


def _hold_kernels():
    """Holds PyTorch's own float32 kernels to AVX2, before it is imported: then a run gives the same bits on any x86
    processor that has it, not only in the GEMMs of daa, which do so anyway."""
    try:
        has_avx2 = "avx2" in pathlib.Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return
    if has_avx2:
        os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")


_hold_kernels()
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may give other bits in each run
