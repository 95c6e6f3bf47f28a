"""What wraps round is named once, and windows that are shifted and shifted back are not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import analyze
from tests.graph.cases import WRAPPING
from tests.graph.test_mixing import attention, over_shifted_windows
from tests.oracle import Apply


def circular(axes: int = 2, **options) -> nn.Module:
    return (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1](2, 2, 3, padding=1, padding_mode="circular", **options)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_circular_padding_is_named_once(axes):
    analysis = analyze(nn.Sequential(circular(axes)), (2, *[8] * axes))
    assert analysis.assumptions == (f"0: circular padding: {WRAPPING}",)
    assert analysis.layers[0].r_max == (3,) * axes
    assert not [finding for finding in analysis.findings if finding.code == "RF901"]


def test_so_are_all_of_them_together():
    model = nn.Sequential(circular(), nn.CircularPad2d(1), nn.Conv2d(2, 2, 3), circular())
    assert analyze(model, (2, 8, 8)).assumptions == (f"0: circular padding: {WRAPPING}, here and in 2 more of its modules",)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, a, b: b(torch.roll(a(x), 1, 2)),
        lambda x, a, b: b(torch.roll(a(x), (1, -2), (2, 3))) + x,
        lambda x, a, b: torch.roll(torch.roll(a(x), 1, 2), -1, 3),
        lambda x, a, b: b(torch.cat([torch.roll(a(x), by, 2) for by in (-1, 0, 1)], 1)[:, :2]),
    ],
)
def test_a_roll_that_stays_is_named(function):
    model = Apply(function, nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1))
    assert analyze(model, (2, 8, 8)).assumptions == (f"roll: roll: {WRAPPING}",)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, a, b: over_shifted_windows(attention, 4)(a(x)),
        lambda x, a, b: over_shifted_windows(attention, 4)(over_shifted_windows(attention, 4)(a(x))),
        lambda x, a, b: torch.roll(b(torch.roll(a(x), (2, 2), (2, 3))), (-2, -2), (2, 3)),
        lambda x, a, b: torch.roll(a(x), 1, 1),
        lambda x, a, b: torch.roll(a(x), 0, 2),
        lambda x, a, b: a(x),
    ],
)
def test_windows_that_are_shifted_back_and_rolled_channels_need_no_word(function):
    model = Apply(function, nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1))
    assert analyze(model, (2, 16, 16)).assumptions == ()
