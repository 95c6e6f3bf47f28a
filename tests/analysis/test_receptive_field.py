"""Receptive fields against path enumeration, textbook recurrence and gradients."""

import math
from itertools import pairwise

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from rfcheck import Analysis, Layer, analyze
from tests.random_networks import RandomModule, gradient_extents, random_modules

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
FEWER_EXAMPLES = settings(EXAMPLES, max_examples=40)  # gradients take time
EXACT = {"projection": "exact"}
AXES = (0, 1)


def analysed(module: RandomModule, **chosen: str) -> Analysis:
    return analyze(module, (2, 160, 160), settings=chosen)


def layers_with_nodes(module: RandomModule, analysis: Analysis) -> list[tuple[Layer, int]]:
    return [(analysis.layer(name), node) for name, node in module.network.layers().items()]


@FEWER_EXAMPLES
@given(random_modules(gates=True))
def test_r_max_is_the_extent_of_the_gradient(module):
    *_, (last, _) = layers_with_nodes(module, analysed(module))
    assert last.r_max == gradient_extents(module)


@FEWER_EXAMPLES
@given(random_modules(upsampling=True))
def test_r_max_behind_up_sampling_is_the_extent_of_the_gradient(module):
    *_, (last, _) = layers_with_nodes(module, analysed(module))
    assert last.r_max == gradient_extents(module)


@EXAMPLES
@given(random_modules(upsampling=True, gates=True))
def test_bounds_of_every_layer_equal_the_enumeration_of_paths(module):
    network = module.network
    for layer, node in layers_with_nodes(module, analysed(module, **EXACT)):
        assert layer.r_min == tuple(network.r_min(node, axis) for axis in AXES), layer.name
        assert layer.r_max == tuple(network.r_max(node, axis) for axis in AXES), layer.name


@EXAMPLES
@given(random_modules(gates=True))
def test_gates_count_on_demand(module):
    network = module.network
    for layer, node in layers_with_nodes(module, analysed(module, gates="count", **EXACT)):
        assert layer.r_min == tuple(network.r_min(node, axis, gates=True) for axis in AXES), layer.name
        assert layer.r_max == tuple(network.r_max(node, axis, gates=True) for axis in AXES), layer.name


@EXAMPLES
@given(random_modules(centred=True))
def test_bounds_equal_the_textbook_recurrence(module):
    network = module.network
    for layer, node in layers_with_nodes(module, analysed(module, **EXACT)):
        for axis in AXES:
            extents = [network.recurrence(path, axis) for path in network.paths(node)]
            assert (layer.r_min[axis], layer.r_max[axis]) == (min(extents), max(extents)), layer.name


@EXAMPLES
@given(random_modules())
def test_projections_count_as_the_down_sampling_that_they_stand_in_for(module):
    network = module.network
    limits = [[network.r_max(node, axis) for node in range(len(network.steps))] for axis in AXES]
    for layer, node in layers_with_nodes(module, analysed(module)):
        expected = tuple(min(network.recurrence(path, axis, limits[axis]) for path in network.paths(node)) for axis in AXES)
        assert layer.r_min == expected, layer.name
        assert layer.r_max == tuple(limits[axis][node] for axis in AXES), layer.name


@EXAMPLES
@given(random_modules(centred=True))
def test_a_path_is_real_and_attains_its_bound(module):
    network, analysis = module.network, analysed(module, **EXACT)
    for layer, _ in layers_with_nodes(module, analysis):
        for bound, extents, choose in (("min", layer.r_min, min), ("max", layer.r_max, max)):
            names = analysis.path(layer.name, bound)
            steps = tuple(network.layers()[name] for name in names)
            axis = extents.index(choose(extents))
            assert names[-1] == layer.name
            assert network.recurrence(steps, axis) == choose(extents)
            assert all(_follows_directly(analysis, *pair) for pair in pairwise(["input", *names]))


def _follows_directly(analysis: Analysis, one: str, two: str) -> bool:
    """Whether a path leads from one node to the other on which there is no further layer."""
    others = {layer.name for layer in analysis.layers} - {one, two}
    return nx.has_path(nx.restricted_view(analysis.graph, others, []), one, two)


class Meeting(nn.Module):
    """Two branches that meet, cropped to the smaller, and convolutions behind them."""

    def __init__(self, one: nn.Module, two: nn.Module, *convs: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList([one, two])
        self.convs = nn.Sequential(*convs)

    def forward(self, x):
        one, two = (branch(x) for branch in self.branches)
        size = min(one.shape[2], two.shape[2])
        return self.convs(one[..., :size, :size] + two[..., :size, :size])


def conv(kernel: int, stride: int = 1, **options: int) -> nn.Conv2d:
    return nn.Conv2d(1, 1, kernel, stride, **options)


# Behind four rows of units that are all one value, three taps see one or two values and five taps still see two: the branch that
# is smallest changes with every convolution. The second pair has different jumps.
UPSAMPLED = nn.Sequential(conv(4, 4), nn.Upsample(scale_factor=4))


@pytest.mark.parametrize(
    ("one", "two", "smallest", "through"),
    [
        pytest.param(UPSAMPLED, conv(5, padding=2), [7, 8, 11, 12], [1, 0, 1, 0], id="up-sampled"),
        pytest.param(conv(2, 2), conv(5, padding=2), [6, 9, 11, 13], [0, 1, 1, 1], id="different jumps"),
        pytest.param(conv(3, 4), conv(13, padding=6), [11, 17, 19, 21], [0, 1, 1, 1], id="different jumps, late"),
    ],
)
def test_the_path_that_is_smallest_may_change_later(one, two, smallest, through):
    analysis = analyze(Meeting(one, two, *(conv(3, padding=1) for _ in range(4))), (1, 64, 64), settings=EXACT)
    names = [f"convs.{i}" for i in range(4)]
    assert [analysis.layer(name).r_min for name in names] == [(r, r) for r in smallest]
    branch = [analysis.path(name, "min")[0] for name in names]
    assert [int(name.split(".")[1]) for name in branch] == through


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "expected"),
    [(1, 2, 1, 3), (1, 3, 1, 5), (2, 3, 1, 5), (2, 3, 2, 5), (2, 3, 3, 5), (3, 3, 1, 3), (3, 2, 1, 3)],
)
def test_kernel_that_a_projection_counts_with(kernel, stride, dilation, expected):
    model = Meeting(nn.Identity(), conv(21, padding=10), conv(kernel, stride, dilation=dilation))
    assert analyze(model, (1, 64, 64)).layer("convs.0").r_min == (expected, expected)


def test_a_projection_alone_counts_with_its_own_kernel():
    assert analyze(nn.Sequential(conv(1, 2), conv(3)), (1, 32, 32)).layer("1").r_min == (5, 5)


def test_a_strided_pooling_is_no_projection():
    model = Meeting(nn.Identity(), conv(21, padding=10), nn.AvgPool2d(1, 2))
    assert analyze(model, (1, 64, 64)).layer("convs.0").r_min == (1, 1)


def test_axes_are_kept_apart():
    analysis = analyze(nn.Sequential(nn.Conv2d(1, 1, (3, 5), (2, 1)), nn.Conv2d(1, 1, (3, 1), dilation=(2, 1))), (1, 40, 60))
    assert [layer.r_max for layer in analysis.layers] == [(3, 5), (11, 5)]
    assert [layer.jump for layer in analysis.layers] == [(2, 1), (2, 1)]


def test_a_global_path_beside_a_local_one():
    class Context(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.local, self.last = conv(3, padding=1), conv(1)

        def forward(self, x):
            return self.last(self.local(x) + x.mean((2, 3), keepdim=True))

    last = analyze(Context(), (1, 16, 16)).layer("last")
    assert (last.r_min, last.r_max) == ((3, 3), (math.inf, math.inf))


def test_three_thousand_convolutions():
    analysis = analyze(nn.Sequential(*(conv(3, padding=1) for _ in range(3000))), (1, 8, 8))
    assert analysis.layers[-1].r_max == analysis.layers[-1].r_min == (6001, 6001)
    assert analysis.path("2999", "min") == analysis.path("2999", "max") == [str(i) for i in range(3000)]


def test_five_hundred_residual_blocks():
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv(3, padding=1)

        def forward(self, x):
            return x + self.conv(x)

    analysis = analyze(nn.Sequential(*(Residual() for _ in range(500))), (1, 8, 8))
    last = analysis.layers[-1]
    assert (last.r_min, last.r_max) == ((3, 3), (1001, 1001))
    assert analysis.path(last.name, "min") == [last.name]
    assert analysis.path(last.name, "max") == [f"{i}.conv" for i in range(500)]


def test_units_that_read_nothing_along_one_axis_read_nothing():
    """Every second row is empty, and only these are read."""
    model = nn.Sequential(
        nn.ConvTranspose2d(1, 1, 1, (2, 1)), nn.Linear(8, 8), nn.Conv2d(1, 1, 1, (2, 1), (1, 0)), nn.Conv2d(1, 1, 3)
    )
    layers = analyze(model, (1, 8, 8)).layers
    assert [layer.r_max for layer in layers] == [(1, 1), (1, math.inf), (0, 0), (0, 0)]
    assert [layer.r_min for layer in layers] == [(1, 1), (1, math.inf), (0, 0), (0, 0)]


def test_a_path_that_covers_a_part_of_the_map_reads_no_more_than_all_paths():
    """Each half of the map comes by a path of its own; beyond its end a path goes on at its average rate, half a position a unit."""

    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.last = nn.ConvTranspose1d(1, 1, 2, 2, 1), nn.Conv1d(1, 1, 3, padding=1)

        def forward(self, x):
            return self.last(self.up(torch.cat([x[..., :12], x[..., 12:]], -1)))

    last = analyze(Halves(), (1, 24), settings=EXACT).layer("last")
    assert last.r_min == last.r_max == (2,)
