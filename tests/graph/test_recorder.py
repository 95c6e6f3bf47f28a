"""Operators are recorded with what they read, where they were called and where they failed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rfcheck.frames import chain_of
from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import ModuleCall, TensorArg
from tests.call_sites import call
from tests.graph.recordings import names, record


@pytest.mark.parametrize("hold_tensors", [True, False])
def test_operators_in_order_with_what_they_read(hold_tensors):
    recording, value = record(lambda x: (x.sigmoid() * x).mean((2, 3)), hold_tensors=hold_tensors)
    assert names(recording) == ["sigmoid", "mul", "mean"]
    assert [t.value for t in recording.records[1].tensors] == [recording.records[0].outputs[0].value, recording.input_value]
    assert value == recording.records[-1].outputs[0].value


def test_parameters_are_followed_through_constants():
    weight = torch.empty(3, 2, device="meta")

    def function(x):
        return torch.einsum("nchw,dc->ndhw", x, weight * 2)

    recorder = Recorder(hold_tensors=True, use_shape_rules=True)
    image = torch.empty(1, 2, 8, 8, device="meta")
    recorder.add_input(image)
    recorder.add_parameter(weight, "layer.weight")
    with recorder:
        function(image)
    (product,) = [r for r in recorder.recording.records if r.func._opname == "bmm"]
    (constant,) = [t for t in product.tensors if t.value is None]
    assert isinstance(constant, TensorArg)
    assert constant.params == {"layer.weight"}


def test_products_of_constants_are_kept_for_their_cost():
    weight = torch.empty(4, 4, device="meta")
    recording, _ = record(lambda x: x + (weight @ weight).sum())
    assert [c.func._opname for c in recording.constants] == ["mm"]
    assert names(recording) == ["add"]


def test_where_an_operator_failed():
    recorder = Recorder(hold_tensors=True, use_shape_rules=True)
    image = torch.empty(1, 2, 8, 8, device="meta")
    recorder.add_input(image)
    with recorder, pytest.raises(RuntimeError):
        image @ torch.empty(3, 3, device="meta")
    assert recorder.failed_shapes


def doubled(x):
    return x * 2


@pytest.mark.parametrize(("locate", "from_torch"), [(True, False), (True, True), (False, False)])
def test_lines_are_looked_for_where_they_are_asked_for_and_in_code_that_is_not_torchs(locate, from_torch):
    recorder = Recorder(hold_tensors=True, use_shape_rules=True, locate=locate)
    recorder.current = ModuleCall("net", "Net", 1, is_leaf=False, from_torch=from_torch)
    image = torch.empty(1, 2, 8, 8, device="meta")
    recorder.add_input(image)
    with recorder:
        doubled(image).relu_()
    here = str(Path(__file__).relative_to(Path.cwd()))
    chains = [chain_of(record.frames)[:2] for record in recorder.recording.records]
    if not locate or from_torch:
        assert chains == [(), ()]
        return
    assert chains[0] == (call(here, "x * 2", -1), call(here, "doubled(image)"))
    assert chains[1][0] == call(here, "doubled(image).relu_()")


def test_a_composite_operator_that_arrives_whole_is_taken_apart():
    weight = torch.empty(3, 2, 3, 3, device="meta")

    def function(x):
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, weight).flatten(1)

    recording, value = record(function)
    assert names(recording) == ["convolution", "view"]
    assert value == recording.records[-1].outputs[0].value


def test_a_long_recording_is_said_to_be_long(monkeypatch, caplog):
    monkeypatch.setattr("rfcheck.graph.recorder._MANY", 3)

    def function(x):
        for _ in range(7):
            x = x.neg()
        return x

    record(function)
    assert caplog.messages == [
        "3 operators recorded so far, the last in the model; the forward may loop over data",
        "6 operators recorded so far, the last in the model; the forward may loop over data",
    ]
