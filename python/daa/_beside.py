"""Products of grouped convolutions side by side: a group is a lane of the engines' vectors, patches are not made.

Images are (N, sizes, channels of a group, groups) in bf16, with their padding, and with groups of zeros up to a multiple
of 16; every place in them is a row's place plus a column's."""
import ctypes
import functools
from ctypes import POINTER, Structure, byref, c_int, c_size_t, c_void_p

import numpy
import torch

from ._gemm import quantize
from ._library import Message, library

MULTIPLE = 16  # of groups
FEWEST = 8  # groups that repay it
MOST_COLUMNS = 64
_NO_ENGINE = 3  # enum daa_status


class _Args(Structure):
    _fields_ = [("config", c_void_p), ("m", c_size_t), ("n", c_size_t), ("k", c_size_t), ("batch", c_size_t),
                ("a", c_void_p), ("b", c_void_p), ("a_size", c_size_t), ("b_size", c_size_t),
                *((name, c_void_p) for name in ("a_rows", "a_cols", "b_rows", "b_cols", "c_rows", "c_cols")),
                ("c", c_void_p), ("threads", c_int)]


library.daa_beside_run.restype = c_int
library.daa_beside_run.argtypes = [POINTER(_Args), POINTER(Message)]


def padded(groups):
    return -(-groups // MULTIPLE) * MULTIPLE


def rounded(x, format):
    """The format's numbers, which bf16 holds; of bf16 itself they are made by what copies them."""
    return x.detach() if format == "bf16" else quantize(x.detach().contiguous(), format)


def places(*dimensions):
    """Of elements in some dimensions, (count, stride) each, the last one fastest."""
    found = numpy.zeros(1, numpy.uintp)
    for count, stride in dimensions:
        found = (found[:, None] + numpy.arange(count, dtype=numpy.uintp) * numpy.uintp(stride)).reshape(-1)
    return found


@functools.lru_cache(maxsize=None)
def possible(config):
    """Do the engines have it?"""
    return library.daa_beside_run(byref(_Args(config=ctypes.addressof(config._struct))), None) != _NO_ENGINE


def product(config, threads, a, a_places, b, b_places):
    """(M, N, groups) float32 from A and B, tensors of bf16, and the places of their rows and columns; None where the
    engines do not have it."""
    (a_rows, a_cols), (b_rows, b_cols) = a_places, b_places
    m, k, n, batch = len(a_rows), len(a_cols), len(b_cols), a.shape[-1]
    if n > MOST_COLUMNS:
        return None
    c = torch.empty(m, n, batch)
    held = [a_rows, a_cols, b_rows, b_cols, places((m, n * batch)), places((n, batch))]
    args = _Args(ctypes.addressof(config._struct), m, n, k, batch, a.data_ptr(), b.data_ptr(), a.numel(), b.numel(),
                 *(array.ctypes.data for array in held), c.data_ptr(), threads)
    message = Message()
    status = library.daa_beside_run(byref(args), byref(message))
    if status == _NO_ENGINE:
        return None
    if status:
        raise message.error()
    return c
