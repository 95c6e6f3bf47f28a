from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from rfcheck.report.merging import is_within, merge_pointwise, with_parents
from tests.report.block_networks import Block, Net, facts_of
from tests.zoo import torchvision_model


def boxes(model: nn.Module, size=64) -> list[tuple[str, ...]]:
    return merge_pointwise(facts_of(model, size))


def test_normalisation_and_activation_join_their_layer():
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 3, 3))
    assert boxes(model) == [("input",), ("0", "1", "2"), ("3",), ("4",)]


def test_nothing_joins_the_image():
    assert boxes(nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 3))) == [("input",), ("0",), ("1",)]


def test_what_is_read_twice_is_not_joined():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            x = self.conv(x)
            return x.relu() + x.tanh()

    assert boxes(Twice()) == [("input",), ("conv",), ("relu",), ("tanh",), ("add",)]


def test_what_a_pooling_along_one_axis_leaves_over_is_in_its_box():
    model = nn.Sequential(nn.Conv1d(3, 3, 3), nn.MaxPool1d(2), nn.Conv1d(3, 3, 3))
    facts = facts_of(model, (3, 64))
    assert {"1/squeeze", "1/squeeze:2"} <= set(facts.nodes)
    assert merge_pointwise(facts) == [("input",), ("0",), ("1/unsqueeze",), ("1", "1/squeeze", "1/squeeze:2"), ("2",)]


@pytest.mark.parametrize("in_modules", [True, False])
def test_what_a_write_in_place_leaves_over_is_in_the_box_of_its_layer(in_modules):
    """Instance normalisation is a view of what it computes, so that an activation in place writes to another tensor, too."""

    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList([nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)])

        def forward(self, x):
            for conv in self.convs:
                x = functional.leaky_relu_(functional.instance_norm(conv(x)), 0.01)
            return x

    def layer():
        return nn.Conv2d(3, 3, 3), nn.InstanceNorm2d(3, affine=True), nn.LeakyReLU(0.01, inplace=True)

    facts = facts_of(nn.Sequential(*layer(), *layer()) if in_modules else Functional())
    assert [node for node in facts if not facts.succ[node] and node not in facts.graph["outputs"]] != []
    found = merge_pointwise(facts)
    if in_modules:
        assert [len(box) for box in found] == [1, 6, 6]
    else:  # which do not belong to one convolution more than to the other
        assert [len(box) for box in found] == [1, 1, 5, 1, 5]


def test_what_is_left_over_of_a_write_to_a_part_is_in_the_box_of_what_was_written():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(2, 3, 3)

        def forward(self, x):
            return self.b(self.a(x).narrow(1, 0, 2).relu_())

    assert boxes(Part()) == [("input",), ("a", "slice", "relu", "scatter"), ("b",)]


def test_what_the_model_returns_is_not_left_over():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 3, 3)

        def forward(self, x):
            x = self.a(x)
            return x.sigmoid(), self.b(x)

    assert boxes(Two()) == [("input",), ("a",), ("sigmoid",), ("b",)]


def test_what_sees_more_is_not_joined():
    class Sums(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            return torch.cumsum(self.conv(x), dim=2).relu()

    assert boxes(Sums()) == [("input",), ("conv",), ("cumsum", "relu")]


def test_the_head_does_not_join_the_features():
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            return self.conv(x).select(2, 0).select(2, 0).relu()

    facts = facts_of(One())
    assert dict(facts.nodes.data("role")) == {"input": "features", "conv": "features", "select": "features"} | dict.fromkeys(
        list(facts.nodes)[3:], "head"
    )
    assert merge_pointwise(facts) == [("input",), ("conv", "select"), ("select:2", "relu")]


def test_the_next_block_does_not_join_the_one_before():
    def block():
        return nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1))

    assert boxes(nn.Sequential(nn.Conv2d(3, 3, 3), block(), block())) == [
        ("input",), ("0",), ("1.0", "1.1"), ("1.2",), ("2.0", "2.1"), ("2.2",),
    ]  # fmt: skip


def test_a_module_of_normalisation_and_activation_joins():
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), nn.Conv2d(3, 3, 3))
    assert boxes(model) == [("input",), ("0", "1.0", "1.1"), ("2",)]


def test_an_activation_joins_a_module_with_one_layer_but_not_a_block():
    conv = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3))
    assert boxes(nn.Sequential(conv, nn.ReLU())) == [("input",), ("0.0", "0.1", "1")]
    block = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3))
    assert boxes(nn.Sequential(block, nn.ReLU())) == [("input",), ("0.0",), ("0.1",), ("1",)]


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "densenet121", "googlenet", "swin_t", "vit_b_32"])
def test_every_operator_is_in_one_box_behind_its_layer(name):
    facts = facts_of(torchvision_model(name), 224)
    found = merge_pointwise(facts)
    assert sorted(operator for box in found for operator in box) == sorted(facts.nodes)
    order = {operator: place for place, operator in enumerate(facts.nodes)}
    assert [box[0] for box in found] == sorted((box[0] for box in found), key=order.__getitem__)
    layers = {operator for operator, kind in facts.nodes.data("kind") if kind in ("conv", "pool", "linear", "matmul", "attention")}
    for box in found:
        assert not layers & set(box[1:])
        for before, operator in pairwise(box):
            assert list(facts.pred[operator]) == [before]
            assert list(facts.succ[before]) == [operator]


def test_a_box_holds_what_follows_a_join():
    assert ("blocks.0/add",) in boxes(Net(Block(), Block()))


def test_paths():
    assert list(with_parents("a.b.c")) == ["a.b.c", "a.b", "a", ""]
    assert list(with_parents("")) == [""]
    assert [is_within("a.b", parent) for parent in ("", "a", "a.b", "a.b.c", "a.")] == [True, True, True, False, False]
    assert not is_within("ab", "a")
