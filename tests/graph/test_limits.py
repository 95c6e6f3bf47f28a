"""Limits of what the image decides, held against the values of many images."""

import pytest
import torch
import torch.nn.functional as F

from rfcheck.graph.calls import Call
from rfcheck.graph.gathering import Gathering
from rfcheck.graph.limits import Limits, limits_of
from rfcheck.graph.trace import trace
from tests.oracle import Apply

SHAPE = (1, 2, 6, 5)
RAMP = torch.arange(2.0).view(1, 2, 1, 1)


def limits(function) -> Limits | None:
    """The limits of what a function makes of an image."""
    recorded = trace(Apply(lambda x: function(x).exp()), SHAPE)
    builder = Gathering(recorded, (2, 3))
    for record in recorded.recording.records:
        builder.gather(record)
    last = recorded.recording.records[-1]
    return limits_of(Call(last, builder.layouts, builder.weights, builder.axes, builder.makers), last.args[0])


BOUNDED = {
    "tanh": torch.tanh,
    "sigmoid": lambda x: 3 * x.sigmoid() - 1,
    "clamp": lambda x: x.clamp(-0.5, 2) / 4,
    "clamp on one side": lambda x: x.tanh().clamp(min=-0.25),
    "hardtanh": lambda x: 1 - F.hardtanh(x, -2, 3),
    "negative": lambda x: -(x.sin() + 2),
    "sum of two": lambda x: x.tanh() - 0.5 * x.sigmoid(),
    "product of two": lambda x: x.tanh() * x.sin(),
    "by a ramp": lambda x: x.tanh() * RAMP.to(x) + RAMP.to(x),
    "moved": lambda x: (x.tanh() + RAMP.to(x)).permute(0, 2, 3, 1),
    "parts": lambda x: torch.cat((x.tanh() + RAMP.to(x)).chunk(2, 1)[::-1], 1),
    "softmax": lambda x: x.softmax(1),
    "in place": lambda x: (2 * x).tanh_().mul_(5),
}


@pytest.mark.parametrize("function", BOUNDED.values(), ids=BOUNDED)
def test_no_image_goes_beyond_the_limits_and_some_come_near(function):
    low, high = limits(function)
    generator = torch.Generator().manual_seed(0)
    images = [9 * torch.randn(SHAPE, generator=generator, dtype=torch.float64) for _ in range(300)]
    values = torch.stack([function(image) for image in images])
    assert bool((values >= low - 1e-9).all())
    assert bool((values <= high + 1e-9).all())
    assert float((high - low).max()) < 2.5 * float((values.amax(0) - values.amin(0)).max()) + 1e-9


@pytest.mark.parametrize(
    "function", [torch.relu, lambda x: x / x.tanh(), lambda x: x.clamp(min=0), lambda x: x.tanh() * x], ids=range(4)
)
def test_what_nothing_bounds_has_no_limits(function):
    assert limits(function) is None
