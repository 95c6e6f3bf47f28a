"""Weights as initializers, as constants, and in another form: the same network has the same layers and parameters."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from rfcheck import analyze
from rfcheck.target.onnx.code_constants import code_constants
from rfcheck.target.onnx.file import read_onnx_file
from tests.target.programs import floats, ints, onnx_file

LINEAR = [("c", "conv", 432), ("p", "pool", 0), ("y", "linear", 170)]
"""16 kernels of 3x3x3; 16x10 weights and 10 numbers that are added."""

W, U, B = floats("w", 16, 3, 3, 3), floats("u", 16, 10), floats("b", 10)
CONV = helper.make_node("Conv", ["x", "w"], ["c"])
HEAD = [helper.make_node("GlobalAveragePool", ["c"], ["p"]), helper.make_node("Flatten", ["p"], ["f"])]
PRODUCT = helper.make_node("MatMul", ["f", "u"], ["m"])
SUM = helper.make_node("Add", ["m", "b"], ["y"])


def as_type(name, dtype, *shape):
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def layers(tmp_path, nodes, tensors, *, as_nodes):
    constants = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in tensors] if as_nodes else []
    path = onnx_file(tmp_path / "m.onnx", [*constants, *nodes], () if as_nodes else tensors, sizes=(1, 3, 32, 32))
    analysis = analyze(read_onnx_file(path), 32)
    assert analysis.assumptions == ()
    return [(layer.name, layer.kind, layer.params) for layer in analysis.layers]


def form(operator, makes="u", *reads, **attributes):
    return helper.make_node(operator, list(reads), [makes], **attributes)


FORMS = {
    "as it is": ([], [U]),
    "Gemm": ([], [U]),
    "row": ([], [U, floats("b", 1, 10)]),
    "Identity": ([form("Identity", "u", "v")], [floats("v", 16, 10)]),
    "Cast": ([form("Cast", "u", "v", to=TensorProto.FLOAT)], [as_type("v", np.float16, 16, 10)]),
    "Transpose": ([form("Transpose", "u", "v", perm=[1, 0])], [floats("v", 10, 16)]),
    "Reshape": ([form("Reshape", "u", "v", "s")], [floats("v", 160), ints("s", 16, -1)]),
    "Squeeze": ([form("Squeeze", "u", "v", "s")], [floats("v", 16, 1, 10), ints("s", 1)]),
    "Unsqueeze": ([form("Unsqueeze", "b", "v", "s")], [U, floats("v", 10), ints("s", 0)]),
    "Flatten": ([form("Flatten", "u", "v")], [floats("v", 16, 5, 2)]),
    "DequantizeLinear": ([form("DequantizeLinear", "u", "v", "s")], [as_type("v", np.int8, 16, 10), floats("s")]),
    "several": (
        [form("Cast", "t", "v", to=TensorProto.FLOAT), form("Transpose", "u", "t", perm=[1, 0])],
        [as_type("v", np.float16, 10, 16)],
    ),
}


@pytest.mark.parametrize("as_nodes", [False, True], ids=["initializers", "nodes"])
@pytest.mark.parametrize("name", FORMS)
def test_weights_in_another_form_are_weights(name, as_nodes, tmp_path):
    forms, tensors = FORMS[name]
    given = {W.name: W, **{tensor.name: tensor for tensor in tensors}}
    if not any("b" in node.output for node in forms):
        given.setdefault("b", B)
    end = [helper.make_node("Gemm", ["f", "u", "b"], ["y"])] if name == "Gemm" else [PRODUCT, SUM]
    assert layers(tmp_path, [*forms, CONV, *HEAD, *end], list(given.values()), as_nodes=as_nodes) == LINEAR


@pytest.mark.parametrize("as_nodes", [False, True], ids=["initializers", "nodes"])
def test_long_weights_in_another_form(as_nodes, tmp_path):
    """Their values are not read."""
    forms = [form("Transpose", "u", "v", perm=[1, 0])]
    tensors = [floats("w", 512, 3, 3, 3), floats("v", 1000, 512), floats("b", 1000)]
    expected = [("c", "conv", 13824), ("p", "pool", 0), ("y", "linear", 513_000)]
    assert layers(tmp_path, [*forms, CONV, *HEAD, PRODUCT, SUM], tensors, as_nodes=as_nodes) == expected


@pytest.mark.parametrize("as_nodes", [False, True], ids=["initializers", "nodes"])
def test_weights_of_two_layers_are_counted_once(as_nodes, tmp_path):
    nodes = [CONV, *HEAD, PRODUCT, form("Transpose", "v", "u", perm=[1, 0]), helper.make_node("MatMul", ["m", "v"], ["y"])]
    made = layers(tmp_path, nodes, [W, U], as_nodes=as_nodes)
    assert made == [("c", "conv", 432), ("p", "pool", 0), ("m", "linear", 160), ("y", "linear", 160)]
    assert analyze(read_onnx_file(tmp_path / "m.onnx"), 32).params == 432 + 160


def test_what_code_makes_is_no_weight(tmp_path):
    """torch writes the means of colours as a node, and weights as initializers."""
    means = helper.make_node("Constant", [], ["mean"], value=floats("mean", 1, 3, 1, 1))
    nodes = [means, form("Sub", "n", "x", "mean"), helper.make_node("Conv", ["n", "w"], ["c"]), *HEAD, PRODUCT, SUM]
    path = onnx_file(tmp_path / "m.onnx", nodes, [W, U, B], sizes=(1, 3, 32, 32))
    assert analyze(read_onnx_file(path), 32).params == 602


def test_bias_as_a_node_beside_initializers(tmp_path):
    bias = helper.make_node("Constant", [], ["k"], value=floats("k", 1, 16, 1, 1))
    nodes = [bias, helper.make_node("Conv", ["x", "w"], ["v"]), form("Add", "c", "v", "k"), *HEAD, PRODUCT, SUM]
    path = onnx_file(tmp_path / "m.onnx", nodes, [W, U, B], sizes=(1, 3, 32, 32))
    assert analyze(read_onnx_file(path), 32).params == 602 + 16


def test_which_constants_are_left():
    many, one = torch.empty(4, device="meta"), torch.empty((), device="meta")
    nodes = [
        form("Sub", "n", "x", "mean"),
        form("Reshape", "v", "flat", "shape"),
        form("Conv", "c", "n", "v"),
        form("Add", "y", "bias", "c"),
        form("Mul", "z", "y", "grid"),
    ]
    constants = {"mean", "flat", "shape", "bias", "grid"}
    tensors = {**dict.fromkeys(constants, many), "shape": one}
    assert code_constants(nodes, {**tensors, "w": many}, constants) == {"mean", "shape", "grid"}
    assert code_constants(nodes, tensors, constants) == {"shape"}


def test_weights_without_their_zeros(tmp_path):
    path = onnx_file(tmp_path / "m.onnx", [CONV, *HEAD, PRODUCT, SUM], [U, B], sizes=(1, 3, 32, 32))
    model = onnx.load(path)
    places = helper.make_tensor("places", TensorProto.INT64, [2], [0, 100])
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=floats("w", 2), indices=places, dims=[16, 3, 3, 3]))
    onnx.save(model, path)
    analysis = analyze(read_onnx_file(path), 32)
    assert [(layer.name, layer.kind, layer.params) for layer in analysis.layers] == LINEAR
