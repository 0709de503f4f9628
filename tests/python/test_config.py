"""daa.Config, and what the package says of itself."""

import copy
import json
import pickle
import re
import subprocess
import sys

import pytest
from reference import ROOT
import daa
from daa import _library


def test_defaults_and_names():
    assert daa.Config() == daa.Config(streams=2) and daa.Config().accumulator == "anchored"
    assert daa.Config(accumulator="rounded") == daa.Config("paper") != daa.Config()
    assert hash(daa.Config(accumulator="rounded")) == hash(daa.Config("paper"))
    quad = daa.Config("quad", lo_bits=2, specials=False)
    assert (quad.streams, quad["lo-bits"], quad.specials, quad.a_format, quad.policy) == (
        4,
        2,
        False,
        "bf16",
        "exponent",
    )
    assert quad != daa.Config("quad") and quad != "quad"
    assert "--streams 4" in str(quad) and repr(quad) == "daa.Config('quad', lo_bits=2, specials=False)"
    assert set(daa.options) >= {"streams", "lo-bits", "window"} and daa.Config().window == 8


def test_a_daa_json(daagen, run, tmp_path):
    assert run(daagen, "--config", "quad", "--lo-bits", 3, "-o", tmp_path / "array").returncode == 0
    path = tmp_path / "array" / "daa.json"
    for given in (path, str(path)):
        config = daa.Config(given, policy="rotate")
        assert config == daa.Config("quad", lo_bits=3, policy="rotate")
    options = json.loads(path.read_text())["options"]
    assert {name: config[name] for name in options} == {**options, "policy": "rotate", "specials": True, "clock-gating": False}
    path.unlink()  # what it said stays
    assert pickle.loads(pickle.dumps(config)) == config
    assert config.replace(policy="exponent") == daa.Config("quad", lo_bits=3)


@pytest.mark.parametrize(
    "other", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c)), lambda c: eval(repr(c))]
)
def test_copies(other):
    for config in (daa.Config(), daa.Config("quad", lo_bits=1, window=5), daa.Config(format="fp16", prefix="x")):
        assert other(config) == config
        assert other(config).replace(lo_bits=3) == config.replace(lo_bits=3)


def test_replace_derives_again():
    assert daa.Config(lo_bits=1).window == 14 and daa.Config(lo_bits=1).replace(lo_bits=4).window == 8
    for fp8 in (daa.Config("fp8"), daa.Config(a_format="e4m3", b_format="e5m2")):
        assert (fp8.replace(format="bf16").a_format, fp8.replace(format="fp16").b_format) == ("bf16", "fp16")
    assert daa.Config(window=3).replace(lo_bits=1).window == 3


def test_it_does_not_change():
    config = daa.Config()
    with pytest.raises(AttributeError, match="use replace"):
        config.streams = 4
    with pytest.raises(AttributeError, match="has no option colour"):
        config.colour
    with pytest.raises(KeyError):
        config["colour"]


@pytest.mark.parametrize(
    "arguments, options, text",
    [
        ([], dict(streams=3), "streams"),
        ([], dict(lo_bits=0), "lo-bits"),
        ([], dict(colour="red"), "colour"),
        (["nobody"], {}, "nobody"),
        (["/nowhere/daa.json"], {}, "/nowhere/daa.json"),
        ([], dict(policy="best"), "policy"),
        ([], dict(acc_format="e5m7", format="bf16"), "acc-format"),
        ([], dict(streams="two"), "streams"),
    ],
    ids=str,
)
def test_refused(arguments, options, text):
    with pytest.raises(daa.Error) as caught:
        daa.Config(*arguments, **options)
    assert text in str(caught.value) and "\n" not in str(caught.value)


def test_magnitude_is_for_software():
    assert daa.Config(policy="magnitude").policy == "magnitude"


def test_versions():
    header = (ROOT / "config" / "config.h").read_text()
    assert daa.__version__ == daa.version() == _library.VERSION == re.search(r'#define DAA_VERSION "(.*)"', header)[1]


def test_engines():
    found = daa.engines()
    assert found[:3] == ["auto", "golden", "portable"] and set(found) <= set(daa._gemm._ENGINES)


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin", **environment},
    )


def test_numpy_users_need_no_torch():
    done = python(
        "import sys; sys.modules['torch'] = None\nimport numpy, daa\n"
        "print(daa.gemm(numpy.ones((2, 3), 'f4'), numpy.ones((3, 1), 'f4')).ravel())"
    )
    assert (done.stdout, done.stderr) == ("[3. 3.]\n", "")


def test_a_library_that_is_not_there_or_another():
    done = python("import daa", DAA_LIBRARY="/nowhere/libdaa.so")
    assert done.stderr.splitlines()[-1].startswith(
        "ImportError: libdaa could not be loaded (/nowhere/libdaa.so: cannot open"
    )
    done = python("import daa", DAA_LIBRARY="libm.so.6")
    assert "ImportError: libdaa could not be loaded" in done.stderr.splitlines()[-1]
