"""Content is followed through views and writes."""

from __future__ import annotations

import pytest
import torch

from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import SCATTER
from tests.graph.recordings import names, producer, record


def test_an_operator_in_place_changes_what_its_tensor_holds():
    def function(x):
        y = x * 2
        y.relu_()
        return y.exp()

    recording, _ = record(function)
    assert names(recording) == ["mul", "relu_", "exp"]
    assert recording.records[2].tensors[0].value == recording.records[1].outputs[0].value


def test_a_view_taken_before_a_write_sees_it():
    def function(x):
        y = x * 2
        view = y.view(2, 64)
        y.relu_()
        return view.exp()

    recording, _ = record(function)
    assert names(recording) == ["mul", "view", "relu_", "view", "exp"]
    assert recording.records[3].tensors[0].value == recording.records[2].outputs[0].value


def test_a_write_through_a_view_changes_the_base():
    def function(x):
        y = x * 2
        y[:, :1].relu_()
        return y

    recording, value = record(function)
    assert names(recording)[-2:] == ["relu_", SCATTER]
    base, written, path = recording.records[-1].args
    assert value == recording.records[-1].outputs[0].value
    assert base.value == recording.records[0].outputs[0].value
    assert written.value == recording.records[-2].outputs[0].value
    assert {step.func._opname for step in path} == {"slice"}


def test_filling_a_constant_makes_it_depend_on_the_image():
    def function(x):
        out = torch.zeros(1, 4, 8, 8, device=x.device)
        out[:, :2] = x
        out[:, 2:] = x.relu()
        return out

    recording, value = record(function)
    scatters = [r for r in recording.records if r.func is SCATTER]
    assert scatters[0].args[0].value is None
    assert [t.shape for t in scatters[1].tensors] == [(1, 4, 8, 8), (1, 2, 8, 8)]
    assert value is not None
    while producer(recording, value).func is not SCATTER:  # reading the tensor again may pass through aliases
        (value,) = [t.value for t in producer(recording, value).tensors]
    assert value == scatters[1].outputs[0].value


def test_an_emptied_tensor_leaves_what_it_was_part_of_alone():
    def function(x):
        left, right = (x + x).chunk(2, 1)
        y = torch.cat((left * 2, right), 1)
        left.set_()
        return y, right.neg()

    recorder = Recorder(hold_tensors=True, use_shape_rules=True)
    image = torch.empty(1, 2, 8, 8, device="meta")
    recorder.add_input(image)
    with recorder:
        joined, _ = function(image)
    assert SCATTER not in [r.func for r in recorder.recording.records]
    assert names(recorder.recording)[-1] == "neg"
    assert recorder.value_of(joined) is not None


def test_a_tensor_set_to_another_is_that_one():
    def function(x):
        y = torch.empty(0, device="meta")
        y.set_(x.neg())
        return y * 2

    recording, _ = record(function)
    assert names(recording) == ["neg", "mul"]


def test_turning_a_view_in_place_turns_nothing_else():
    def function(x):
        y = x + x
        part = y[:, :1]
        part.squeeze_(1)
        part.relu_()
        return y

    recording, _ = record(function)
    written, path = recording.records[-1].args[1:]
    assert recording.records[-1].func is SCATTER
    steps = [step.func._opname for step in path]
    assert (written.shape, set(steps[:-1]), steps[-1]) == ((1, 8, 8), {"slice"}, "squeeze_")


def test_a_tensor_that_is_resized_within_its_memory_holds_what_it_held():
    recording, value = record(lambda x: x.neg().resize_(1, 4, 4, 8))
    assert names(recording) == ["neg", "resize_"]
    assert value == recording.records[-1].outputs[0].value


@pytest.mark.parametrize("empty", [lambda x: x.new_empty(0), lambda x: x.new_empty(0).detach(), lambda x: x.new_zeros(3, 0).t()])
def test_an_empty_tensor_that_is_written_to_holds_all_that_was_written(empty):
    def function(x):
        made = empty(x)
        torch.neg(x, out=made)
        return made.exp()

    recording, _ = record(function)
    assert names(recording) == ["neg", "exp"]
