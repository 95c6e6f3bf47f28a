from __future__ import annotations

import pytest
import torch
from onnx import TensorProto, ValueInfoProto, helper

from rfcheck.target.onnx.call import OnnxCall
from rfcheck.target.onnx.unknown import shape_of, unknown

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("com.acme", 1)]


def made(node, *inputs: torch.Tensor | None, shapes=None, is_resized: bool = False) -> list[tuple]:
    data = [None if t is None or t.is_meta else t for t in inputs]
    call = OnnxCall(node.op_type, 17, {}, inputs, data, len(node.output), is_resized)
    return [(tuple(t.shape), t.dtype, t.is_meta) for t in unknown(node, call, OPSETS, shapes or {})]


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def test_shapes_that_onnx_works_out():
    assert made(helper.make_node("Hardmax", ["x"], ["y"]), meta(2, 9)) == [((2, 9), torch.float32, True)]
    split = helper.make_node("NonMaxSuppression", ["x", "s"], ["y"])
    with pytest.raises(ValueError, match="nothing says what shape its result has"):
        made(split, meta(1, 5, 4), meta(1, 1, 5))


def test_inputs_with_values_count():
    pad = helper.make_node("Pad", ["x", "pads"], ["y"])
    assert made(pad, meta(1, 3, 8, 8), torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])) == [((1, 3, 10, 10), torch.float32, True)]


STRANGE = helper.make_node("Strange", ["x"], ["y"], "s", domain="com.acme")


def test_shapes_that_the_file_gives():
    shapes = {"x": (None, 3, 8, 8), "y": (1, 7, 8, 8)}
    assert made(STRANGE, meta(1, 3, 8, 8), shapes=shapes) == [((1, 7, 8, 8), torch.float32, True)]
    assert made(STRANGE, meta(1, 3, 20, 20), shapes=shapes, is_resized=True) == [((1, 7, 20, 20), torch.float32, True)]


def test_sizes_that_hold_for_another_image_only_are_not_used():
    shapes = {"x": (1, 3, 8, 8), "y": (1, 3, 4, 4)}
    assert made(STRANGE, meta(1, 3, 8, 8), shapes=shapes) == [((1, 3, 4, 4), torch.float32, True)]
    with pytest.raises(ValueError, match="nothing says") as caught:
        made(STRANGE, meta(1, 3, 20, 20), shapes=shapes, is_resized=True)
    assert str(caught.value) == (
        "rfcheck does not know com.acme::Strange, and nothing says what shape its result has; "
        "write that into the file or replace the operator"
    )


def test_an_operator_that_reads_nothing():
    with pytest.raises(ValueError, match="rfcheck does not know onnx::Strange"):
        made(helper.make_node("Strange", [], ["y"]), shapes={"y": (1,)})


def test_shapes_of_values():
    assert shape_of(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, None, 0])) == (None, 3, None, 0)
    assert shape_of(helper.make_tensor_value_info("x", TensorProto.FLOAT, [])) == ()
    assert shape_of(helper.make_tensor_value_info("x", TensorProto.FLOAT, None)) is None
    assert shape_of(ValueInfoProto(name="x")) is None
