"""Where a network can be cut, against the enumeration of all paths."""

from __future__ import annotations

import networkx as nx
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from torch import nn

from rfcheck.fixes.places import Place, functions_behind, place_after, place_before, places
from tests.fixes.networks import ResNet, Size, chain, conv, subject_of
from tests.random_networks import RandomModule, random_modules

EXAMPLES = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def on_every_path(graph: nx.DiGraph) -> set[str]:
    """The nodes that all paths from the image to an output have in common."""
    paths = [set(path) for end in graph.graph["outputs"] for path in nx.all_simple_paths(graph, "input", end)]
    return set.intersection(*paths)


def modules_of(model: nn.Module, size: Size = 16) -> list[str]:
    return [place.module for place in places(subject_of(model, size))]


@EXAMPLES
@given(random_modules(upsampling=True, gates=True))
def test_one_tensor_carries_everything(module: RandomModule):
    subject = subject_of(module, (1, 2, 48, 48))
    common = on_every_path(subject.graph)
    called_as_modules = [name for name, node in subject.graph.nodes.items() if node["module"]]
    last_call = {subject.graph.nodes[name]["module"]: name for name in called_as_modules}
    expected = [n for n in called_as_modules if n in common and n not in subject.graph.graph["outputs"] and n in last_call.values()]
    expected = [name for name in expected if subject.network.roles[name] == "features"]
    assert [place.node for place in places(subject)] == expected


def test_a_residual_network():
    found = places(subject_of(ResNet(), 16))
    order = list(subject_of(ResNet(), 16).graph)
    assert found == [
        Place("conv", "conv", order.index("conv"), 4),
        Place("relu", "relu", order.index("relu"), 4),
        Place("pool", "pool", order.index("pool"), 4),
        Place("layer1.0.relu:2", "layer1", order.index("layer1.0.relu:2"), 4),
        Place("layer2.0.relu:2", "layer2.0", order.index("layer2.0.relu:2"), 8),
        Place("layer2.1.relu:2", "layer2", order.index("layer2.1.relu:2"), 8),
    ]


class Double(nn.Module):
    """Two convolutions in a row, that no shortcut goes around."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first, self.second = conv(channels, channels), conv(channels, channels)

    def forward(self, x):
        return self.second(self.first(x))


def test_none_lies_inside_a_block():
    assert modules_of(nn.Sequential(Double(), Double(), nn.ReLU())) == ["0", "1"]
    assert modules_of(nn.Sequential(Double(), nn.ReLU())) == ["0.first", "0"]


def test_none_lies_in_the_head_or_behind_it():
    assert modules_of(chain(2), 8) == ["0.0", "0"]
    tokens = nn.Sequential(conv(3, 4), nn.Flatten(2), nn.Linear(64, 4))
    assert modules_of(tokens, 8) == ["0"]


class Outputs(nn.Module):
    """Returns a map in the middle beside the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = conv(3, 4), conv(4, 4), conv(4, 4)

    def forward(self, x):
        middle = self.two(self.one(x))
        return middle, self.three(middle)


def test_none_lies_behind_the_first_output():
    assert modules_of(Outputs()) == ["one"]


class Twice(nn.Module):
    """The same modules one after the other, and functions behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.last = conv(3, 3), nn.ReLU(), conv(3, 3)

    def forward(self, x):
        x = self.relu(self.first(x))
        x = F.relu6(torch.tanh(self.relu(self.first(x))))
        return self.last(x)


def test_a_module_called_twice_ends_with_its_last_call():
    subject = subject_of(Twice(), 8)
    assert [(place.node, place.module) for place in places(subject)] == [("first:2", "first"), ("relu:2", "relu")]


def test_functions_behind_a_place():
    first, relu = places(subject := subject_of(Twice(), 8))
    assert functions_behind(subject, first) == 0
    assert functions_behind(subject, relu) == 2


class Ends(nn.Module):
    """A convolution with everything that follows it, as modules or as functions."""

    def __init__(self, behind) -> None:
        super().__init__()
        self.first, self.norm, self.relu, self.last = conv(3, 3), nn.BatchNorm2d(3), nn.ReLU(), conv(3, 3)
        self.behind = behind

    def forward(self, x):
        return self.last(self.behind(self, self.first(x))).mean((2, 3))


@pytest.mark.parametrize(
    ("behind", "end"),
    [
        (lambda net, x: net.relu(net.norm(x)), "relu"),
        (lambda net, x: F.dropout(net.norm(x)), "norm"),
        (lambda net, x: net.relu(F.max_pool2d(x, 2)), "first"),
        (lambda net, x: x + net.relu(x), "first"),
    ],
)
def test_a_layer_ends_with_the_norms_and_activations_that_follow(behind, end):
    place = place_after(subject_of(Ends(behind), 8), "first")
    assert place is not None
    assert place.module == end


@pytest.mark.parametrize(
    ("layer", "before", "after"),
    [
        ("conv", None, "relu"),
        ("layer1.0.conv1", "pool", "layer1"),
        ("layer1.0.conv2", "pool", "layer1"),
        ("layer2.0.shortcut", "layer1", "layer2.0"),
        ("layer2.1.conv2", "layer2.0", "layer2"),
        ("fc", "layer2", None),
    ],
)
def test_places_around_a_layer(layer, before, after):
    subject = subject_of(ResNet(), 16)
    for place, module in ((place_before(subject, layer), before), (place_after(subject, layer), after)):
        assert (place and place.module) == module
