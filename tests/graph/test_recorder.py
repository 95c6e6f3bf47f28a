from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rfcheck.frames import chain_of
from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import SCATTER, ModuleCall, Recording, TensorArg
from tests.call_sites import call


def record(function, *, hold_tensors: bool = True) -> tuple[Recording, int | None]:
    """What a function of the image does, and the value of its result."""
    recorder = Recorder(hold_tensors=hold_tensors, use_shape_rules=True)
    device = "meta" if hold_tensors else "cpu"
    image = torch.empty(1, 2, 8, 8, device=device)
    recorder.add_input(image)
    with recorder:
        result = function(image)
    return recorder.recording, recorder.value_of(result)


def names(recording: Recording) -> list[str]:
    return [r.func if isinstance(r.func, str) else r.func._opname for r in recording.records]


def producer(recording: Recording, value: int):
    return next(r for r in recording.records if value in [out.value for out in r.outputs])


@pytest.mark.parametrize("hold_tensors", [True, False])
def test_operators_in_order_with_what_they_read(hold_tensors):
    recording, value = record(lambda x: (x.sigmoid() * x).mean((2, 3)), hold_tensors=hold_tensors)
    assert names(recording) == ["sigmoid", "mul", "mean"]
    assert [t.value for t in recording.records[1].tensors] == [recording.records[0].outputs[0].value, recording.input_value]
    assert value == recording.records[-1].outputs[0].value


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


def test_shapes_and_fills_carry_no_content():
    recording, value = record(lambda x: torch.zeros_like(x) + x.new_ones(1))
    assert names(recording) == []
    assert value is None
    recording, value = record(lambda x: (x * 2).zero_())
    assert names(recording) == ["mul"]
    assert value is None


def test_what_is_drawn_or_filled_forgets_what_was_there():
    for forget in (
        lambda t: t.normal_(),
        lambda t: t.uniform_(),
        lambda t: t.fill_(2.0),
        lambda t: t.fill_(torch.empty((), device="meta")),
    ):
        assert record(lambda x, forget=forget: forget(x * 2))[1] is None
    recording, value = record(lambda x: torch.empty(3, device="meta").fill_(x.mean()))
    assert names(recording)[:2] == ["mean", "fill_"]
    assert value is not None


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


@torch.library.custom_op("rfcheck_tests::counted", mutates_args=("count",))
def counted(x: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """An operator that writes to an argument and returns a tensor of its own."""
    count += x.sum()
    return x + x


@counted.register_fake
def _(x, count):
    return torch.empty_like(x)


def test_what_an_operator_returns_beside_what_it_writes_to():
    count = torch.zeros(1, device="meta")

    def function(x):
        y = torch.ops.rfcheck_tests.counted(x, count)
        return y + count

    recording, _ = record(function)
    assert names(recording) == ["counted", "add"]
    made, written = recording.records[0].outputs
    assert (made.shape, written.shape) == ((1, 2, 8, 8), (1,))
    assert (made.fresh_bytes, written.fresh_bytes) == (1 * 2 * 8 * 8 * 4, 0)
    assert [t.value for t in recording.records[1].tensors] == [made.value, written.value]


def test_normalisation_that_updates_its_statistics():
    mean, variance = torch.zeros(2, device="meta"), torch.ones(2, device="meta")
    recording, value = record(lambda x: torch.nn.functional.batch_norm(x, mean, variance, training=True))
    assert producer(recording, value).outputs[0].shape == (1, 2, 8, 8)


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


def test_a_tensor_that_is_emptied_holds_nothing_of_the_image():
    recording, value = record(lambda x: x.neg().resize_(0))
    assert (names(recording), value) == (["neg"], None)


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


def test_the_template_of_a_size_is_not_read():
    recording, value = record(lambda x: x.new_empty(0).resize_as_(x.neg()).fill_(1.0))
    assert (names(recording), value) == (["neg"], None)


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
