from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.config import Settings
from rfcheck.fixes.outcome import Outcome, outcome_of_graph, outcome_of_network
from tests.fixes.networks import ResNet, chain
from tests.zoo import counted_flops, parameter_count


@pytest.mark.parametrize("size", [16, (24, 9), 64])
@pytest.mark.parametrize("projection", ["downsampling", "exact"])
def test_a_graph_alone_is_enough(size, projection):
    analysis = analyze(ResNet(), size, settings={"projection": projection})
    assert outcome_of_graph(analysis.graph, analysis.settings) == outcome_of_network(analysis.network)


def test_costs_are_torchs():
    model = ResNet()
    found = outcome_of_graph(analyze(model, 16).graph, Settings())
    assert found.flops == counted_flops(model, 3, 16, 16)
    assert found.params == parameter_count(model)


def test_every_number_by_hand():
    # inputs see 1, 3, 5, 7, 9 and 11 px; each map is 8x8 with 4 channels of 4 bytes; behind it a mean and three classes
    found = outcome_of_graph(analyze(chain(6), 8).graph, Settings())
    assert found == Outcome(
        tail_layers=2,
        unproductive_layers=2,
        productive_layers=4,
        flops=64 * 9 * 4 * (3 + 5 * 4) + 4 * 3,
        params=(27 * 4 + 4) + 5 * (36 * 4 + 4) + (4 * 3 + 3),
        activation_bytes=4 * (6 * 4 * 64 + 4 + 3),
        r_max=(13, 13),
        resolution_range=((11, 11), (13, 13)),
    )


def test_a_skipped_layer_is_unproductive_but_not_the_tail():
    class Skipping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = chain(6)[0]
            self.last = nn.Conv2d(7, 2, 3, padding=1)

        def forward(self, x):
            return self.last(torch.cat([x, self.body(x)], 1))

    found = outcome_of_graph(analyze(Skipping(), 8).graph, Settings())
    assert (found.tail_layers, found.unproductive_layers, found.productive_layers) == (0, 2, 5)


def test_unbounded_fields():
    found = outcome_of_graph(analyze(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2)), 8).graph, Settings())
    assert found.r_max is not None
    assert math.isfinite(max(found.r_max))
