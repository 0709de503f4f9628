"""One run: what the seed fixes, checkpoints, the arithmetic of each arm, and that the loss falls."""
import hashlib
import math

import numpy as np
import pytest
import torch

from training import shapes  # noqa: F401
from train import StudyError, arms, data, model
from train.run import Dump, Run, Stopped, execute, learning_rate


def small_run(arm="s2-t4", seed=0, **options):
    return Run(arm, seed, **{"dataset": "shapes", "model": "vgg7", "epochs": 1.0, **options})


def stop_after(calls):
    """A stop() that becomes true at its call number CALLS, as a signal would."""
    left = [calls]

    def stop():
        left[0] -= 1
        return left[0] < 0

    return stop


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """The small network, smaller still."""
    monkeypatch.setitem(model.MODELS, "vgg7", model.MODELS["vgg7"]._replace(build=lambda channels: model.vgg7(channels, width=8)))


def weights(path):
    from train.run import load_checkpoint

    state = load_checkpoint(path)
    assert {type(value) for value in state["key"].values()} <= {str, int}  # newer PyTorch reads no other classes
    return {name: value.numpy().tobytes() for name, value in state["model"].items()}


@pytest.mark.parametrize("arm", ["fp32", "s2-t4"])
def test_interrupted_run_gives_the_same_bytes(shapes, tmp_path, arm):
    run = small_run(arm)
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    whole.mkdir(), pieces.mkdir()
    row, losses = execute(run, shapes, whole)
    for calls in (2, 1, 2):  # in training twice, then in the test
        with pytest.raises(Stopped):
            execute(run, shapes, pieces, stop_after(calls))
    again, others = execute(run, shapes, pieces)
    assert others.tobytes() == losses.tobytes()
    assert {**again, "seconds": 0} == {**row, "seconds": 0}
    name = f"{run.name}.checkpoint"
    assert weights(pieces / name) == weights(whole / name)


def test_fork_continues_each_arm_from_the_same_weights(shapes, tmp_path):
    from train.fork import fork

    whole = tmp_path / "whole"
    whole.mkdir()
    losses = execute(small_run(), shapes, whole)[1]
    rows = list(fork(small_run(), ["bf16"], [3, 1], 2, shapes, tmp_path))
    assert [row[:4] for row in rows] == [("s2-t4", 0, step, arm) for step in (1, 3) for arm in ("s2-t4", "bf16")]
    for arm, seed, step, continued, text in rows:
        there = [float(loss) for loss in text.split()]
        assert len(there) == 2
        assert (there == [pytest.approx(loss, abs=1e-4) for loss in losses[step:step + 2]]) == (continued == "s2-t4")
    assert not list(tmp_path.glob("*.checkpoint"))


def test_damaged_checkpoint_is_named(shapes, tmp_path):
    run = small_run()
    with pytest.raises(Stopped):
        execute(run, shapes, tmp_path, stop_after(1))
    path = tmp_path / f"{run.name}.checkpoint"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    for bad in (bytes(content), bytes(content[:-100]), b""):
        path.write_bytes(bad)
        with pytest.raises(StudyError, match=f"{path} is damaged; delete it"):
            execute(run, shapes, tmp_path)
        assert path.read_bytes() == bad


def test_checkpoint_of_another_run_is_refused(shapes, tmp_path):
    run, other = small_run(seed=0), small_run(seed=1)
    with pytest.raises(Stopped):
        execute(run, shapes, tmp_path, stop_after(1))
    (tmp_path / f"{run.name}.checkpoint").rename(tmp_path / f"{other.name}.checkpoint")
    with pytest.raises(StudyError, match="of another run .*seed0.*delete it"):
        execute(other, shapes, tmp_path)


def test_arms_share_start_and_order(shapes):
    digests = set()
    for arm in ("fp32", "bf16", "s4-t4", "static-t1"):
        network = arms.convert(model.build("vgg7", 1, 3), arm)
        digests.add(hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in network.parameters())).hexdigest())
    assert len(digests) == 1
    x, y = shapes.train_batch(3, 2, 128)
    again = shapes.train_batch(3, 2, 128)
    assert torch.equal(x, again[0]) and torch.equal(y, again[1])
    assert not torch.equal(y, shapes.train_batch(4, 2, 128)[1])


def test_an_epoch_shows_every_image_once(shapes):
    means = []
    for epoch in (0, 1):
        labels = torch.cat([shapes.train_batch(0, epoch * 5 + place, 128)[1] for place in range(5)])
        assert np.array_equal(np.bincount(labels), np.bincount(shapes.train.labels))
        means.append(labels)
    assert not torch.equal(*means)


def test_flips_are_half():
    """An image is its own or mirrored, half of the time each."""
    image = np.arange(36, dtype=np.uint8).reshape(1, 1, 6, 6)
    dataset = data.normalised("one", data.Set(np.repeat(image, 1000, 0), np.zeros(1000, np.uint8)), None)
    pixels = torch.cat([dataset.train_batch(0, step, 128)[0] for step in range(8)])
    plain = dataset.batch(image, np.zeros(1))[0]
    flipped = (pixels == plain.flip(-1)).all(-1).all(-1).flatten()
    assert ((pixels == plain).all(-1).all(-1).flatten() | flipped).all()
    assert 400 < flipped.sum() < 600


def test_learning_rate_rises_then_falls_to_zero():
    rates = [learning_rate(0.1, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.01) and max(rates) == rates[9] == rates[10] == pytest.approx(0.1)
    assert rates[99] == pytest.approx(0.1 / 90) and rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)


def test_loss_falls_through_two_streams(shapes, tmp_path):
    row, losses = execute(small_run("s2-t4", epochs=4.0), shapes, tmp_path)
    assert len(losses) == row["steps"] == 20
    assert losses[-5:].mean() < 0.6 * losses[:3].mean()
    assert row["test_accuracy"] > 50


def test_arms_compute_differently(shapes, tmp_path):
    """Each arm's first losses agree roughly with the reference's, and with no other arm's to the last bit."""
    first = {}
    for arm in arms.ARMS:
        network = arms.convert(model.build("vgg7", 1, 0), arm)
        x, y = shapes.train_batch(0, 0, 128)
        loss = torch.nn.functional.cross_entropy(network(x), y)
        loss.backward()
        first[arm] = (loss.item(), *(p.grad.numpy().tobytes() for p in network.parameters()))
        assert loss.item() == pytest.approx(first["fp32"][0], rel=0.2)
    assert len(set(first.values())) == len(arms.ARMS)
    assert first["only-forward"][0] == first["s2-t1"][0]
    assert first["only-input-grad"][0] == first["only-weight-grad"][0] == first["bf16"][0]


def test_dumped_operands(shapes, tmp_path):
    dump = Dump(tmp_path / "dump", (0, 2), ("0",), ("forward",))
    run = small_run(epochs=0.6)
    execute(run, shapes, tmp_path, dump=dump)
    names = sorted(str(path.relative_to(tmp_path / "dump")) for path in (tmp_path / "dump").rglob("*.npy"))
    assert names == [f"step{step}/0.forward.{side}.npy" for step in (0, 2) for side in "ab"]
    execute(run, shapes, tmp_path, dump=dump)  # resumed at its end, with everything there
    with pytest.raises(StudyError, match="past step 1, which cannot be dumped; delete it"):
        execute(run, shapes, tmp_path, dump=dump._replace(steps=(0, 1)))


# ---- the networks of the study where it is hard ----

def counting(length=16):
    """A text that is learnt in a few steps: letters in turn."""
    return data.Text("counting", 5, np.arange(2000, dtype=np.int32) % 5, np.arange(300, dtype=np.int32) % 5, length)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(model.MODELS, "gpt-small", model.Network(lambda letters: model.Gpt(letters, 16, 16, 1, 2), "tiny", 16, True, 16))
    return Run("s2-3-1", 0, "counting", "gpt-small", 1.0, 1e-2)


@pytest.mark.parametrize("name", [name for name, network in model.MODELS.items() if name.endswith(("-small", "-stride", "-narrow"))])
def test_all_products_are_in_the_array(name):
    """Forward and backward, attention's too: strict forbids others. Every parameter learns."""
    import daa
    import daa.torch

    network = model.MODELS[name]
    x = torch.arange(network.length).reshape(1, -1) if network.length else torch.randn(2, 3, 32, 32)
    built = arms.convert(model.build(name, 70 if network.length else 3, 0), "fp8")
    for module in built.modules():
        if isinstance(module, model.Attention):
            assert module.attend.keywords == dict(config=daa.Config("baseline", format="e4m3"), scaled=True, **dict.fromkeys(
                ("input_grad", "weight_grad"), daa.Config("baseline", a_format="e5m2", b_format="e4m3")))
    wide = arms.convert(model.build(name, 70 if network.length else 3, 0), "bf16")
    daa.torch.convert(wide, daa.Config("baseline"), strict=True)
    loss = built(x).logsumexp(-1).sum()
    loss.backward()
    assert all(p.grad.abs().sum() > 0 for p in built.parameters())
    assert loss.item() == pytest.approx(wide(x).logsumexp(-1).sum().item(), rel=0.05)
    again = model.build(name, 70 if network.length else 3, 0)
    assert all(map(torch.equal, again.state_dict().values(), model.build(name, 70 if network.length else 3, 0).state_dict().values()))


@pytest.mark.parametrize("name, parameters", [("resnet20", 0.27e6), ("resnet18-cifar", 11.2e6), ("vit", 2.7e6), ("gpt", 4.8e6)])
def test_sizes_of_the_full_networks(name, parameters):
    network = model.build(name, 65 if model.MODELS[name].length else 3, 0)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(parameters, rel=0.03)


def test_a_language_model_sees_no_letter_to_come():
    network = model.build("gpt-small", 9, 1)
    x = torch.randint(9, (1, 64))
    y = x.clone()
    y[0, 40:] = (y[0, 40:] + 1) % 9
    difference = (network(x) - network(y)).abs().amax(-1)[0]
    assert difference[:40].max() < 1e-6 and difference[40:].min() > 1e-4


def test_a_language_model_learns_and_resumes(tiny, tmp_path):
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    whole.mkdir(), pieces.mkdir()
    run = tiny._replace(epochs=3.0)
    row, losses = execute(run, counting(), whole)
    assert losses[0] == pytest.approx(math.log(5), rel=0.1) and losses[-1] < 0.3 and row["test_accuracy"] > 90
    with pytest.raises(Stopped):
        execute(run, counting(), pieces, stop_after(5))
    again, others = execute(run, counting(), pieces)
    assert others.tobytes() == losses.tobytes() and {**again, "seconds": 0} == {**row, "seconds": 0}


def test_a_run_that_diverges_ends(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "network", property(lambda run: model.MODELS[run.model]._replace(adam=False)))
    row, losses = execute(tiny._replace(lr=1e30), counting(), tmp_path)
    assert len(losses) < row["steps"] and not math.isfinite(losses[-1]) and np.isfinite(losses[:-1]).all()
    assert all(math.isnan(row[name]) for name in ("train_loss", "test_loss", "test_accuracy"))
