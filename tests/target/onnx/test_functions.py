from __future__ import annotations

import pytest
from onnx import TensorProto, helper

from rfcheck.errors import TargetError
from rfcheck.target.onnx.functions import without_functions

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]


def function(name, *nodes):
    return helper.make_function("d", name, ["i"], ["o"], nodes, OPSETS)


def twice(name, called, domain="d"):
    """A function that calls another one two times."""
    return function(
        name, helper.make_node(called, ["i"], ["t"], domain=domain), helper.make_node(called, ["t"], ["o"], domain=domain)
    )


def model(called, *functions):
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node(called, ["x"], ["y"], domain="d")], "g", [image], [result])
    return helper.make_model(graph, functions=functions, opset_imports=OPSETS)


def doubling(depth):
    return [twice("F0", "Relu", "")] + [twice(f"F{level}", f"F{level - 1}") for level in range(1, depth)]


def test_calls_are_replaced():
    made = without_functions(model("F3", *doubling(4)))
    assert [node.op_type for node in made.graph.node] == ["Relu"] * 16
    assert not made.functions


def test_a_model_without_functions_stays():
    plain = model("Relu")
    assert without_functions(plain) is plain


@pytest.mark.parametrize(("depth", "counted"), [(16, "65,536"), (26, "67,108,864"), (5000, "1,000,000,000 or more")])
def test_an_expansion_without_end_is_counted_first(depth, counted):
    with pytest.raises(TargetError) as caught:
        without_functions(model(f"F{depth - 1}", *doubling(depth)))
    assert str(caught.value) == (
        f"its local functions expand to {counted} operators, at most 50,000 are read; export a part of the model, or without functions"
    )


def test_functions_inside_branches_count():
    inner = helper.make_graph(
        [helper.make_node("F16", ["i"], ["b"], domain="d")], "b", [], [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)]
    )
    choice = function("Choice", helper.make_node("If", ["i"], ["o"], then_branch=inner, else_branch=inner))
    with pytest.raises(TargetError, match="expand to 262,145 operators"):
        without_functions(model("Choice", choice, *doubling(17)))


@pytest.mark.parametrize("cycle", [["A"], ["A", "B", "C"]])
def test_functions_that_call_themselves(cycle):
    functions = [twice(name, called) for name, called in zip(cycle, cycle[1:] + cycle[:1], strict=True)]
    with pytest.raises(TargetError) as caught:
        without_functions(model("A", *functions))
    assert str(caught.value) == "its local function 'A' calls itself, and would be expanded without end"
