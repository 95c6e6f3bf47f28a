"""Live taps and reads of padding against brute force: kernels with a single tap, slid over an image of ones."""

import math
from collections.abc import Iterator

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from rfcheck import analyze
from rfcheck.analysis.padding import padding_share

EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True)
CONVS = {False: [nn.Conv1d, nn.Conv2d, nn.Conv3d], True: [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d]}


def single_taps(kernel: tuple[int, ...]) -> Iterator[torch.Tensor]:
    for tap in range(math.prod(kernel)):
        weight = torch.zeros(1, 1, *kernel)
        weight.view(-1)[tap] = 1
        yield weight


def share_of_live_taps(model: nn.Module, layer: nn.Module, size: tuple[int, ...]) -> float:
    """Share of the taps of a convolution that make anything of an image of ones."""
    live = 0
    with torch.no_grad():
        for weight in single_taps(layer.kernel_size):
            layer.weight.copy_(weight)
            live += bool(model(torch.ones(1, 1, *size)).any())
    return live / math.prod(layer.kernel_size)


def live_taps(model: nn.Module, size: tuple[int, ...]) -> float:
    return next(layer.live_taps for layer in analyze(model, (1, 1, *size)).layers if layer.kind == "conv")


@EXAMPLES
@given(st.data(), st.integers(1, 3), st.booleans())
def test_live_taps_of_a_convolution(data, axes, transposed):
    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return data.draw(st.tuples(*[st.integers(low, high)] * axes))

    size, kernel, stride, dilation, padding = per_axis(1, 6), per_axis(1, 4), per_axis(1, 3), per_axis(1, 3), per_axis(0, 5)
    layer = CONVS[transposed][axes - 1](1, 1, kernel, stride, padding, dilation=dilation, bias=False)
    try:
        layer(torch.ones(1, 1, *size))
    except RuntimeError:  # nothing comes out at this size
        assume(False)
    assert live_taps(layer, size) == pytest.approx(share_of_live_taps(layer, layer, size))


@EXAMPLES
@given(st.lists(st.integers(-1, 4), min_size=4, max_size=4), st.integers(1, 4), st.integers(0, 2), st.integers(1, 3))
def test_explicit_padding_is_not_real_either(margins, kernel, padding, dilation):
    size = (3, 4)
    layer = nn.Conv2d(1, 1, kernel, padding=padding, dilation=dilation, bias=False)
    model = nn.Sequential(nn.ZeroPad2d(margins), layer)
    try:
        model(torch.ones(1, 1, *size))
    except RuntimeError:
        assume(False)
    assert live_taps(model, size) == pytest.approx(share_of_live_taps(model, layer, size))


@EXAMPLES
@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=2),
    st.lists(st.integers(0, 3), min_size=2, max_size=2),
    st.sampled_from(["replicate", "reflect"]),
    st.integers(1, 6),
)
def test_copies_of_padding_are_padding(zeros, copies, mode, kernel):
    layer = nn.Conv1d(1, 1, kernel, 2, bias=False)
    assume(mode == "replicate" or all(amount < zero or not amount for amount, zero in zip(copies, zeros, strict=True)))
    model = nn.Sequential(
        nn.ConstantPad1d(zeros, 0.0), {"replicate": nn.ReplicationPad1d, "reflect": nn.ReflectionPad1d}[mode](copies), layer
    )
    try:
        model(torch.ones(1, 1, 2))
    except RuntimeError:
        assume(False)
    assert live_taps(model, (2,)) == pytest.approx(share_of_live_taps(model, layer, (2,)))


def same(kernel: int, **options: object) -> nn.Conv2d:
    return nn.Conv2d(1, 1, kernel, padding="same", bias=False, **options)


@pytest.mark.parametrize(
    ("before", "layer", "size"),
    [
        pytest.param([], same(4), (2, 2), id="padding same, even kernel"),
        pytest.param([], same(3, dilation=3), (2, 3), id="padding same, dilated"),
        pytest.param([], same(3, padding_mode="replicate"), (1, 1), id="replicated border"),
        pytest.param([], same(3, padding_mode="reflect"), (2, 2), id="reflected border"),
        pytest.param([], same(3, padding_mode="circular"), (2, 2), id="circular border"),
        pytest.param([nn.ZeroPad2d(1), nn.ZeroPad2d((2, 0, 0, 3))], nn.Conv2d(1, 1, 5, bias=False), (1, 2), id="padded twice"),
    ],
)
def test_other_ways_of_padding(before, layer, size):
    model = nn.Sequential(*before, layer)
    assert live_taps(model, size) == pytest.approx(share_of_live_taps(model, layer, size))


@pytest.mark.parametrize(("size", "expected"), [((1, 1), 1 / 9), ((1, 2), 3 / 9), ((9, 1), 3 / 9), ((2, 2), 1), ((9, 9), 1)])
def test_a_three_by_three_kernel_on_small_maps(size, expected):
    assert live_taps(nn.Conv2d(1, 1, 3, padding=1), size) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pool", "size", "expected"),
    [
        (nn.MaxPool2d(3, 2, 1), (1, 1), 1 / 9),
        (nn.MaxPool2d(3, 2, 1), (2, 2), 4 / 9),
        (nn.AvgPool2d(2, 2, ceil_mode=True), (1, 3), 2 / 4),
        (nn.MaxPool2d((2, 3), 1, (0, 1), dilation=(1, 2)), (2, 3), 1 / 3),
        (nn.MaxPool2d(2), (4, 4), 1),
    ],
)
def test_poolings(pool, size, expected):
    (layer,) = analyze(pool, (1, 1, *size)).layers
    assert layer.live_taps == pytest.approx(expected)


def test_layers_without_a_window_have_none():
    layers = analyze(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)), (1, 4, 4)).layers
    assert [layer.live_taps for layer in layers] == [None, None]


def share_of_padding(model: nn.Module, layer: nn.Module, size: tuple[int, ...]) -> float:
    """Share of the reads of a convolution that find nothing in an image of ones."""
    found: list[torch.Tensor] = []
    with torch.no_grad():
        for weight in single_taps(layer.kernel_size):
            layer.weight.copy_(weight)
            found.append(model(torch.ones(1, 1, *size)) == 0)
    return torch.stack(found).double().mean().item()


def padding_of(model: nn.Module, size: tuple[int, ...]) -> float:
    graph = analyze(model, (1, 1, *size)).graph
    return padding_share(next(node for node in graph._node.values() if node["kind"] == "conv"))


@EXAMPLES
@given(st.data(), st.integers(1, 3))
def test_padding_share_of_a_convolution(data, axes):
    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return data.draw(st.tuples(*[st.integers(low, high)] * axes))

    size, kernel, stride, dilation, padding = per_axis(1, 6), per_axis(1, 4), per_axis(1, 3), per_axis(1, 3), per_axis(0, 5)
    layer = CONVS[False][axes - 1](1, 1, kernel, stride, padding, dilation=dilation, bias=False)
    try:
        layer(torch.ones(1, 1, *size))
    except RuntimeError:  # nothing comes out at this size
        assume(False)
    assert padding_of(layer, size) == pytest.approx(share_of_padding(layer, layer, size))


@EXAMPLES
@given(st.lists(st.integers(0, 4), min_size=4, max_size=4), st.integers(1, 4), st.integers(0, 2), st.integers(1, 3))
def test_padding_share_with_explicit_padding(margins, kernel, padding, stride):
    size = (3, 4)
    layer = nn.Conv2d(1, 1, kernel, stride, padding, bias=False)
    model = nn.Sequential(nn.ZeroPad2d(margins), layer)
    assume(min(3 + margins[2] + margins[3], 4 + margins[0] + margins[1]) + 2 * padding >= kernel)
    assert padding_of(model, size) == pytest.approx(share_of_padding(model, layer, size))


@pytest.mark.parametrize(
    ("layer", "size", "expected"),
    [
        (nn.Conv2d(1, 1, 3, padding=1), (1, 1), 8 / 9),
        (nn.Conv2d(1, 1, 3, padding=1), (2, 2), 20 / 36),
        (nn.Conv2d(1, 1, 3, padding=1), (4, 4), 1 - (10 / 12) ** 2),
        (nn.Conv2d(1, 1, 3), (3, 3), 0),
        (nn.Conv2d(1, 1, 3, padding="same", padding_mode="circular"), (3, 3), 0),
        (nn.ConvTranspose2d(1, 1, 3, 2, 1), (4, 4), 0),
    ],
)
def test_padding_share_of_known_layers(layer, size, expected):
    assert padding_of(layer, size) == pytest.approx(expected)
