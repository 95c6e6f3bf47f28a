from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from rfcheck.fixes.arithmetic import Window
from rfcheck.fixes.points import DownsamplingPoint, as_small_stem, downsampling_points, is_strided, without_stride
from tests.fixes.networks import ResNet, Size, conv


def points_of(model: nn.Module, size: Size = 32) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    network = analyze(model, size).network
    return [(point.nodes, point.stride) for point in downsampling_points(network.graph, network.roles)]


class Net(nn.Module):
    """Modules, and a function that puts them together."""

    def __init__(self, forward, **parts: nn.Module) -> None:
        super().__init__()
        self.forward_of = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.forward_of(self, x)


def test_a_residual_network():
    assert points_of(ResNet()) == [
        (("conv",), (2, 2)),
        (("pool",), (2, 2)),
        (("layer2.0.conv1", "layer2.0.shortcut"), (2, 2)),
    ]


def down(inputs: int = 3, kernel: int = 3, stride: int = 2) -> nn.Conv2d:
    return conv(inputs, 3, kernel, stride)


BRANCHES = {
    "branches that are concatenated, as in Inception": (
        Net(
            lambda n, x: torch.cat([n.a(x), n.b(n.c(x)), n.pool(x)], 1),
            a=down(),
            b=down(),
            c=conv(3, 3),
            pool=nn.MaxPool2d(3, 2, 1),
        ),
        [(("a", "b", "pool"), (2, 2))],
    ),
    "two steps beside one": (
        Net(lambda n, x: n.b(n.a(x)) + n.c(x), a=down(), b=down(), c=down(stride=4)),
        [(("a", "b", "c"), (4, 4))],
    ),
    "a shared beginning": (
        Net(lambda n, x: (lambda y: n.b(y) + n.c(y))(n.a(x)), a=down(), b=down(), c=down()),
        [(("a",), (2, 2)), (("b", "c"), (2, 2))],
    ),
    "branches within a branch": (
        Net(lambda n, x: n.b(x) + n.c(x) + n.d(n.e(x)), b=down(), c=down(), d=conv(3, 3), e=down()),
        [(("b", "c", "e"), (2, 2))],
    ),
    "one behind the other": (
        Net(lambda n, x: (lambda y: n.c(y) + n.d(y))(n.a(x) + n.b(x)), a=down(), b=down(), c=down(), d=down(kernel=1)),
        [(("a", "b"), (2, 2)), (("c", "d"), (2, 2))],
    ),
    "a branch that never joins": (
        Net(lambda n, x: (n.a(x), n.b(x)), a=down(), b=down()),
        [(("a",), (2, 2)), (("b",), (2, 2))],
    ),
    "a gate's weights": (
        Net(
            lambda n, x: n.e(n.d(n.c(x * torch.sigmoid(F.interpolate(n.b(n.a(x)), x.shape[2:]))))),
            **{name: down() for name in "abc"},
            d=conv(3, 3),
            e=conv(3, 3),
        ),
        [(("c",), (2, 2))],
    ),
    "one axis only": (Net(lambda n, x: n.a(x), a=nn.Conv2d(3, 4, 3, (1, 2))), [(("a",), (1, 2))]),
    "functions": (Net(lambda n, x: F.max_pool2d(n.a(x), 2), a=conv(3, 3)), [(("max_pool2d",), (2, 2))]),
    "twice": (Net(lambda n, x: n.a(n.a(x)), a=down()), [(("a",), (2, 2)), (("a:2",), (2, 2))]),
    "nothing that lowers the resolution": (Net(lambda n, x: n.b(n.a(x)), a=conv(3, 3), b=nn.ConvTranspose2d(3, 3, 2, 2)), []),
}


@pytest.mark.parametrize("case", BRANCHES)
def test_what_lies_side_by_side_is_one_point(case):
    model, expected = BRANCHES[case]
    assert points_of(model) == expected


@pytest.mark.parametrize(
    ("layer", "strided"),
    [
        (down(), True),
        (conv(3, 3), False),
        (nn.AvgPool2d(2), True),
        (nn.MaxPool2d(3, 1, 1), False),
        (nn.Conv2d(3, 3, 1, (1, 2)), True),
        (nn.ConvTranspose2d(3, 3, 2, 2), False),
        (nn.AdaptiveAvgPool2d(4), False),
        (nn.ReLU(), False),
    ],
)
def test_which_operators_lower_the_resolution(layer, strided):
    assert is_strided(analyze(nn.Sequential(layer), 8).graph.nodes["0"]) is strided


def windows(change, model: nn.Module, *names: str) -> dict[str, Window | None]:
    return change(analyze(model, 32).graph, DownsamplingPoint(names, (2, 2)))


def test_a_pooling_goes_and_a_convolution_keeps_its_kernel():
    model = ResNet(kernel=7)
    assert windows(without_stride, model, "pool") == {"pool": None}
    assert windows(without_stride, model, "layer2.0.conv1", "layer2.0.shortcut") == {
        "layer2.0.conv1": Window((3, 3), (1, 1), (1, 1)),
        "layer2.0.shortcut": Window((1, 1), (1, 1), (0, 0)),
    }
    assert windows(without_stride, model, "conv") == {"conv": Window((7, 7), (1, 1), (3, 3))}


def test_beside_a_convolution_that_shrinks_the_map_a_pooling_stays():
    model = Net(lambda n, x: torch.cat([n.a(x), n.b(x)], 1), a=nn.Conv2d(3, 3, 3, 2), b=nn.MaxPool2d(3, 2))
    assert windows(without_stride, model, "a", "b") == {
        "a": Window((3, 3), (1, 1), (0, 0)),
        "b": Window((3, 3), (1, 1), (0, 0)),
    }
    model = Net(lambda n, x: torch.cat([n.a(x), n.b(x)], 1), a=nn.Conv2d(3, 3, 3, 2, 2, 2), b=nn.MaxPool2d(3, 2, 1))
    assert windows(without_stride, model, "a", "b")["b"] is None


@pytest.mark.parametrize(
    ("layer", "window"),
    [
        (nn.Conv2d(3, 4, 7, 2, 3), Window((3, 3), (1, 1), (1, 1))),
        (nn.Conv2d(3, 4, (7, 2), 2), Window((3, 2), (1, 1), (1, 0))),
        (nn.Conv2d(3, 4, 3, 2, 2), Window((3, 3), (1, 1), (2, 2))),
        (nn.Conv2d(3, 4, 4, 4), Window((3, 3), (1, 1), (1, 1))),
        (nn.MaxPool2d(5, 2, 2), None),
    ],
)
def test_the_stem_for_small_images(layer, window):
    assert windows(as_small_stem, nn.Sequential(layer), "0") == {"0": window}
