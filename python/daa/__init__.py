"""The arithmetic of the dynamic asymmetric architecture (docs/contract.md) for NumPy and PyTorch.

`Config` says what the arithmetic is, `gemm` multiplies matrices by it, `quantize` rounds to an operand format, and
`daa.torch` puts it under a network's layers. All of it runs in libdaa on the memory that the arrays already have.
"""
from . import core
from ._config import Config, options
from ._gemm import Counts, engines, gemm, quantize
from ._library import Error, version

__all__ = ["Config", "Counts", "Error", "core", "engines", "gemm", "options", "quantize", "version"]
__version__ = version()
