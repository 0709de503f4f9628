"""Products of grouped convolutions side by side: a group is a lane of the engines' vectors, patches are not made.

Images are (N, sizes, channels of a group, groups) in bf16, with their padding, and with groups of zeros up to a multiple
of 16; every place in them is a row's place plus a column's."""
import ctypes
import functools
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_int, c_size_t, c_void_p

import numpy
import torch

from ._library import Message, library

MULTIPLE = 16  # of groups
FEWEST = 8  # groups that repay it
MOST_COLUMNS = 64
_NO_ENGINE = 3  # enum daa_status


class _Args(Structure):
    _fields_ = [("config", c_void_p), ("m", c_size_t), ("n", c_size_t), ("k", c_size_t), ("batch", c_size_t),
                ("a", c_void_p), ("b", c_void_p), ("a_size", c_size_t), ("b_size", c_size_t),
                *((name, c_void_p) for name in ("a_rows", "a_cols", "b_rows", "b_cols", "c_rows", "c_cols")),
                ("c", c_void_p), ("sums", c_size_t), ("threads", c_int)]


library.daa_beside_run.restype = c_int
library.daa_beside_run.argtypes = [POINTER(_Args), POINTER(Message)]
library.daa_quantize_bf16.restype = c_bool
library.daa_quantize_bf16.argtypes = [c_char_p, c_size_t, c_void_p, c_void_p, POINTER(Message)]


def padded(groups):
    return -(-groups // MULTIPLE) * MULTIPLE


def put(x, format, into):
    """The format's numbers in bf16, which holds them: x (..., groups) into the first groups of INTO."""
    x = x.detach()
    if format != "bf16":  # whose numbers are made by what copies them
        message, rounded = Message(), torch.empty_like(x, dtype=torch.bfloat16)
        if rounded.stride() != x.stride():  # which x's are where its elements lie one after another, in any order
            x, rounded = x.contiguous(), rounded.contiguous()
        if not library.daa_quantize_bf16(format.encode(), x.numel(), x.data_ptr(), rounded.data_ptr(), byref(message)):
            raise message.error()
        x = rounded
    into[..., :x.shape[-1]].copy_(x)


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


def product(config, threads, a, a_places, b, b_places, c=None, c_places=None, sums=0):
    """From A and B, tensors of bf16, and the places of their rows and columns: (M, N, groups) float32, or C, to which
    each SUMS rows are added at its rows' and columns' places. None where the engines do not have it."""
    (a_rows, a_cols), (b_rows, b_cols) = a_places, b_places
    m, k, n, batch = len(a_rows), len(a_cols), len(b_cols), a.shape[-1]
    if n > MOST_COLUMNS:
        return None
    if c is None:
        c, c_places = torch.empty(m, n, batch), (places((m, n * batch)), places((n, batch)))
    held = [a_rows, a_cols, b_rows, b_cols, *c_places]
    args = _Args(ctypes.addressof(config._struct), m, n, k, batch, a.data_ptr(), b.data_ptr(), a.numel(), b.numel(),
                 *(array.ctypes.data for array in held), c.data_ptr(), sums, threads)
    message = Message()
    status = library.daa_beside_run(byref(args), byref(message))
    if status == _NO_ENGINE:
        return None
    if status:
        raise message.error()
    return c
