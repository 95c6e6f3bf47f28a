from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import analyze


class SqueezeExcite(nn.Module):
    def __init__(self, gate):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.reduce, self.expand = nn.Conv2d(3, 1, 1), nn.Conv2d(1, 3, 1)
        self.last, self.head = nn.Conv2d(3, 3, 3), nn.Linear(3, 2)
        self.gate = gate

    def forward(self, x):
        x = self.conv(x)
        weights = self.expand(torch.relu(self.reduce(x.mean((2, 3), keepdim=True))))
        x = x * self.gate(weights)
        return self.head(self.last(x).mean((2, 3)))


def written_out(x):
    return nn.functional.relu6(x + 3) / 6


def chosen(x):
    """As programs of basic operators have attention: no weights where nothing may be attended to."""
    return torch.where((x == 0).any(1, keepdim=True), 0.0, x.softmax(1))


def masked(x):
    return x.sigmoid().masked_fill(x < 0, 0.0)


def roles(model: nn.Module, **settings) -> dict[str, str]:
    return {layer.name: layer.role for layer in analyze(model, 16, settings=settings).layers if layer.kind != "pool"}


@pytest.mark.parametrize(
    "gate",
    [torch.sigmoid, nn.functional.hardsigmoid, written_out, lambda w: w.softmax(1), lambda w: 1 + torch.sigmoid(w), chosen, masked],
)
def test_the_weight_branch_of_a_gate(gate):
    assert roles(SqueezeExcite(gate)) == {
        "conv": "features",
        "reduce": "gate",
        "expand": "gate",
        "last": "features",
        "head": "head",
    }


@pytest.mark.parametrize("gate", [torch.tanh, torch.relu, lambda w: w, lambda w: torch.where(w.sigmoid() > 0.5, w, 0.0)])
def test_products_with_other_things_are_no_gates(gate):
    found = roles(SqueezeExcite(gate))
    assert found["reduce"] == found["expand"] == "head"  # behind a global operator, but feeding features


def test_a_gate_adds_no_receptive_field():
    layers = {layer.name: layer for layer in analyze(SqueezeExcite(torch.sigmoid), 16).layers}
    assert layers["last"].r_max == (5, 5)
    counted = {layer.name: layer for layer in analyze(SqueezeExcite(torch.sigmoid), 16, settings={"gates": "count"}).layers}
    assert counted["last"].r_max == (float("inf"),) * 2
    assert counted["last"].r_min == (5, 5)


class SpatialAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.attend, self.last = nn.Conv2d(3, 3, 3), nn.Conv2d(2, 1, 7, padding=3), nn.Conv2d(3, 3, 3)

    def forward(self, x):
        x = self.conv(x)
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return self.last(x * self.attend(pooled).sigmoid())


def test_spatial_attention_is_a_gate():
    layers = {layer.name: layer for layer in analyze(SpatialAttention(), 16).layers}
    assert layers["attend"].role == "gate"
    assert layers["last"].r_max == (5, 5)


def test_swish_by_hand_is_no_branch():
    class Swish(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)

        def forward(self, x):
            x = self.a(x)
            return self.b(x * torch.sigmoid(x))

    assert roles(Swish()) == {"a": "features", "b": "features"}


def test_heads():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(14), nn.Flatten(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    assert roles(model) == {"0": "features", "3": "head", "5": "head"}
