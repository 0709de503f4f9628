"""libdaa through ctypes: where it is, and its types as engine/engine.h, sim/daa.h and config/config.h have them."""
import ctypes
import os
import pathlib
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_int, c_size_t, c_uint64, c_void_p

STREAMS_MAX = 8
VERSION = "0.1.0"  # of the C library that these types belong to


class Error(ValueError):
    """What was asked for cannot be done: one line that says what is wrong and what would be right."""


class Message(Structure):
    _fields_ = [("text", c_char * 512)]

    def error(self):
        return Error(self.text.decode())


class CountsStruct(Structure):
    _fields_ = [(name, c_uint64 * STREAMS_MAX) for name in ("high", "low", "zero", "dropped", "special")]


class Matrix(Structure):
    _fields_ = [("data", c_void_p), ("type", c_int), ("transposed", c_bool), ("ld", c_size_t), ("stride", c_size_t)]


class Result(Structure):
    _fields_ = [("data", c_void_p), ("type", c_int), ("ld", c_size_t), ("stride", c_size_t)]


class Args(Structure):
    _fields_ = [
        ("config", c_void_p), ("m", c_size_t), ("n", c_size_t), ("k", c_size_t), ("batch", c_size_t), ("a", Matrix),
        ("b", Matrix), ("c0", Matrix), ("c", Result), ("engine", c_int), ("threads", c_int),
        ("counts", POINTER(CountsStruct)),
    ]


class Report(Structure):
    _fields_ = [("engine", c_int), ("reason", c_char_p), ("threads", c_int)]


class OptionInfo(Structure):
    _fields_ = [(name, c_char_p) for name in ("name", "fallback", "range", "meaning")]


def _open():
    here = pathlib.Path(__file__).resolve()
    named = os.environ.get("DAA_LIBRARY")
    beside = [here.with_name("libdaa.so"), here.parents[2] / "build" / "libdaa.so"]
    path = named or next((str(path) for path in beside if path.exists()), "libdaa.so.0")
    try:
        library = ctypes.CDLL(path)
        library.daa_version.restype = c_char_p
    except (OSError, AttributeError) as error:
        raise ImportError(f"libdaa could not be loaded ({error}); run `make lib`, or set DAA_LIBRARY to it") from None
    found = library.daa_version().decode()
    if found != VERSION:
        raise ImportError(f"{path} is libdaa {found}, and this package needs {VERSION}; run `make lib`")
    return library


library = _open()


def _declare(name, result, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


_declare("daa_config_size", c_size_t)
_declare("daa_options_new", c_void_p)
_declare("daa_options_free", None, c_void_p)
_declare("daa_options_set", c_bool, c_void_p, c_char_p, c_char_p, POINTER(Message))
_declare("daa_options_load", c_bool, c_void_p, c_char_p, POINTER(Message))
_declare("daa_options_resolve", c_bool, c_void_p, c_int, c_void_p, POINTER(Message))
_declare("daa_option_count", c_size_t)
_declare("daa_option_info", POINTER(OptionInfo), c_size_t)
_declare("daa_option_value", c_char_p, c_void_p, c_size_t, c_char_p, c_size_t)
_declare("daa_option_is_number", c_bool, c_size_t)
_declare("daa_config_line", None, c_void_p, c_char_p)
_declare("daa_named_count", c_size_t)
_declare("daa_named_name", c_char_p, c_size_t)
_declare("daa_engine_name", c_char_p, c_int)
_declare("daa_engine_parse", c_bool, c_char_p, POINTER(c_int))
_declare("daa_engine_present", c_bool, c_int)
_declare("daa_gemm_run", c_int, POINTER(Args), POINTER(Report), POINTER(Message))
_declare("daa_quantize", c_bool, c_char_p, c_size_t, c_void_p, c_void_p, POINTER(Message))


def version():
    """The version of libdaa, as text."""
    return library.daa_version().decode()


def check(succeeded, message):
    if not succeeded:
        raise message.error()


__all__ = ["Args", "CountsStruct", "Error", "Matrix", "Message", "Report", "Result", "STREAMS_MAX", "byref", "check",
           "library", "version"]
