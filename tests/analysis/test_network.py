from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.graph.records import UNCOUNTED
from tests.strange import strange


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
        self.unused = nn.Linear(10, 10)

    def forward(self, x):
        return self.conv(strange(x))


def test_unknown_operators_are_named_with_what_was_assumed():
    network = analyze(Net(), 8).network
    (unknown,) = network.unknown
    assert (unknown.name, unknown.operator, unknown.resolved, unknown.registered) == (
        "strange",
        "rfcheck_strange::strange",
        True,
        False,
    )
    assert unknown.assumption == "unknown operator, taken as pointwise"
    assert analyze(Net(), 8).assumptions == ("strange: rfcheck_strange::strange: unknown operator, taken as pointwise",)


class Head(nn.Module):
    """An operator behind the feature path."""

    def __init__(self, operator):
        super().__init__()
        self.conv, self.fc, self.operator = nn.Conv2d(3, 8, 3), nn.Linear(8, 2), operator

    def forward(self, x):
        return self.fc(self.operator(self.conv(x).mean((2, 3))))


def test_unknown_operators_in_the_head_are_named_and_no_receptive_field_rests_on_them():
    analysis = analyze(Head(strange), 8)
    (unknown,) = analysis.network.unknown
    assert (unknown.name, unknown.in_head, unknown.registered) == ("strange", True, False)
    assert analysis.assumptions == ("strange: rfcheck_strange::strange: unknown operator, taken as pointwise",)
    assert not [finding for finding in analysis.findings if finding.code == "RF901"]
    assert analysis.layer("fc").r_max == analyze(Head(nn.Identity()), 8).layer("fc").r_max


def test_known_operators_in_the_head_are_not_unless_their_cost_is_unknown(monkeypatch):
    model = Head(lambda x: x @ torch.eye(8, device=x.device))
    assert analyze(model, 8).assumptions == ()
    monkeypatch.setattr("rfcheck.graph.gathering.multiply_accumulates", lambda *_: 1 // 0)
    assert [text.partition(": ")[2] for text in analyze(model, 8).assumptions][-1] == f"aten::addmm: {UNCOUNTED}"


def test_parameters_count_whether_used_or_not():
    network = analyze(Net(), 8).network
    assert network.total.params == 84 + 110
    assert network.layer("conv").params == 84


def test_layers_by_name():
    with pytest.raises(StopIteration):
        analyze(Net(), 8).network.layer("nope")
