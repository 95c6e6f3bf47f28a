"""Changed graphs, node by node against the trace of the model that was really changed."""

from __future__ import annotations

import copy
import itertools

import networkx as nx
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from rfcheck.analysis.cost import total_cost
from rfcheck.config import Settings
from rfcheck.fixes.arithmetic import NotFollowedError, Window, add_head, changed_graph, out_extent, prefix_graph
from rfcheck.fixes.outcome import outcome_of_graph
from tests.fixes.networks import ResNet, conv, graph_of
from tests.predictions import outcome

NAMING = ("module", "module_type", "from_torch", "param_names")
UNITS = {"stride": (1, 1), "padding": (1, 1), "kernel": (3, 3)}


def window(**changes) -> Window:
    return Window(**{**UNITS, **changes})


def content(graph: nx.DiGraph, *, without: tuple[str, ...] = ()) -> list[tuple[dict, list[tuple[int, dict]]]]:
    """What a graph says, but for the names: per node its attributes, and from which positions it reads, and how."""
    position = {name: i for i, name in enumerate(graph)}
    return [
        (
            {key: value for key, value in node.items() if key not in without},
            sorted((position[s], edge) for s, edge in graph.pred[name].items()),
        )
        for name, node in graph.nodes.items()
    ]


def assert_same(found: nx.DiGraph, really: nx.DiGraph, *, without: tuple[str, ...] = ("params",)) -> None:
    """Compare two graphs; ``params`` of single nodes are not followed, the sizes of all parameters are."""
    for mine, theirs in zip(content(found, without=without), content(really, without=without), strict=True):
        assert mine == theirs
    assert total_cost(found) == total_cost(really)
    order = list(found), list(really)
    assert [order[0].index(name) for name in found.graph["outputs"]] == [order[1].index(name) for name in really.graph["outputs"]]


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_extents_are_those_of_torchs_pooling(ceil_mode):
    for kernel, stride, dilation, padding, size in itertools.product((1, 2, 3, 4), (1, 2, 3), (1, 2, 3), (0, 1, 2), range(1, 10)):
        if 2 * padding > kernel:
            continue
        found = out_extent(size, kernel, stride, dilation, padding, ceil_mode=ceil_mode)
        try:
            pooled = F.max_pool1d(torch.zeros(1, size), kernel, stride, padding, dilation, ceil_mode=ceil_mode).shape[-1]
        except RuntimeError:
            pooled = 0
        assert max(found, 0) == pooled, (size, kernel, stride, dilation, padding)


def test_extents_are_those_of_torchs_convolution():
    for kernel, stride, dilation, padding, size in itertools.product((1, 2, 3, 5), (1, 2, 3), (1, 2), (0, 1, 4), range(1, 8)):
        if size + 2 * padding > dilation * (kernel - 1):
            expected = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), None, stride, padding, dilation).shape[-1]
            assert out_extent(size, kernel, stride, dilation, padding) == expected


RESTRIDED = {
    "kernel of the stem": ({"conv": window()}, (1, 2, 2), 3),
    "stem and pooling": ({"conv": window(), "pool": None}, (1, 1, 2), 3),
    "stride only": ({"conv": window(kernel=(5, 5), padding=(2, 2))}, (1, 2, 2), 5),
    "a block, with its projection": (
        {"layer2.0.conv1": window(), "layer2.0.shortcut": window(kernel=(1, 1), padding=(0, 0))},
        (2, 2, 1),
        5,
    ),
}


@pytest.mark.parametrize("size", [16, (19, 30)])
@pytest.mark.parametrize("case", RESTRIDED)
def test_residual_network(case, size):
    windows, strides, kernel = RESTRIDED[case]
    graph = graph_of(ResNet(), size)
    before = copy.deepcopy(graph)
    assert_same(changed_graph(graph, windows), graph_of(ResNet(strides=strides, kernel=kernel), size))
    assert nx.utils.graphs_equal(graph, before)
    assert graph.graph == before.graph


class Net(nn.Module):
    """A strided layer and what is done behind it."""

    def __init__(self, first: nn.Module, behind, **parts: nn.Module) -> None:
        super().__init__()
        self.first, self.behind = first, behind
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.behind(self, self.first(x))


def strided(stride: int = 2) -> nn.Conv2d:
    return conv(3, 4, 3, stride)


def with_all_sorts(net: Net, x):
    x = F.gelu(net.norm(x))
    x = torch.cat([x, net.conv(x), x.relu()], 1)
    x = x * torch.sigmoid(net.weights(F.adaptive_avg_pool2d(x, 1)))
    return net.fc(F.dropout(net.pool(x), training=net.training).mean((2, 3)))


def all_sorts(stride: int, ceil_mode: bool) -> Net:
    pool = nn.AvgPool2d(3, 2, 1, ceil_mode=ceil_mode)
    parts = {"norm": nn.BatchNorm2d(4), "conv": conv(4, 4), "weights": conv(12, 12, 1), "pool": pool, "fc": nn.Linear(12, 2)}
    return Net(strided(stride), with_all_sorts, **parts)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("size", [9, 10, 11, 12])
def test_joins_gates_concatenations_and_poolings_behind_a_change(ceil_mode, size):
    assert_same(
        changed_graph(graph_of(all_sorts(2, ceil_mode), size), {"first": window()}), graph_of(all_sorts(1, ceil_mode), size)
    )


def test_adaptive_pooling_keeps_its_size_and_reads_more():
    def build(stride: int) -> Net:
        return Net(strided(stride), lambda net, x: net.conv(net.pool(x)), pool=nn.AdaptiveAvgPool2d(3), conv=conv(4, 4))

    assert_same(changed_graph(graph_of(build(2), 12), {"first": window()}), graph_of(build(1), 12))


@pytest.mark.parametrize(("convolution", "pool"), [(nn.Conv1d, nn.Tanh()), (nn.Conv3d, nn.MaxPool3d(2))])
def test_one_and_three_axes(convolution, pool):
    def build(stride: int, between: nn.Module) -> nn.Sequential:
        return nn.Sequential(convolution(2, 4, 3, stride, 1), nn.ReLU(), between, convolution(4, 4, 3, groups=2, padding=1))

    axes = 1 if convolution is nn.Conv1d else 3
    shape = (1, 2, *range(12, 12 + axes))
    windows = {"0": Window((3,) * axes, (1,) * axes, (1,) * axes), **({"2": None} if axes == 3 else {})}
    assert_same(
        changed_graph(graph_of(build(2, pool), shape), windows), graph_of(build(1, nn.Identity() if axes == 3 else pool), shape)
    )


def test_a_pooling_put_behind_a_node():
    before = nn.Sequential(strided(2), nn.ReLU(), conv(4, 4), nn.ReLU())
    really = nn.Sequential(strided(1), nn.ReLU(), conv(4, 4), nn.ReLU(), nn.MaxPool2d(2))
    found = changed_graph(graph_of(before, 9), {"0": window()}, {"3": (2, 2)})
    assert_same(found, graph_of(really, 9), without=(*NAMING, "params", "groups", "in_channels", "out_channels", "ceil_mode"))
    assert list(found)[-1] == "3/downsample"
    half = changed_graph(graph_of(before, 9), {"0": window()}, {"3": (2, 2)}, itemsize=2)
    assert found.nodes["3/downsample"]["bytes"] == 2 * half.nodes["3/downsample"]["bytes"] == 4 * 4 * 4 * 4


def test_a_pooling_in_the_middle_moves_what_is_behind_it():
    before = nn.Sequential(strided(2), nn.ReLU(), conv(4, 4), conv(4, 4))
    really = nn.Sequential(strided(1), nn.ReLU(), conv(4, 4), nn.MaxPool2d((2, 1)), conv(4, 4))
    found = changed_graph(graph_of(before, 9), {"0": window()}, {"2": (2, 1)})
    assert outcome_of_graph(found, Settings()) == outcome(really, 9)


REFUSED = {
    "pooling called as a function": (
        Net(strided(), lambda net, x: F.avg_pool2d(net.conv(x), 2), conv=conv(4, 4)),
        "avg_pool2d (aten::avg_pool2d) is called as a function, which may look at the size",
    ),
    "transposed": (
        Net(strided(), lambda net, x: net.up(x), up=nn.ConvTranspose2d(4, 4, 2, 2)),
        "up (aten::convolution) is called as a function, which may look at the size",
    ),
    "resampling": (
        Net(strided(), lambda net, x: F.interpolate(x, (8, 8))),
        "upsample_nearest2d (aten::upsample_nearest2d) may act differently at another size",
    ),
    "flattening": (Net(strided(), lambda net, x: x.flatten(1)), "view (aten::view) may act differently at another size"),
    "layer norm": (
        Net(strided(), lambda net, x: net.norm(x), norm=nn.LayerNorm((4, 4, 4))),
        "norm (aten::native_layer_norm) may act differently at another size",
    ),
    "kernel larger than its map": (
        Net(strided(1), lambda net, x: net.conv(x), conv=nn.Conv2d(4, 4, 7)),
        "conv: the kernel is larger than its map",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    model, reason = REFUSED[case]
    change = window() if "larger" not in case else window(stride=(2, 2))
    with pytest.raises(NotFollowedError) as refused:
        changed_graph(graph_of(model, 8), {"first": change})
    assert str(refused.value) == reason


class TwoBranches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = strided(), strided()

    def forward(self, x):
        return self.left(x) * self.right(x)


def test_branches_that_no_longer_meet():
    graph = graph_of(TwoBranches(), 8)
    with pytest.raises(NotFollowedError, match=r"^mul meets maps of different sizes: \[\(4, 4\), \(8, 8\)\]$"):
        changed_graph(graph, {"left": window()})


def test_a_map_that_is_spread_over_another():
    model = Net(strided(), lambda net, x: x + net.row(x), row=nn.Conv2d(4, 4, (1, 4)))
    with pytest.raises(NotFollowedError, match="^add spreads a map over another$"):
        changed_graph(graph_of(model, 8), {"first": window()})


def test_a_pooling_larger_than_its_map():
    with pytest.raises(NotFollowedError, match="^a pooling behind 0 is larger than its map$"):
        changed_graph(graph_of(nn.Sequential(strided()), 8), {}, {"0": (5, 5)})


def test_reads_alone_are_enough_for_receptive_fields():
    model = Net(strided(), lambda net, x: F.interpolate(net.conv(x), scale_factor=2), conv=conv(4, 4))
    graph = graph_of(model, 8)
    found = changed_graph(graph, {"first": window()}, follow_sizes=False)
    assert found.nodes["conv"]["sizes"] == (4, 4)
    really = analyze(Net(strided(1), model.behind, conv=conv(4, 4)), 8)
    after = outcome_of_graph(found, Settings())
    assert (after.r_max, after.unproductive_layers) == ((5, 5), 0)
    assert after.r_max == really.network.last_map.r_max


@pytest.mark.parametrize("kept", [1, 3, 4])
def test_prefixes_are_the_graphs_of_shorter_models(kept):
    layers = [strided(), nn.ReLU(), conv(4, 4), nn.MaxPool2d(2), conv(4, 4)]
    found = prefix_graph(graph_of(nn.Sequential(*layers), 9), str(kept - 1))
    really = graph_of(nn.Sequential(*layers[:kept]), 9)
    assert dict(found.nodes) == dict(really.nodes)
    assert dict(found.adj) == dict(really.adj)
    assert found.graph["outputs"] == [str(kept - 1)]


def test_a_head_is_one_node_that_sees_everything():
    graph = prefix_graph(graph_of(nn.Sequential(strided(), nn.ReLU(), conv(4, 4)), 9), "1")
    alone = total_cost(graph)
    add_head(graph, "1", classes=10, flops=40, allocated=56)
    assert list(graph) == ["input", "0", "1", "new head"]
    assert graph.nodes["new head"]["shape"] == (1, 10)
    assert total_cost(graph).flops == alone.flops + 40
    assert total_cost(graph).activation_bytes == alone.activation_bytes + 56
    after = outcome_of_graph(graph, Settings())
    assert (after.productive_layers, after.r_max) == (1, (3, 3))
