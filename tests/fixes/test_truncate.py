from __future__ import annotations

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from rfcheck import analyze
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.places import places
from rfcheck.fixes.subject import Subject
from rfcheck.fixes.truncate import _tails_left, propose
from tests.fixes.networks import Block, ResNet, conv, pipeline, subject_of
from tests.predictions import assert_as_predicted
from tests.random_networks import random_modules

HEAD = "with global average pooling and a linear layer"


def proposals(model: nn.Module, size: int) -> dict[str, Fix | Skipped]:
    return {proposal.name: proposal for proposal in propose(subject_of(model, size))}


@pytest.mark.parametrize("size", [4, 7, 8])
@pytest.mark.parametrize("convolutions", [8, 9])
def test_a_plain_network_ends_with_or_before_its_border(convolutions, size):
    # the input of convolution n sees 2n + 1 px, so the first one that exceeds the image is number ceil(size / 2)
    model, border = pipeline(convolutions), -(-size // 2)
    assert analyze(model, size).border_min.name == f"features.{border}"
    found = proposals(model, size)
    assert list(found) == ["truncate", "truncate-before"]
    for fix, last in zip(found.values(), (border, border - 1), strict=True):
        assert isinstance(fix, Fix)
        assert fix.description == f"end after features.{last} {HEAD}, {convolutions - last - 1} layers earlier"
        assert not fix.safe
        changed = assert_as_predicted(model, fix, size)
        assert len(changed.features) == last + 1
        assert changed(torch.rand(2, 3, size, size)).shape == (2, 3)
        assert fix.predicted.after.tail_layers == last - border + 1


def test_one_layer_is_one_layer():
    assert proposals(pipeline(6), 8)["truncate"].description == f"end after features.4 {HEAD}, 1 layer earlier"


def test_blocks_stay_whole_and_what_they_leave_as_a_tail_goes_with_a_third_cut():
    model, size = ResNet(), 8
    assert analyze(model, size).border_min.name == "layer2.0.conv2"
    found = proposals(model, size)
    assert {name: fix.description for name, fix in found.items()} == {
        "truncate": f"end after layer2.0 {HEAD}, 2 layers earlier",
        "truncate-before": f"end after layer1 {HEAD}, 5 layers earlier",
        "truncate-before-2": f"end after pool {HEAD}, 7 layers earlier",
    }
    for fix in found.values():
        assert_as_predicted(model, fix, size)
    assert [fix.predicted.after.tail_layers for fix in found.values()] == [1, 1, 0]


def test_no_tail():
    assert propose(subject_of(ResNet(), 64)) == [
        Skipped("truncate", "the network has no tail"),
        Skipped("truncate-before", "the network has no tail"),
    ]


def test_a_border_in_the_last_block():
    assert proposals(ResNet(), 16)["truncate"] == Skipped(
        "truncate", "the first place after layer2.1.conv2 where one tensor carries everything is the end of the features"
    )


class Branches(nn.Module):
    """Two branches that meet in the head only."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.ModuleList(conv(3, 3) for _ in range(6))
        self.right = nn.ModuleList(conv(3, 3) for _ in range(6))
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        left = right = x
        for one, other in zip(self.left, self.right, strict=True):
            left, right = one(left), other(right)
        return self.fc(torch.cat([left, right], 1).mean((2, 3)))


def test_branches_have_no_place():
    where = "no single tensor carries everything at a module's end"
    assert propose(subject_of(Branches(), 4)) == [
        Skipped("truncate", f"{where} after left.2"),
        Skipped("truncate-before", f"{where} before left.2"),
    ]


def test_a_block_is_not_cut_through():
    body = nn.Sequential(*(conv(3, 3) for _ in range(4)), Block(3, 3), Block(3, 3), conv(3, 3))
    model = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    assert analyze(model, 8).border_min.name == "0.4.conv1"
    found = proposals(model, 8)
    assert found["truncate"].description == f"end after 0.4 {HEAD}, 3 layers earlier"
    assert found["truncate-before"].description == f"end after 0.3 {HEAD}, 5 layers earlier"


@given(random_modules(gates=True))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_which_cuts_leave_a_tail(module):
    """Against the definition, cut by cut: some unproductive layer has only unproductive ones behind it, up to the place."""
    wide, *behind = nn.Conv2d(2, 2, 57, padding=28), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
    analysis = analyze(nn.Sequential(wide, module, *behind).double(), (2, 64, 64))
    subject = Subject(analysis.model, analysis.network, analysis.settings)
    productive = analysis.network.border.productive
    nodes = list(analysis.graph)
    found = places(subject)
    for place in found:
        prefix = analysis.graph.subgraph(nodes[: place.index + 1])
        judged = [name for name in prefix if name in productive]
        idle = [v for v in judged if productive[v] is False]
        left = any(all(w in idle for w in judged if w in nx.descendants(prefix, v)) for v in idle)
        assert _tails_left(subject, found)[place.node] is left, place.node
