from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from rfcheck.target.onnx.graph import attributes_of, contents_of, without_constants
from tests.target.programs import floats, ints, onnx_file


def read(tmp_path, nodes, initializers=(), **options):
    model = onnx.load(onnx_file(tmp_path / "m.onnx", nodes, initializers, **options))
    contents = contents_of(model)
    return without_constants(model.graph, contents), contents


def constant(name: str, **value) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], **value)


def test_what_the_file_says_of_its_values(tmp_path):
    between = helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 8, None])
    _, contents = read(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], sizes=("n", 3, 8, 8), values=[between], opset=13)
    assert contents.shapes == {"x": (None, 3, 8, 8), "a": (1, 8, None)}
    assert contents.opset == 13


def test_tensors_of_the_file(tmp_path):
    text = helper.make_tensor("text", TensorProto.STRING, [1], ["a"])
    nodes, contents = read(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], [floats("w", 2, 3), ints("axes", 1), text])
    assert [node.op_type for node in nodes] == ["Relu"]
    assert {name: (tuple(t.shape), t.is_meta) for name, t in contents.tensors.items()} == {
        "w": ((2, 3), True),
        "axes": ((1,), True),
    }
    assert contents.known["axes"].tolist() == [1]
    assert contents.constants == {"axes"}


def test_constants_and_what_is_computed_from_them(tmp_path):
    half = numpy_helper.from_array(np.array([0.5, 2], np.float32))
    nodes = [
        constant("a", value_ints=[1, 1]),
        constant("b", value=half),
        helper.make_node("Cast", ["a"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["c", "b"], ["d"], axis=0),
        helper.make_node("Resize", ["x", "", "d"], ["y"]),
    ]
    kept, contents = read(tmp_path, nodes)
    assert [node.op_type for node in kept] == ["Resize"]
    assert contents.known["d"].tolist() == [1, 1, 0.5, 2]
    assert contents.constants == {"a", "b", "c", "d"}


def test_weights_take_another_form_before_the_forward_pass(tmp_path):
    nodes = [helper.make_node("Transpose", ["w"], ["v"]), helper.make_node("MatMul", ["x", "v"], ["y"])]
    kept, contents = read(tmp_path, nodes, [floats("w", 2, 3)])
    assert [node.op_type for node in kept] == ["MatMul"]
    assert (contents.tensors["v"].shape, contents.tensors["v"].is_meta) == ((3, 2), True)
    assert (contents.constants, contents.origins) == (set(), {"v": "w"})


def test_weights_are_not_computed_with(tmp_path):
    kept, contents = read(tmp_path, [helper.make_node("Mul", ["w", "w"], ["y"])], [floats("w", 2, 3)])
    assert [node.op_type for node in kept] == ["Mul"]
    assert contents.constants == set()


def test_what_fails_or_grows_large_is_left_to_the_forward_pass(tmp_path):
    nodes = [helper.make_node("Reshape", ["a", "b"], ["c"]), helper.make_node("ConstantOfShape", ["b"], ["y"])]
    kept, _ = read(tmp_path, nodes, [ints("a", 1, 2, 3), ints("b", 1000, 1000)])
    assert [node.op_type for node in kept] == ["Reshape", "ConstantOfShape"]


def test_copies_of_parameters(tmp_path):
    nodes = [helper.make_node("Identity", ["w"], ["v"]), helper.make_node("Identity", ["x"], ["y"])]
    kept, contents = read(tmp_path, nodes, [floats("w", 2, 3)])
    assert [list(node.output) for node in kept] == [["y"]]
    assert contents.tensors["v"].shape == (2, 3)
    assert contents.tensors["v"] is not contents.tensors["w"]


def test_graphs_inside_nodes(tmp_path):
    inner = [constant("k", value_int=1), helper.make_node("Relu", ["x"], ["t"])]
    then = helper.make_graph(inner, "t", [], [helper.make_empty_tensor_value_info("t")], [floats("w", 4)])
    other = helper.make_graph([helper.make_node("Tanh", ["x"], ["e"])], "e", [], [helper.make_empty_tensor_value_info("e")])
    kept, contents = read(tmp_path, [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)])
    assert [node.op_type for node in kept] == ["If"]
    branches = contents.branches["y"]
    assert {holds: [node.op_type for node in b.nodes] for holds, b in branches.items()} == {True: ["Relu"], False: ["Tanh"]}
    assert {holds: b.outputs for holds, b in branches.items()} == {True: ["t"], False: ["e"]}
    assert {"k", "w"} <= set(contents.tensors)


def test_operators_of_other_domains_are_left_alone(tmp_path):
    kept, _ = read(tmp_path, [helper.make_node("Constant", [], ["y"], domain="com.acme", value_int=1)])
    assert [node.op_type for node in kept] == ["Constant"]


def test_attributes():
    node = helper.make_node("Op", ["x"], ["y"], number=1, ratio=0.5, text="mode", many=[1, 2])
    assert attributes_of(node) == {"number": 1, "ratio": 0.5, "text": "mode", "many": [1, 2]}
