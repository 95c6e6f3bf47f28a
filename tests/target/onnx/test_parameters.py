from __future__ import annotations

import torch
from onnx import helper

from rfcheck.target.listing import Scope
from rfcheck.target.onnx.parameters import weights_of

FLOAT = torch.empty(4, 3, device="meta")
SCALAR = torch.empty((), device="meta")
WHOLE = torch.empty(4, dtype=torch.int64, device="meta")
BYTES = torch.empty(4, 3, dtype=torch.int8, device="meta")


def found(*nodes, constants=(), **tensors):
    pairs = [(helper.make_node(operator, inputs, ["y"]), (Scope(path, "M", path),)) for operator, inputs, path in nodes]
    weights = weights_of(pairs, tensors, set(constants))
    return weights.parameters, weights.buffers


def test_weights_keep_the_names_of_parameters():
    tensors = {"a.weight": FLOAT, "a.bias": FLOAT}
    assert found(("Conv", ["x", "a.weight", "a.bias"], "a"), **tensors) == ({"a.weight": "a.weight", "a.bias": "a.bias"}, {})
    name = "block1-0.proj.0.weight"
    assert found(("Conv", ["x", name], "other"), **{name: FLOAT}) == ({name: name}, {})


def test_other_names_are_put_into_the_module_that_reads_the_tensor():
    tensors = {"onnx::Conv_193": FLOAT, "val/1:0": FLOAT}
    assert found(("Conv", ["x", "onnx::Conv_193", "val/1:0"], "a.b"), **tensors) == (
        {"onnx::Conv_193": "a.b.onnx_Conv_193", "val/1:0": "a.b.val_1_0"},
        {},
    )


def test_names_are_used_once():
    tensors = {"a": FLOAT, "b.c": FLOAT, "w/1": FLOAT, "w:1": FLOAT}
    made = found(("Conv", ["x", "a", "b.c", "w/1", "w:1"], "a"), **tensors)[0]
    assert made == {"a": "a.a", "b.c": "b.c", "w/1": "a.w_1", "w:1": "a.w_1_"}


def test_a_tensor_that_is_read_twice_is_one_parameter():
    assert found(("MatMul", ["x", "w"], "a"), ("MatMul", ["x", "w"], "b"), w=FLOAT) == ({"w": "w"}, {})


def test_statistics_are_buffers():
    names = ["scale", "shift", "mean", "var"]
    parameters, buffers = found(("BatchNormalization", ["x", *names], "bn"), **dict.fromkeys(names, FLOAT))
    assert (set(parameters), set(buffers)) == ({"scale", "shift"}, {"mean", "var"})


def test_settings_are_neither():
    assert found(("Resize", ["x", "roi", "scales"], "r"), roi=FLOAT, scales=FLOAT) == ({}, {})
    assert found(("Reshape", ["x", "shape"], "r"), shape=WHOLE) == ({}, {})
    assert found(("Mul", ["x", "half"], "r"), half=SCALAR) == ({}, {})
    assert found(("Mul", ["x", "/a.0/Constant_output_0"], "r"), **{"/a.0/Constant_output_0": SCALAR}) == ({}, {})


def test_single_numbers_that_were_learnt():
    assert found(("PRelu", ["x", "slope"], "act"), slope=SCALAR)[0] == {"slope": "slope"}
    assert found(("Mul", ["x", "block.alpha"], "block"), **{"block.alpha": SCALAR})[0] == {"block.alpha": "block.alpha"}


def test_what_the_code_of_the_model_makes_is_a_parameter_only_where_nothing_else_can_hold_weights():
    assert found(("Add", ["x", "c"], "a"), constants="c", c=FLOAT) == ({}, {})
    assert found(("DequantizeLinear", ["c", "s"], "a"), constants="c", c=BYTES) == ({"c": "c"}, {})


def test_quantised_weights():
    tensors = {"w": BYTES, "scale": FLOAT, "zero": BYTES}
    assert set(found(("DequantizeLinear", ["w", "scale", "zero"], "q"), **tensors)[0]) == {"w"}
    names = ["xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
    assert set(found(("QLinearConv", ["x", *names], "q"), **dict.fromkeys(names, BYTES))[0]) == {"w", "b"}
