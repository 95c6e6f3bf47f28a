"""What operators do to the memory of their arguments, and what their results depend on."""

from __future__ import annotations

import torch

from tests.graph.recordings import names, producer, record


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


def test_a_tensor_that_is_emptied_holds_nothing_of_the_image():
    recording, value = record(lambda x: x.neg().resize_(0))
    assert (names(recording), value) == (["neg"], None)


def test_the_template_of_a_size_is_not_read():
    recording, value = record(lambda x: x.new_empty(0).resize_as_(x.neg()).fill_(1.0))
    assert (names(recording), value) == (["neg"], None)
