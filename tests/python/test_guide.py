"""docs/python.md: every snippet runs, in order, in one session."""

import re
import subprocess

import pytest
from reference import ROOT
import daa.torch

GUIDE = (ROOT / "docs" / "python.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.M | re.S)


@pytest.mark.filterwarnings("ignore:.* takes? .*--rows:RuntimeWarning")
@pytest.mark.filterwarnings("error")
def test_the_snippets_run(capsys):
    assert len(SNIPPETS) == 10 and len(SNIPPETS) == GUIDE.count("```python")
    session = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, "docs/python.md", "exec"), session)
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].startswith("high products by stream [")
    assert printed[22].split() == ["layer4.1.conv2", "Conv2d", *["streams=4", "accumulator=rounded"] * 3]
    assert printed[23].split() == ["fc", "Linear", "streams=1", *["accumulator=rounded"] * 2, "float32"]
    assert len(printed) == 2 + 22 + 5 * 3 and printed[-1].startswith("layer1.0.conv1 weight_grad 64 576 256 None ")
    assert session["layer"].arithmetic.weight_grad.a_format == "e5m2"
    assert session["a"].shape == (4 * 8 * 8, 9 * 64) and session["b"].shape == (9 * 64, 64)


def test_the_warning_it_speaks_of():
    with pytest.warns(RuntimeWarning, match="take the golden model"):
        daa.gemm(*[daa.torch.torch.ones(2, 2)] * 2, config=daa.Config(policy="magnitude"))


def test_what_it_names_is_there():
    for name in re.findall(r"`daa\.(?!json)(\w+)", GUIDE):
        assert hasattr(daa, name), name
    for target in re.findall(r"`make ([a-z-]+)`", GUIDE):
        assert subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode == 0
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
