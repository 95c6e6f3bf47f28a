from __future__ import annotations

import copy
import math
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from rfcheck.errors import RfcheckError, SettingsError, VerifyError
from rfcheck.verify import SaturationTracker


class Network(nn.Module):
    """Convolutions with what may spoil records behind them, a linear layer over positions, an LSTM, a head."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, stride=2)
        self.body = nn.Sequential(nn.BatchNorm2d(12), nn.ReLU(inplace=True), nn.Conv2d(12, 16, 3), nn.ReLU(inplace=True))
        self.mix = nn.Linear(16, 9)
        self.lstm = nn.LSTM(9, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        maps = self.body(self.conv(x))
        states, _ = self.lstm(self.mix(maps.flatten(2).mT).relu_())
        return self.head(states.mean(1))


LAYERS = ["conv", "body.2", "mix", "lstm", "head"]


def batches(number=6, size=10) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(size, 3, 16, 16, generator=generator) + 0.5 for _ in range(number)]


def rows_of(model: nn.Module, images: list[torch.Tensor]) -> dict[str, np.ndarray]:
    """All outputs of each layer of a model that does not learn, by plain hooks and in float64."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in LAYERS}

    def keep(name):
        def hook(module, _, output):
            output = (output[0] if isinstance(output, tuple) else output).detach().double().numpy().copy()
            rows[name].append(
                (output.transpose(0, 2, 3, 1) if output.ndim == 4 else output).reshape(
                    -1, output.shape[1 if output.ndim == 4 else -1]
                )
            )

        return hook

    handles = [model.get_submodule(name).register_forward_hook(keep(name)) for name in LAYERS]
    for image in images:
        model(image)
    for handle in handles:
        handle.remove()
    return {name: np.concatenate(kept) for name, kept in rows.items()}


def expected(rows: np.ndarray, delta=0.99) -> tuple[int, int, float]:
    """Number of rows, dimension, trace, by numpy."""
    covariance = np.cov(rows, rowvar=False, ddof=0)
    shares = np.linalg.eigvalsh(covariance)[::-1].cumsum() / np.trace(covariance)
    return len(rows), int(np.searchsorted(shares, delta)) + 1, float(np.trace(covariance))


def check(results, rows: dict[str, np.ndarray], delta=0.99):
    assert [result.layer for result in results] == LAYERS
    for result in results:
        samples, dimension, trace = expected(rows[result.layer], delta)
        assert (result.samples, result.dimension, result.not_finite) == (samples, dimension, 0), result.layer
        assert result.features == rows[result.layer].shape[1]
        assert result.saturation == dimension / result.features
        assert result.trace == pytest.approx(trace, rel=1e-6)


@pytest.mark.parametrize("delta", [0.9, 0.99, 1])
def test_as_numpy_of_all_outputs(delta):
    model = Network()
    with SaturationTracker(model, delta) as tracker:
        for image in batches():
            model(image).sum().backward()
        inside = tracker.results()
    if delta < 1:
        check(tracker.results(), rows_of(model, batches()), delta)
    assert tracker.results() == inside
    assert tracker.mean() == pytest.approx(np.mean([result.saturation for result in inside]))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_training_and_evaluation_are_kept_apart(mode):
    model = Network()
    with SaturationTracker(model) as tracker:
        for image in batches(4):
            model(image).sum().backward()
        model.eval()
        with mode():
            for image in batches(3, 7):
                model(image)
            evaluated = tracker.results("eval")
        model.train()
        keep = copy.deepcopy(model).eval()
        model(batches(1)[0])
    rows = rows_of(keep, batches(3, 7))
    assert tracker.results("eval") == evaluated
    check(evaluated, rows)
    assert [result.samples for result in tracker.results("train")] == [5 * 10 * n for n in (49, 25, 25, 25, 1)]
    tracker.reset("train")
    assert tracker.results("train") == ()
    assert math.isnan(tracker.mean("train"))
    assert tracker.results("eval") == evaluated
    tracker.reset()
    assert tracker.results("eval") == ()


def test_while_weights_change():
    """The rows are those that the layers put out at the time."""
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    kept = []
    model.head.register_forward_hook(lambda *call: kept.append(call[-1].detach().double().numpy().copy()))
    with SaturationTracker(model) as tracker:
        for image in batches():
            optimizer.zero_grad()
            model(image).square().sum().backward()
            optimizer.step()
    head = tracker.results()[-1]
    assert (head.samples, head.dimension) == expected(np.concatenate(kept))[:2]
    assert head.trace == pytest.approx(expected(np.concatenate(kept))[2], rel=1e-6)


def test_channels_last():
    model = Network().to(memory_format=torch.channels_last)
    with SaturationTracker(model) as tracker:
        for image in batches():
            model(image.to(memory_format=torch.channels_last))
    check(tracker.results(), rows_of(model, batches()))


def test_mixed_precision():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3))
    kept = []
    handle = model[0].register_forward_hook(
        lambda *call: kept.append(call[-1].detach().double().movedim(1, -1).reshape(-1, 8).numpy())
    )
    with SaturationTracker(model) as tracker, torch.autocast("cpu", dtype=torch.bfloat16):
        for image in batches():
            assert model(image).dtype == torch.bfloat16
    handle.remove()
    samples, dimension, trace = expected(np.concatenate(kept))
    first = tracker.results()[0]
    assert (first.samples, first.dimension) == (samples, dimension)
    assert first.trace == pytest.approx(trace, rel=1e-6)


def test_an_image_without_a_batch():
    model = nn.Conv2d(3, 4, 3)
    with SaturationTracker(model) as tracker:
        model(torch.randn(3, 8, 8))
    assert (tracker.results()[0].features, tracker.results()[0].samples, tracker.results()[0].layer) == (4, 36, "")


def test_gradient_checkpointing_counts_once():
    model = Network()
    with SaturationTracker(model) as tracker:
        for image in batches():
            checkpoint(model, image, use_reentrant=False).sum().backward()
    check(tracker.results(), rows_of(model, batches()))


@pytest.mark.parametrize("interval", [2, 3, 4])
def test_log_interval_takes_the_first_of_so_many_passes(interval):
    model = Network()
    with SaturationTracker(model, log_interval=interval) as tracker:
        for image in batches(7):
            model(image)
    check(tracker.results(), rows_of(model, batches(7)[::interval]))


def test_log_interval_may_be_changed():
    model = Network()
    with SaturationTracker(model) as tracker:
        model(batches()[0])
        tracker.log_interval = 100
        model(batches()[1])
    check(tracker.results(), rows_of(model, batches()[:1]))
    assert tracker.log_interval == 100


def test_max_samples_are_spread_over_passes_and_positions():
    model = Network()
    with SaturationTracker(model, max_samples=320) as tracker:
        model(batches(1)[0])
        assert [result.samples for result in tracker.results()] == [20, 20, 20, 20, 10]
        for image in batches(40):
            model(image)
    assert [result.samples for result in tracker.results()] == [320] * 5
    rows = rows_of(model, batches(1))
    with SaturationTracker(model, max_samples=320) as tracker:
        model(batches(1)[0])
    conv = tracker.results()[0]
    assert conv.trace == pytest.approx(expected(rows["conv"][np.arange(20) * 490 // 20])[2], rel=1e-5)


@pytest.mark.parametrize("total", [1, 5, 16, 17, 100])
def test_max_samples_is_never_exceeded(total):
    model = nn.Linear(3, 4)
    with SaturationTracker(model, max_samples=total) as tracker:
        for _ in range(60):
            model(torch.randn(9, 3))
    assert tracker.results()[0].samples == total


def test_whatever_the_default_device_and_type():
    model = Network()
    images = batches()
    try:
        torch.set_default_dtype(torch.float64)
        with torch.device("meta"), SaturationTracker(model, max_samples=100_000) as tracker:
            for image in images:
                model.conv(image)
            measured = tracker.results()
    finally:
        torch.set_default_dtype(torch.float32)
    with SaturationTracker(model, max_samples=100_000, layers=["conv"]) as tracker:
        for image in images:
            model(image)
    assert measured == tracker.results()


def test_some_layers():
    model = Network()
    with SaturationTracker(model, layers=["head", "conv"]) as tracker:
        model(batches()[0])
    assert [result.layer for result in tracker.results()] == ["conv", "head"]


def test_outputs_that_are_not_finite_are_reported_with_their_layer():
    model = Network()
    images = batches(1)[0]
    images[0] = torch.nan
    with SaturationTracker(model.eval()) as tracker:
        model(images)
    assert [(r.layer, r.not_finite) for r in tracker.results("eval")] == [
        ("conv", 49),
        ("body.2", 25),
        ("mix", 25),
        ("lstm", 25),
        ("head", 1),
    ]
    check_rows = [r.samples for r in tracker.results("eval")]
    assert check_rows == [9 * 49, 9 * 25, 9 * 25, 9 * 25, 9]
    assert not math.isnan(tracker.mean("eval"))


def test_goes_on_from_its_state_to_the_same_bits(tmp_path):
    model = Network()

    def measured(tracker, images):
        with tracker:
            for image in images:
                model(image)
        return tracker

    settings = {"log_interval": 2, "max_samples": 5000}
    whole = measured(SaturationTracker(model, **settings), batches(9)).results()
    torch.save(measured(SaturationTracker(model, **settings), batches(9)[:5]).state_dict(), tmp_path / "state")
    second = SaturationTracker(model, **settings)
    with second:
        model(batches()[0])
    second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert measured(second, batches(9)[5:]).results() == whole


def snapshot(model: nn.Module) -> list[dict[str, object]]:
    return [
        {k: (dict(v) if isinstance(v, OrderedDict) else id(v)) for k, v in vars(m).items() if k != "_buffers"}
        for m in model.modules()
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_the_model_is_left_as_it_was(times):
    model = Network()
    before, keys = snapshot(model), list(model.state_dict())
    tracker = SaturationTracker(model)
    for _ in range(times):
        with tracker:
            model(batches()[0]).sum().backward()
    model.zero_grad()
    assert snapshot(model) == before
    assert list(model.state_dict()) == keys
    assert tracker.results()[0].samples == times * 490


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_model_is_left_as_it_was_when_training_raises(error):
    model = Network()
    before = snapshot(model)
    tracker = SaturationTracker(model)

    def train():
        with tracker:
            model(batches()[0])
            model.lstm.forward = raises
            model(batches()[1])

    def raises(*_):
        raise error("stop")

    with pytest.raises(error, match="^stop$"):
        train()
    del model.lstm.forward
    assert snapshot(model) == before
    assert [result.samples for result in tracker.results()] == [2 * 490, 2 * 250, 2 * 250, 250, 10]


def test_it_changes_no_gradient_and_no_random_number():
    gradients = []
    for tracked in (False, True):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten(), nn.Linear(8 * 196, 2))
        tracker = SaturationTracker(model)
        if tracked:
            tracker.__enter__()
        for image in batches():
            model(image).square().sum().backward()
        tracker.__exit__(None, None, None)
        gradients.append([p.grad for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"delta": 0}, SettingsError, "delta is a share of the variance, above 0 and at most 1, not 0"),
        ({"delta": 99}, SettingsError, "delta is a share of the variance, above 0 and at most 1, not 99"),
        ({"delta": "0.9"}, SettingsError, "delta is a share of the variance, above 0 and at most 1, not '0.9'"),
        ({"delta": math.nan}, SettingsError, "delta is a share of the variance, above 0 and at most 1, not nan"),
        ({"log_interval": 0}, SettingsError, "log_interval is a positive number, not 0"),
        ({"log_interval": 1.5}, SettingsError, "log_interval is a positive number, not 1.5"),
        ({"max_samples": -1}, SettingsError, "max_samples is a positive number, not -1"),
        ({"layers": "conv"}, SettingsError, "layers takes several names; write ['conv'] for one"),
        ({"layers": ["cnov"]}, VerifyError, "layer 'cnov' cannot be observed; did you mean conv?"),
    ],
)
def test_wrong_arguments(arguments, error, sentence):
    with pytest.raises(RfcheckError) as raised:
        SaturationTracker(Network(), **arguments)
    assert type(raised.value) is error
    assert str(raised.value) == sentence


def test_a_wrong_mode_or_interval_later():
    tracker = SaturationTracker(Network())
    for action in (lambda: tracker.results("test"), lambda: tracker.mean("test"), lambda: tracker.reset("test")):
        with pytest.raises(SettingsError, match=r"^mode is 'train' or 'eval', not 'test'$"):
            action()
    with pytest.raises(SettingsError, match=r"^log_interval is a positive number, not 0$"):
        tracker.log_interval = 0


def test_complex_numbers():
    model = nn.Linear(3, 4, dtype=torch.complex64)
    with pytest.raises(VerifyError) as error, SaturationTracker(nn.Sequential(model)):
        model(torch.zeros(2, 3, dtype=torch.complex64))
    assert str(error.value) == (
        "layer '0' cannot be measured: expected rows of 4 real numbers, got a tensor of shape (2, 4) in complex64; leave it out of layers"
    )
    assert not model._forward_hooks
