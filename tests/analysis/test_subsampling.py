"""Positions that nothing reads, against the gradient of the sum of everything that is computed."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from rfcheck import analyze
from rfcheck.analysis.subsampling import unread_share

EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True)
LONG = 64  # positions: enough for every window to run over its whole pattern


def share(model: nn.Module, size: tuple[int, ...], name: str = "", channels: int = 1) -> float:
    graph = analyze(model, (1, channels, *size)).graph
    return unread_share(graph, name or list(graph)[1])


def convolution(axes: int, **options: object) -> nn.Module:
    """A convolution of ones, so that every position that is read has a gradient."""
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1](1, 1, bias=False, **options)
    nn.init.ones_(layer.weight)
    return layer


def positions_read(model: nn.Module, size: tuple[int, ...]) -> torch.Tensor:
    image = torch.ones(1, 1, *size, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(image).sum(), image)
    return gradient[0, 0] != 0


@EXAMPLES
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))
def test_one_axis(size, kernel, stride, dilation, padding):
    layer = convolution(1, kernel_size=kernel, stride=stride, dilation=dilation, padding=padding)
    assume(size + 2 * padding > dilation * (kernel - 1))
    middle = positions_read(layer, (LONG,))[LONG // 3 : 2 * LONG // 3]
    expected = 0 if middle.all() else 1 - positions_read(layer, (size,)).float().mean().item()
    assert share(layer, (size,)) == pytest.approx(expected)


@EXAMPLES
@given(st.data(), st.integers(2, 3))
def test_several_axes_with_gaps(data, axes):
    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return data.draw(st.tuples(*[st.integers(low, high)] * axes))

    kernel = per_axis(1, 3)
    stride = tuple(k + data.draw(st.integers(1, 2)) for k in kernel)
    layer = convolution(axes, kernel_size=kernel, stride=stride)
    size = tuple(k + data.draw(st.integers(0, 4)) for k in kernel)
    assert share(layer, size) == pytest.approx(1 - positions_read(layer, size).float().mean().item())


@pytest.mark.parametrize(
    ("layer", "size", "expected"),
    [
        pytest.param(nn.Conv2d(1, 1, 1, 2), (8, 8), 3 / 4, id="projection"),
        pytest.param(nn.Conv2d(1, 1, 1, 2), (1, 1), 0, id="one position"),
        pytest.param(nn.Conv2d(1, 1, 1, 2), (1, 8), 1 / 2, id="one position on one axis"),
        pytest.param(nn.Conv2d(1, 1, 3, 2, 2, dilation=2), (8, 8), 3 / 4, id="dilation hides the gaps"),
        pytest.param(nn.Conv2d(1, 1, 3, 2, 3, dilation=3), (8, 8), 0, id="dilation without a common divisor"),
        pytest.param(nn.Conv2d(1, 1, 4, 4), (8, 8), 0, id="patches"),
        pytest.param(nn.Conv2d(1, 1, 2, 2), (9, 9), 0, id="a rest at the end is no gap"),
        pytest.param(nn.Conv2d(1, 1, (1, 2), 2), (8, 9), 1 / 2, id="a rest beside a gap"),
        pytest.param(nn.MaxPool2d(1, 2), (8, 8), 3 / 4, id="max pooling"),
        pytest.param(nn.AvgPool2d(2, 3), (9, 9), 1 - 4 / 9, id="average pooling"),
        pytest.param(nn.ConvTranspose2d(1, 1, 1, 2), (8, 8), 0, id="transposed"),
        pytest.param(nn.AdaptiveAvgPool2d(2), (8, 8), 0, id="no window"),
        pytest.param(nn.ReLU(), (8, 8), 0, id="no layer"),
    ],
)
def test_known_layers(layer, size, expected):
    assert share(layer, size) == pytest.approx(expected)


def test_explicit_padding_is_no_position_of_the_map():
    model = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(1, 1, 1, 2))
    # positions 1, 3, 5, 7 of 0 to 9 are real and read, the map holds 1 to 8
    assert share(model, (8, 8), "1") == pytest.approx(1 - math.prod((4 / 8, 4 / 8)))


@pytest.mark.parametrize("pads", [(-1, 2), (-1, 2, 0, 0), (0, 0, -1, 2)])
def test_a_map_of_padding_only_has_no_position_to_lose(pads):
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1, 3)

        def forward(self, x):
            return self.conv(F.pad(x[..., :1, :1] if len(pads) == 4 else x[..., :1], pads))

    analysis = analyze(Padded(), (1, 9, 9))
    assert unread_share(analysis.graph, "conv") == 0
    assert analysis.layer("conv").live_taps == 0


class Branches(nn.Module):
    """A strided 1x1 convolution beside something else that reads the same map."""

    def __init__(self, other) -> None:
        super().__init__()
        self.before, self.main = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 1, 2)
        self.other = other

    def forward(self, x):
        x = self.before(x)
        return self.main(x), self.other(x)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param(nn.Conv2d(1, 1, 3, 2, 1), 0, id="a window without gaps"),
        pytest.param(nn.Conv2d(1, 1, 1, 2), 3 / 4, id="the same positions"),
        pytest.param(nn.Conv2d(1, 1, 1, 4), 3 / 4, id="some of them"),
        pytest.param(nn.Conv2d(1, 1, 1, 3), 0, id="others"),
        pytest.param(nn.ReLU(), 0, id="all, one by one"),
        pytest.param(lambda x: F.avg_pool2d(x, 2), 0, id="pooled"),
        pytest.param(nn.Identity(), 0, id="the caller"),
    ],
)
def test_what_another_operator_reads_is_not_lost(other, expected):
    assert share(Branches(other), (8, 8), "main") == pytest.approx(expected)
