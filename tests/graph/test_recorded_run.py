"""A recorded forward: which module each operator belongs to, and what the model returned."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import nn

from rfcheck.graph.borrow import borrow
from rfcheck.graph.failing import Failure
from rfcheck.graph.passes import pass_on_meta
from rfcheck.graph.recorded_run import recorded_run
from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import Recording


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.inner = nn.Conv2d(3, 3, 3), nn.Sequential(nn.Tanh())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        return self.inner(self.layer(self.layer(x))) * 2, 7


def test_operators_belong_to_the_innermost_call_that_runs():
    recording = pass_on_meta(Twice(), (1, 3, 9, 9), False)
    assert isinstance(recording, Recording)
    calls = [(record.call.path, record.call.type, record.call.repeat) for record in recording.records]
    assert calls == [("layer", "Conv2d", 1), ("layer", "Conv2d", 2), ("inner.0", "Tanh", 1), ("", "Twice", 1)]
    assert recording.calls == {"": 1, "layer": 2, "inner": 1, "inner.0": 1}
    assert recording.output_values == [recording.records[-1].outputs[0].value]


def test_a_recurrent_layer_is_one_operator_where_gradients_may_be_wanted():
    recording = pass_on_meta(nn.GRU(3, 4, batch_first=True), (1, 5, 3), False)
    assert isinstance(recording, Recording)
    assert [record.func._opname for record in recording.records if "gru" in record.func._opname] == ["gru"]


def test_what_is_meant_to_end_the_program_is_a_failure_of_the_model():
    class Leaving(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise SystemExit(0)

    model, image = Leaving(), torch.empty(1, 3, 8, 8, device="meta")

    def run(modules, _guard):
        return recorded_run(model, modules, image, {}, Recorder(hold_tensors=True, use_shape_rules=True), nullcontext())

    failed = borrow(model, run)
    assert isinstance(failed, Failure)
    assert isinstance(failed.error, SystemExit)
    assert failed.call is None
