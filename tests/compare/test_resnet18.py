"""ResNet-18 on the core: its GEMMs are the network's, and the page says what the list of them says."""
import json
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "compare"))
import resnet18  # noqa: E402


@pytest.mark.parametrize("net, forward", [("ImageNet", 1814073344), ("CIFAR", 555422720)])
def test_products_of_an_image(net, forward):
    """Known numbers of multiplications of ResNet-18; a first layer has no input gradient."""
    macs = dict.fromkeys(resnet18.KINDS, 0)
    for name, kind, count, m, n, k, *_ in resnet18.gemms(net):
        macs[kind] += count * m * n * k // resnet18.IMAGES[net]
    first = next(resnet18.layers(net))
    assert macs["forward"] == forward == macs["weight gradient"]
    assert macs["input gradient"] == forward - first.pixels * first.inputs * first.outputs


def test_the_page_is_of_the_list():
    rows = json.loads((ROOT / "docs/results/resnet18.json").read_text())
    page = (ROOT / "docs/results/resnet18.md").read_text()
    assert len(rows) == sum(len(list(resnet18.gemms(net))) for net in resnet18.IMAGES) * len(resnet18.BUSES) * len(resnet18.STREAMS)
    assert "\n".join(resnet18.table(rows)) in page and "\n".join(resnet18.losses(rows)) in page and "resnet18.svg" in page


def test_a_product_again():
    """The model still gives the cycles of the list; after a change to the core, make resnet18 writes it anew."""
    rows = json.loads((ROOT / "docs/results/resnet18.json").read_text())
    row = min(rows, key=lambda row: row["cycles"])
    gemm = next(gemm for gemm in resnet18.gemms(row["net"]) if (gemm[0], gemm[1]) == (row["layer"], row["kind"]))
    again = resnet18.measure((row["net"], row["streams"], row["bus_bits"], gemm))
    assert again == row
