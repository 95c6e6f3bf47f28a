"""Live taps of a convolution whose map was padded before, against the gradient of its weights on an image of ones."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from tests.oracle import Apply


def live(model: nn.Module, layer: nn.Conv1d, shape: tuple[int, ...]) -> float:
    """Share of taps whose weight matters anywhere."""
    nn.init.ones_(layer.weight)
    (gradient,) = torch.autograd.grad(model(torch.ones(shape)).sum(), layer.weight)
    return float((gradient.abs().sum((0, 1)) > 0).double().mean())


def shifted_norm() -> nn.Module:
    norm = nn.BatchNorm1d(1).eval()
    nn.init.ones_(norm.bias)
    return norm


STAYS = {
    "activation": lambda x: F.pad(x, (2, 2)).relu(),
    "multiple": lambda x: F.pad(x, (2, 2)) * 3,
    "cropped on": lambda x: F.pad(F.pad(x, (3, 2)), (-1, 0)),
    "cropped into": lambda x: F.pad(F.pad(x, (1, 2)), (-2, 0)),
    "cropped to nothing": lambda x: F.pad(F.pad(x, (-1, 0)), (2, 1)),
    "copies of nothing": lambda x: F.pad(F.pad(F.pad(x, (-1, 0)), (2, 1)), (2, 2), mode="replicate"),
    "reflections of nothing": lambda x: F.pad(F.pad(F.pad(x, (-1, 0)), (3, 1)), (2, 2), mode="reflect"),
    "sliced": lambda x: F.pad(x, (3, 2))[..., 1:-1],
    "every second": lambda x: F.pad(x, (3, 3))[..., ::2],
    "mirrored": lambda x: F.pad(x, (3, 0)).flip(-1),
    "up-sampled": lambda x: F.interpolate(F.pad(x, (1, 0)), scale_factor=3.0),
    "interpolated": lambda x: F.interpolate(F.pad(x, (2, 1)), scale_factor=2.0, mode="linear"),
    "weighed": lambda x: F.pad(x, (2, 2)) * (F.pad(x, (2, 2)) + 1).sigmoid(),
    "weighing": lambda x: F.pad(x, (2, 0)) * F.pad(x, (0, 2)),
    "sum of padded maps": lambda x: F.pad(x, (2, 2)) + F.pad(x, (3, 1)),
}
GOES = {
    "sigmoid": lambda x: F.pad(x, (2, 2)).sigmoid(),
    "constant added": lambda x: F.pad(x, (2, 2)) + 1,
    "map added": lambda x: F.pad(x, (2, 2)) + F.interpolate(x, 4 + x.shape[-1]),
    "norm with a bias": lambda x: NORM(F.pad(x, (2, 2))),
    "pooled": lambda x: F.avg_pool1d(F.pad(x, (2, 2)), 5, 1),
}
NORM = shifted_norm()


@pytest.mark.parametrize("before", [pytest.param(before, id=name) for name, before in (STAYS | GOES).items()])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_taps_read_no_padding_however_it_came_there(before, size):
    shape = (1, 1, size)
    layer = nn.Conv1d(1, 1, 5, padding=2, bias=False)
    model = nn.Sequential(Apply(before), layer)
    assert analyze(model, shape).layer("1").live_taps == pytest.approx(live(model, layer, shape))


def test_beside_each_other_some_input_is_real():
    layer = nn.Conv1d(2, 1, 5, padding=2, bias=False)
    model = nn.Sequential(Apply(lambda x: torch.cat([F.pad(x, (2, 2)), F.pad(x, (1, 3))], 1)), layer)
    assert analyze(model, (1, 1, 1)).layer("1").live_taps == pytest.approx(live(model, layer, (1, 1, 1)))


@pytest.mark.parametrize("size", [4, 8])
def test_windows_that_a_layer_slides_within_keep_no_margin_of_the_map(size):
    """The taps within windows of 4 all read something real: the padding of the map is not that of each window."""
    layer = nn.Conv1d(1, 1, 3, padding=1, bias=False)
    model = nn.Sequential(Apply(lambda x: F.pad(x, (3, 1)).view(-1, 1, 4)), layer)
    assert analyze(model, (1, 1, size)).layer("1").live_taps == pytest.approx(live(model, layer, (1, 1, size)))
