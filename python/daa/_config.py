"""A configuration: the options of the generator's table, resolved and checked by libdaa."""
import ctypes
import os

from ._library import Message, byref, check, library

_SOFTWARE = 1  # enum daa_use: policy magnitude is allowed
_LINE_MAX = 512

options = {library.daa_option_info(i).contents.name.decode(): i for i in range(library.daa_option_count())}
"""Option name ("lo-bits") -> place in the table, in the table's order."""

_named = {library.daa_named_name(i).decode() for i in range(library.daa_named_count())}


def _text(value):
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def _options_of(line):
    words = line.split()
    return {name[2:].replace("-", "_"): value for name, value in zip(words[::2], words[1::2])}


class Config:
    """Immutable. `Config("quad", lo_bits=2)`: a named configuration or the path of a daa.json, and options over it,
    with `_` for `-`. Read an option as `config.lo_bits` or `config["lo-bits"]`. An unknown option, an illegal value or
    a combination that breaks a rule raises `Error`."""

    __slots__ = ("_struct", "_line", "_given")

    def __init__(self, name_or_file=None, **overrides):
        message, handle = Message(), library.daa_options_new()
        if not handle:
            raise MemoryError("no memory for the options")
        struct = ctypes.create_string_buffer(library.daa_config_size())
        try:
            if name_or_file is not None:
                check(library.daa_options_load(handle, os.fsencode(name_or_file), byref(message)), message)
            for name, value in overrides.items():
                option, text = name.replace("_", "-").encode(), _text(value).encode()
                check(library.daa_options_set(handle, option, text, byref(message)), message)
            check(library.daa_options_resolve(handle, _SOFTWARE, struct, byref(message)), message)
        finally:
            library.daa_options_free(handle)
        line = ctypes.create_string_buffer(_LINE_MAX)
        library.daa_config_line(struct, line)
        object.__setattr__(self, "_struct", struct)
        object.__setattr__(self, "_line", line.value.decode())
        # A file may change, or stay behind when this is pickled: what it says is kept instead of its name.
        from_file = name_or_file is not None and name_or_file not in _named
        object.__setattr__(self, "_given", (None, _options_of(self._line)) if from_file else (name_or_file, overrides))

    def __setattr__(self, name, value):
        raise AttributeError("a Config does not change; use replace()")

    def __getitem__(self, name):
        index, buffer = options[name], ctypes.create_string_buffer(64)
        text = library.daa_option_value(self._struct, index, buffer, len(buffer))
        if text is None:
            return None
        text = text.decode()
        return int(text) if library.daa_option_is_number(index) else {"on": True, "off": False}.get(text, text)

    def __getattr__(self, name):
        if name.startswith("_") or name.replace("_", "-") not in options:
            raise AttributeError(f"a Config has no option {name}")
        return self[name.replace("_", "-")]

    def replace(self, **overrides):
        """The same with other options; what is derived ("auto") is derived again."""
        if "format" in overrides:
            overrides = {"a_format": "auto", "b_format": "auto", **overrides}
        name_or_file, given = self._given
        return Config(name_or_file, **{**given, **overrides})

    def __str__(self):
        return self._line

    def __repr__(self):
        name_or_file, given = self._given
        words = [repr(name_or_file)] if name_or_file is not None else []
        return f"daa.Config({', '.join(words + [f'{name}={value!r}' for name, value in given.items()])})"

    def __eq__(self, other):
        return isinstance(other, Config) and self._line == other._line

    def __hash__(self):
        return hash(self._line)

    def __reduce__(self):
        return _restore, self._given

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def _restore(name, overrides):
    return Config(name, **overrides)
