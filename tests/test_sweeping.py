from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models

from rfcheck import InputSizeError, SettingsError, SweepPoint, TargetError, analyze, sweep
from rfcheck.sweeping import feasible_spans, parse_resolutions, point_of


def chain(length: int) -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(length)))


def resnet18() -> nn.Module:
    with torch.device("meta"):
        return models.resnet18()


class Sampled(nn.Module):
    """What `conv` reads is known only from data."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        grid = x[:, :2].permute(0, 2, 3, 1)
        return self.conv(F.grid_sample(self.first(x), grid, align_corners=False))


@pytest.mark.parametrize(
    ("text", "resolutions"),
    [
        ("32", (32,)),
        ("224,32,64", (32, 64, 224)),
        ("32:128:32", (32, 64, 96, 128)),
        ("32:130:32", (32, 64, 96, 128)),
        ("32:32:5", (32,)),
        ("32:128:32,224", (32, 64, 96, 128, 224)),
        ("32:96:32, 64 ,40:64:24", (32, 40, 64, 96)),
        ("1:1000:1", tuple(range(1, 1001))),
    ],
)
def test_resolutions_from_text(text, resolutions):
    assert parse_resolutions(text) == resolutions


FORM = "--resolutions must hold numbers like 32,64,224 or a range START:STOP:STEP like 32:512:32, got "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--resolutions is empty; give numbers like 32,64,224 or a range like 32:512:32"),
        ("  ", "--resolutions is empty; give numbers like 32,64,224 or a range like 32:512:32"),
        (",", FORM + "','"),
        ("32,,64", FORM + "'32,,64'"),
        ("big", FORM + "'big'"),
        ("32x48", FORM + "'32x48'"),
        ("-32", FORM + "'-32'"),
        ("32.5", FORM + "'32.5'"),
        ("32:64", FORM + "'32:64'"),
        ("32:64:8:2", FORM + "'32:64:8:2'"),
        ("32::8", FORM + "'32::8'"),
        ("²", FORM + "'²'"),
        ("9" * 5000, FORM + repr("9" * 5000)),
        ("0", "--resolutions must be at least 1 px, got '0'"),
        ("0:64:32", "--resolutions must be at least 1 px, got '0:64:32'"),
        ("16,32:64:0", "--resolutions 32:64:0: the step must be at least 1"),
        ("512:32:32", "--resolutions 512:32:32: the range runs backwards; write 32:512:32"),
        ("1:1001:1", "--resolutions 1:1001:1 holds more than 1000 resolutions; use a larger step"),
        ("1:999999999:1", "--resolutions 1:999999999:1 holds more than 1000 resolutions; use a larger step"),
        ("1:600:1,601:1200:1", "--resolutions 1:600:1,601:1200:1 holds more than 1000 resolutions; use a larger step"),
    ],
)
def test_text_that_is_not_resolutions(text, message):
    with pytest.raises(InputSizeError) as caught:
        parse_resolutions(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("length", [1, 3, 8])
def test_a_chain_by_hand(length):
    """The i-th of n 3x3 convolutions reads 2i + 1 pixels of the image."""
    for point in sweep(chain(length), range(1, 20)):
        size = point.resolution
        reads = [2 * i + 1 for i in range(length)]
        productive = sum(r <= size for r in reads)
        has_tail = productive < length
        assert point == SweepPoint(
            resolution=size,
            judged=length,
            productive=productive,
            unknown=0,
            tail=length - productive,
            border_min=str(productive) if has_tail else None,
            border_position=productive + 1 if has_tail else None,
            flops=length * 3 * 3 * 9 * size**2,
            activation_bytes=length * 3 * size**2 * 4,
            live_taps=pytest.approx(1 / 9 if size == 1 else 1.0),
            lowest=(reads[-1], reads[-1]),
            highest=(reads[-1] + 2, reads[-1] + 2),
            in_range=reads[-1] <= size <= reads[-1] + 2,
        )
        assert point.productive_share == productive / length


def test_live_taps_are_weighted_by_the_parameters_of_convolutions():
    model = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1),  # 140 parameters, 1 of 9 taps
        nn.Conv2d(5, 7, (1, 3), padding=(0, 1), bias=False),  # 105, 1 of 3
        nn.MaxPool2d(3, 1, 1),  # no convolution
        nn.Conv2d(7, 2, 1),  # 16, all
        nn.Flatten(),
        nn.Linear(2, 1000),  # no convolution
    )
    (point,) = sweep(model, [1])
    assert point.live_taps == pytest.approx((140 / 9 + 105 / 3 + 16) / (140 + 105 + 16))


def test_the_border_layer_is_counted_among_judged_layers():
    model = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), *chain(4))
    (point,) = sweep(model, [8])
    # the judged layers read 1, 4, 8, 12 and 16 px
    assert (point.judged, point.productive, point.border_min, point.border_position) == (5, 3, "5", 4)


def test_unknown_layers_count_neither_way():
    (point,) = sweep(Sampled(), [8])
    assert (point.judged, point.productive, point.unknown) == (2, 1, 1)
    assert point.productive_share == 1.0
    assert point.lowest is None
    assert point.in_range is None


def test_a_network_without_judged_layers():
    (point,) = sweep(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), [2])
    assert (point.judged, point.productive_share, point.live_taps, point.in_range) == (0, None, None, None)
    assert point.flops == 24


def test_a_resolution_that_fails_is_a_point_with_the_reason():
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3))
    failed, fine = sweep(model, [4, 5])
    assert failed == SweepPoint(4, failure=failed.failure)
    assert failed.failure.startswith("the forward pass fails at input 3x4x4 in layer 1 (Conv2d), which received a tensor of shape ")
    assert failed.productive_share is None
    assert (fine.failure, fine.judged) == (None, 2)


def test_a_point_holds_what_its_analysis_says():
    model = resnet18()
    analysis = analyze(model, 32)
    point = point_of(analysis)
    judged = [layer for layer in analysis.layers if layer.judged]
    assert point.border_min == analysis.border_min.name == "layer3.0.conv2"
    assert judged[point.border_position - 1].name == "layer3.0.conv2"
    assert (point.judged, point.productive, point.tail) == (20, 11, 8)
    assert (point.flops, point.activation_bytes) == (analysis.flops, analysis.activation_bytes)
    assert sweep(model, [64, 32])[1] == point


def test_the_highest_of_every_resolution_is_its_own():
    """An adaptive pooling that changes nothing at 4 px adds nothing there."""
    model = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.AdaptiveAvgPool2d(4))
    assert [point.highest for point in sweep(model, [4, 8])] == [(3, 3), (4, 4)]


@pytest.mark.parametrize("given", [[4, 8], (4, 8), range(4, 9, 4), iter([4, 8]), "4:8:4"])
def test_all_ways_to_give_resolutions_agree(given):
    assert [point.resolution for point in sweep(chain(1), given)] == [4, 8]


def test_points_are_in_the_order_given():
    assert [point.resolution for point in sweep(chain(1), [8, 4, 8])] == [8, 4, 8]


def test_settings_decide_the_numbers():
    model = resnet18()
    by_default, exact = sweep(model, [32])[0], sweep(model, [32], settings={"projection": "exact"})[0]
    assert by_default.border_min == "layer3.0.conv2"
    assert exact == point_of(analyze(model, 32, settings={"projection": "exact"}))
    assert exact.productive > by_default.productive


@pytest.mark.parametrize(
    ("model", "resolutions", "settings", "error", "message"),
    [
        (chain(1), [], None, InputSizeError, "resolutions is empty; give at least one, like [32]"),
        (chain(1), 32, None, InputSizeError, "resolutions must be several whole numbers, like [32, 64] or '32:512:32', got 32"),
        (chain(1), [32, 0], None, InputSizeError, "resolutions must be whole numbers of at least 1, got 0"),
        (chain(1), [True], None, InputSizeError, "resolutions must be whole numbers of at least 1, got True"),
        (chain(1), [3.5], None, InputSizeError, "resolutions must be whole numbers of at least 1, got 3.5"),
        (chain(1), "8:4:1", None, InputSizeError, "resolutions 8:4:1: the range runs backwards; write 4:8:1"),
        (
            nn.Conv2d,
            [8],
            None,
            TargetError,
            "rfcheck analyses a torch.nn.Module, got the class Conv2d; make a model of it first: Conv2d(...)",
        ),
        (chain(1), [8], {"channels": 0}, SettingsError, "channels must be a whole number of at least 1, got 0"),
    ],
)
def test_wrong_arguments(model, resolutions, settings, error, message):
    with pytest.raises(error) as caught:
        sweep(model, resolutions, settings=settings)
    assert str(caught.value) == message


def point(resolution: int, in_range: bool | None, low: float | None = 20, high: float | None = 50) -> SweepPoint:
    lowest, highest = (None if low is None else (low, low)), (None if high is None else (high, high))
    return SweepPoint(resolution, judged=1, lowest=lowest, highest=highest, in_range=in_range)


@pytest.mark.parametrize(
    ("points", "spans"),
    [
        ([], ()),
        ([point(10, False), point(30, True), point(60, False)], ((20, 50),)),
        ([point(60, False), point(30, True), point(10, False)], ((20, 50),)),
        ([point(30, True)], ((20, 50),)),
        ([point(10, False), point(60, False)], ((20, 50),)),
        ([point(10, False)], ((20, 50),)),
        ([point(30, True, 20, math.inf)], ((20, math.inf),)),
        # ends that no longer hold at the next point reach up to it
        ([point(30, True, 20, 50), point(40, False, 20, 35)], ((20, 39),)),
        ([point(24, False, 27, 50), point(30, True, 20, 50)], ((25, 50),)),
        ([point(30, True), point(40, False, 20, 35), point(45, True)], ((20, 39), (41, 50))),
        ([point(30, True), SweepPoint(40, failure="no"), point(45, True)], ((20, 39), (41, 50))),
        # nothing agreed on
        ([point(10, False), point(60, False, 20, 40)], ()),
        ([point(10, False, 50, 20)], ()),
        ([point(10, None, None, 50)], ()),
        ([point(10, None, 20, None)], ()),
        ([SweepPoint(10, failure="no")], ()),
    ],
)
def test_feasible_spans(points, spans):
    assert feasible_spans(points) == spans


def test_spans_hold_all_feasible_points_and_no_other():
    with torch.device("meta"):
        model = models.vgg16()  # its adaptive pooling makes the highest image depend on the resolution
    points = sweep(model, range(150, 300, 7))
    spans = feasible_spans(points)
    assert {p.in_range for p in points} == {True, False}
    assert [any(low <= p.resolution <= high for low, high in spans) for p in points] == [p.in_range for p in points]
