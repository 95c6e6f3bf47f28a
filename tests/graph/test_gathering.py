"""What each call of a recorded pass does to positions, and what is said where nothing is known."""

from __future__ import annotations

import torch
from torch import nn

from rfcheck import analyze
from rfcheck.graph import gathering
from rfcheck.graph.calls import MISMATCH, Gathered
from rfcheck.graph.gathering import counted, gathered
from rfcheck.graph.trace import trace


def test_every_call_has_its_kind_its_cost_and_a_layout_for_each_result():
    pass_ = trace(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)), (1, 3, 8, 8)
    )
    walk, calls = gathered(pass_, (2, 3))
    assert [call.kind for call in calls] == ["conv", "activation", "pool", "rearrange", "linear"]
    assert [call.flops for call in calls if call.kind in ("conv", "linear")] == [6 * 6 * 4 * 3 * 3 * 3, 4 * 5]
    results = [out.value for record in pass_.recording.records for out in record.outputs]
    assert set(walk.layouts) == {pass_.recording.input_value, *results}


def test_an_unforeseen_use_of_an_operator_is_unknown_and_not_fatal(monkeypatch):
    def fail(*_args):
        raise IndexError("odd")

    monkeypatch.setattr(gathering, "_GATHER", dict.fromkeys(gathering._GATHER, fail))
    analysis = analyze(nn.Sequential(nn.Conv2d(3, 3, 3)), 8)
    assert analysis.assumptions == ("0: aten::convolution: cannot be followed (IndexError: odd)",)


def test_nothing_becomes_unknown_without_a_word(monkeypatch):
    def silent(_meaning, call):
        unknown = call.unknown("")
        return Gathered(unknown.layouts, unknown.edges, "pointwise")

    monkeypatch.setattr(gathering, "_GATHER", dict.fromkeys(gathering._GATHER, silent))
    assert analyze(nn.Sequential(nn.Conv2d(3, 3, 3), nn.Tanh()), 8).assumptions == (
        f"0: aten::convolution: {MISMATCH}",
        f"1: aten::tanh: {MISMATCH}",
    )


def test_a_cost_that_its_formula_does_not_foresee_is_not_known():
    assert counted(torch.ops.aten.mm.default, ((2, 3),), {}, [(2, 4)]) is None
