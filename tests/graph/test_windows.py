"""Convolution, pooling and interpolation, held against the support of the input gradient."""

import itertools
import math

import pytest
import torch.nn.functional as F
from torch import nn

import rfcheck
from rfcheck.graph.reach import Reach
from tests.graph.cases import IMAGE, SERIES, TOKENS, VOLUME, assert_as_gradient, between, cases, conv
from tests.oracle import Apply, gradient_extents, gradient_spans, gradient_support


def test_the_oracle_reads_what_can_be_counted_by_hand():
    model = nn.Sequential(conv(3, stride=2, padding=1), nn.ReLU(), conv((5, 1), dilation=2))
    assert gradient_support(model, IMAGE, (5, 7)) == ((9, 27), (13, 15))
    assert gradient_spans(model, IMAGE)[0][5] == (9, 27)
    assert gradient_extents(model, IMAGE) == (19, 3)
    assert gradient_extents(Apply(lambda x: x.mean(2, keepdim=True)), IMAGE) == (math.inf, 1)
    assert gradient_support(nn.ConvTranspose2d(2, 2, 1, 2), TOKENS, (4, 5)) == (None, None)


def test_a_wrong_window_is_noticed(monkeypatch):
    monkeypatch.setattr("rfcheck.graph.windows._conv_reach", lambda k, s, d, p, transposed: Reach(1, s, (-p,), (k - 2,), d))
    with pytest.raises(AssertionError):
        assert_as_gradient(conv(5))


CONVOLUTIONS = [
    *[(3, 1, 1, 1), (4, 1, 2, 1), (1, 1, 0, 1), (3, 2, 0, 1), (5, 3, 1, 2), (2, 2, 0, 1), (1, 2, 0, 1), (2, 3, 0, 1)],
    *[(7, 2, 3, 1), (3, 1, 4, 3), (3, 1, 6, 1), ((3, 5), (1, 2), (0, 3), (2, 1)), ((1, 4), (2, 1), (0, 1), (1, 3))],
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), CONVOLUTIONS)
def test_convolution(kernel, stride, padding, dilation):
    layer = nn.Conv2d(2, 2, kernel, stride, padding, dilation)
    assert_as_gradient(layer)
    assert_as_gradient(nn.Sequential(conv(2, stride=(1, 2)), layer, conv((2, 3), stride=(2, 1))), (1, 2, 64, 96))


@cases(
    {
        "same, even kernel": nn.Sequential(conv(4, padding="same"), conv((2, 6), padding="same", dilation=3)),
        "reflect": nn.Sequential(conv(5, padding=2, padding_mode="reflect"), conv((3, 4), padding=1)),
        "replicate": nn.Sequential(conv(5, padding=(2, 1), padding_mode="replicate"), conv()),
        "circular": nn.Sequential(conv(5, padding=2, padding_mode="circular"), conv((3, 4), padding=1)),
        "groups": nn.Sequential(conv(made=4, groups=2), conv((5, 2), 4, 4, groups=4, padding=2), conv(1, 4, groups=2)),
        "inplace activations": nn.Sequential(conv(), nn.BatchNorm2d(2), nn.ReLU(inplace=True), conv(2), nn.Hardswish(inplace=True)),
    }
)
def test_kinds_of_convolutions(case):
    assert_as_gradient(case, wraps=any(getattr(layer, "padding_mode", "") == "circular" for layer in case.modules()))


def test_convolution_over_one_and_three_axes():
    assert_as_gradient(nn.Sequential(nn.Conv1d(2, 4, 4, 3, 1), nn.Conv1d(4, 4, 3, dilation=2, groups=4)), SERIES)
    assert_as_gradient(nn.Sequential(nn.Conv3d(2, 2, 3, padding=1), nn.Conv3d(2, 2, (3, 1, 4), (1, 2, 1), (1, 0, 2))), VOLUME)
    assert_as_gradient(
        Apply(lambda x, a, b: b(a(x).unsqueeze(1)).squeeze(1), conv(made=3), nn.Conv3d(1, 1, (3, 2, 5), padding=(1, 0, 2)))
    )


TRANSPOSED = [
    pytest.param(k, s, p, extra, d, id=f"k{k}-s{s}-p{p}-extra{extra}-d{d}")
    for k, s, p, d in itertools.product((1, 2, 3, 4, 5), (1, 2, 3), (0, 1, 2), (1, 2))
    for extra in range(s)
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "extra", "dilation"), TRANSPOSED)
def test_transposed_convolution(kernel, stride, padding, extra, dilation):
    layer = nn.ConvTranspose1d(2, 2, kernel, stride, padding, extra, dilation=dilation)
    assert_as_gradient(layer, SERIES)
    assert_as_gradient(nn.Sequential(nn.Conv1d(2, 2, 3, 2), layer, nn.Conv1d(2, 2, 2, 3, dilation=2)), (1, 2, 120))


def test_transposed_convolution_over_two_and_three_axes():
    layer = nn.ConvTranspose2d(2, 2, (3, 4), (2, 3), (1, 0), (1, 2), groups=2)
    assert_as_gradient(nn.Sequential(conv(stride=(1, 2)), layer, conv((2, 3), stride=(2, 1))), (1, 2, 36, 48))
    assert_as_gradient(nn.Sequential(nn.Conv3d(2, 2, 3), nn.ConvTranspose3d(2, 2, 3, (2, 1, 3), 1)), VOLUME)


POOLINGS = {
    "max": (nn.MaxPool2d(2), IMAGE),
    "max, odd": (nn.MaxPool2d((3, 2), (2, 3), (1, 0)), IMAGE),
    "max, ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), (1, 2, 49, 40)),
    "max, dilated": (nn.MaxPool2d(3, 2, 1, dilation=(1, 3)), IMAGE),
    "max 1d": (nn.MaxPool1d(3, 2, 1, dilation=2), SERIES),
    "max 3d": (nn.MaxPool3d((3, 1, 2), 2, (1, 0, 1)), VOLUME),
    "avg": (nn.AvgPool2d(3, 2, 1), IMAGE),
    "avg, ceil": (nn.AvgPool2d((2, 3), (2, 1), (1, 0), ceil_mode=True, count_include_pad=False), (1, 2, 49, 40)),
    "avg 1d": (nn.AvgPool1d(4), SERIES),
    "avg 3d": (nn.AvgPool3d((1, 2, 3)), VOLUME),
    "lp": (nn.LPPool2d(2, (3, 2), (1, 2)), IMAGE),
    "lp, ceil": (nn.LPPool2d(3, 3, ceil_mode=True), IMAGE),
    "lp 1d": (nn.LPPool1d(2, 3, 2), SERIES),
    "lp 3d": (nn.LPPool3d(2, (2, 1, 3)), VOLUME),
}


@cases(POOLINGS)
def test_pooling(case):
    pool, shape = case
    build = [nn.Conv1d, nn.Conv2d, nn.Conv3d][len(shape) - 3]
    assert_as_gradient(nn.Sequential(build(2, 2, 3, padding=1), pool, build(2, 2, 2)), shape, inputs=16)


def test_a_convolution_over_more_than_the_image_axes_has_the_arguments_of_these():
    shape = nn.Unflatten(2, (1, -1))
    model = nn.Sequential(
        nn.Conv1d(2, 2, 1), shape, nn.Conv2d(2, 4, (1, 9), (1, 4), (0, 4)), nn.Conv2d(4, 4, (1, 3), dilation=(1, 2))
    )
    strided, dilated = rfcheck.analyze(model, (1, 2, 48)).layers[1:]
    assert [(x.kernel, x.stride, x.padding, x.dilation) for x in (strided, dilated)] == [
        ((9,), (4,), (4,), (1,)),
        ((3,), (1,), (0,), (2,)),
    ]
    assert (strided.flops, dilated.flops) == (2 * 4 * 9 * 12, 4 * 4 * 3 * 8)
    assert strided.live_taps == 1.0


@pytest.mark.parametrize("made", [nn.MaxPool1d(3, 2, 1, dilation=2), nn.AvgPool1d(4, 3, 2), nn.LPPool1d(2, 3, 2)], ids=repr)
def test_a_pooling_along_one_axis_has_its_own_arguments(made):
    (pooled,) = (layer for layer in rfcheck.analyze(nn.Sequential(nn.Conv1d(2, 2, 3), made), SERIES).layers if layer.kind == "pool")
    names = ("kernel", "stride", "dilation", "padding")
    expected = (made.kernel_size, made.stride, getattr(made, "dilation", 1), getattr(made, "padding", 0))
    assert [getattr(pooled, name) for name in names] == [value if isinstance(value, tuple) else (value,) for value in expected]


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
@pytest.mark.parametrize("size", [(24, 10), (16, 20), (30, 9), (48, 13), (64, 60), (None, 7)], ids=str)
def test_adaptive_pooling(pool, size):
    assert_as_gradient(nn.Sequential(conv(padding=1), pool(size), conv((1, 2))), inputs=16, periodic=False)


def test_adaptive_pooling_over_one_and_three_axes():
    assert_as_gradient(nn.Sequential(nn.Conv1d(2, 2, 3), nn.AdaptiveAvgPool1d(25), nn.Conv1d(2, 2, 2)), SERIES, periodic=False)
    assert_as_gradient(nn.Sequential(nn.Conv3d(2, 2, 3), nn.AdaptiveAvgPool3d((8, 9, 12))), VOLUME, periodic=False)


SIZES = [
    *[{"scale_factor": 2}, {"scale_factor": 1.5}, {"scale_factor": 0.5}, {"scale_factor": (3, 0.75)}, {"scale_factor": 1.3}],
    *[{"size": (60, 30)}, {"size": (33, 65)}, {"size": (96, 20)}, {"scale_factor": 1.3, "recompute_scale_factor": True}],
]
MODES = [{"mode": "nearest"}, {"mode": "nearest-exact"}] + [
    {"mode": mode, "align_corners": corners, "antialias": antialias}
    for mode, corners, antialias in itertools.product(("bilinear", "bicubic"), (False, True), (False, True))
]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(map(str, mode.values())))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "-".join(map(str, size.values())))
def test_interpolation(mode, size):
    model = between(lambda x: F.interpolate(x, **mode, **size), after=conv(stride=(2, 1)))
    assert_as_gradient(model, periodic=False)


@pytest.mark.parametrize(
    ("mode", "size", "r_max"),
    [
        ({"mode": "nearest"}, {"scale_factor": 2}, 2),
        ({"mode": "bilinear"}, {"scale_factor": 2}, 3),
        ({"mode": "bicubic"}, {"scale_factor": 2}, 5),
        ({"mode": "bilinear", "align_corners": True}, {"size": (95, 79)}, 3),
        ({"mode": "bilinear", "antialias": True}, {"scale_factor": 0.5}, 8),
        ({"mode": "area"}, {"size": (12, 10)}, 12),
    ],
    ids=str,
)
def test_widest_unit_behind_an_interpolation(mode, size, r_max):
    model = Apply(lambda x, a: a(F.interpolate(x, **mode, **size)), conv(padding=1))
    assert gradient_extents(model, IMAGE) == (r_max, r_max)
    assert rfcheck.analyze(model, IMAGE).layers[-1].r_max == (r_max, r_max)


def test_interpolation_over_one_and_three_axes():
    for mode in ("nearest", "linear"):
        assert_as_gradient(
            Apply(lambda x, a, mode=mode: F.interpolate(a(x), scale_factor=2, mode=mode), nn.Conv1d(2, 2, 3)), SERIES
        )
    for mode in ("nearest-exact", "trilinear"):
        assert_as_gradient(
            Apply(lambda x, a, mode=mode: F.interpolate(a(x), scale_factor=2, mode=mode), nn.Conv3d(2, 2, 3)), VOLUME
        )


def test_windows_of_copies_have_the_extent_that_the_layer_slides_over():
    """Each position is repeated twice along both axes and the map cut into windows of 2x2: all that is in one is one position."""

    def windows(x, first, last):
        x = first(x)[..., None, :, None].expand(-1, -1, -1, 2, -1, 2)
        return last(x.permute(0, 2, 4, 1, 3, 5).reshape(-1, 2, 2, 2))

    model = Apply(windows, nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1))
    layer = rfcheck.analyze(model, (2, 8, 6)).layer("parts.1")
    assert (layer.in_size, layer.out_size, layer.kernel, layer.padding) == ((2, 2), (2, 2), (3, 3), (1, 1))
    assert (layer.r_min, layer.r_max) == ((3, 3), (3, 3))
