from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.features import collect
from rfcheck.verify.saturation.tracker import SaturationTracker
from tests.verify.told import Told

from .networks import LAYERS, batches, digits, network


def collected(model, folder, memory=2**30, count=250, **options):
    images, labels = digits(count)
    return collect(model, batches(images, labels), LAYERS, count=count, memory=memory, folder=folder, **options)


def test_everything_of_one_pass(tmp_path):
    model = network()
    images, labels = digits(250)
    found = collected(model, tmp_path)
    model.eval()
    with torch.no_grad():
        first = model[0](images)
        second = model[3](F.relu(model[1](first)))
        logits = model(images)
    for layer, expected in (("0", F.adaptive_avg_pool2d(first, 4).flatten(1)), ("3", second.flatten(1)), ("7", logits)):
        kept = found.features(layer)
        torch.testing.assert_close(kept.values.float() * kept.scale + kept.shift, expected, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(found.logits, logits)
    assert torch.equal(found.labels, labels)
    assert found.not_finite == {}


def test_each_batch_is_run_once_and_the_model_left_as_it_was(tmp_path):
    model = network()
    model[1].eval()
    runs = []
    handle = model.register_forward_hook(lambda *_: runs.append(1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    collected(model, tmp_path)
    handle.remove()
    assert len(runs) == 3
    assert [module.training for module in model] == [True, False, True, True, True, True, True, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_disk_is_memory(tmp_path):
    model = network()
    memory = collected(model, tmp_path / "memory")
    with collected(model, tmp_path / "disk", memory=0) as disk:
        assert len(list((tmp_path / "disk").iterdir())) == 3
        for layer in LAYERS:
            assert torch.equal(memory.features(layer).values, disk.features(layer).values)
            assert torch.equal(memory.features(layer).scale, disk.features(layer).scale)
    assert not (tmp_path / "disk").exists()
    assert not (tmp_path / "memory").exists()


def test_memory_is_used_as_far_as_it_goes(tmp_path):
    with collected(network(), tmp_path / "disk", memory=2 * 250 * (6 * 16 + 10)):
        (file,) = (tmp_path / "disk").iterdir()
        assert file.stat().st_size == 2 * 250 * 8 * 16


def test_the_tracker_observes_the_same_pass(tmp_path):
    model = network()
    images, _ = digits(250)
    tracker = SaturationTracker(model, layers=LAYERS)
    collected(model, tmp_path, tracker=tracker)
    results = {result.layer: result for result in tracker.results("eval")}
    assert {name: result.samples for name, result in results.items()} == {"0": 250 * 64, "3": 250 * 16, "7": 250}
    with torch.no_grad():
        outputs = model[0](images).movedim(1, -1).reshape(-1, 6).double()
    assert results["0"].trace == pytest.approx(float(outputs.var(0, correction=1).sum()), rel=1e-3)


class Spoiled(nn.Module):
    """Puts out infinity for images that begin with a bright pixel."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.head = nn.Linear(2, 10)

    def forward(self, x):
        x = self.conv(torch.where(x[:, :, :1, :1] > 5, torch.inf, x))
        return self.head(x.nan_to_num(0, 0, 0).mean((2, 3)))


def test_layers_with_infinity_are_named(tmp_path):
    images, labels = digits(60)
    images[[7, 30], :, 0, 0] = 9
    found = collect(Spoiled(), batches(images, labels), ["conv", "head"], count=60, memory=2**20, folder=tmp_path)
    assert found.not_finite == {"conv": 2}


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["conv", "heat"], "layer 'heat' cannot be observed; did you mean head?"),
        (["conv", "conv:2"], "layer 'conv:2' puts nothing out in evaluation mode; call it there as in training mode"),
    ],
)
def test_a_layer_that_is_not_there(layers, message, tmp_path):
    images, labels = digits(60)
    model = Spoiled()
    with pytest.raises(VerifyError) as raised:
        collect(model, batches(images, labels), layers, count=60, memory=0, folder=tmp_path / "disk")
    assert str(raised.value) == message
    assert not (tmp_path / "disk").exists()
    assert not model.conv._forward_hooks


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    images, labels = digits(60)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VerifyError) as raised:
        collect(Spoiled(), batches(images, labels), ["conv"], count=60, memory=0, folder=tmp_path / "file" / "features")
    path = tmp_path / "file" / "features" / "features-0.float16"
    remedy = "see to it that the folder can be written, then resume the run"
    assert str(raised.value) == f"{path}: cannot be written: Not a directory; {remedy}"


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 4, batch_first=True)
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        lengths = torch.arange(len(x)) % 8 + 1
        packed = nn.utils.rnn.pack_padded_sequence(x[:, 0], lengths, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        return self.head(state[0])


def test_an_output_without_images_leaves_nothing(tmp_path):
    images, labels = digits(60)
    with pytest.raises(VerifyError, match="layer 'lstm'"):
        collect(Packed(), batches(images, labels), ["head", "lstm"], count=60, memory=0, folder=tmp_path / "disk")
    assert not (tmp_path / "disk").exists()


def test_progress_counts_batches(tmp_path):
    told = Told()
    collected(network(), tmp_path, progress=told)
    assert told.heard == [("features", 3), "", "", ""]
