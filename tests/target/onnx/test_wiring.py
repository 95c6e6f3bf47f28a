from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from rfcheck.errors import TargetError
from rfcheck.target.onnx.wiring import graphs_of, label_of, nodes_in, require_wired
from tests.target.programs import floats

IMAGE = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])


def node(operator, reads, makes, name="", **attributes):
    return helper.make_node(operator, reads.split(), makes.split(), name=name, **attributes)


def model(*nodes, held=(), returns="y", opsets=(("", 17), ("com.acme", 1))):
    result = helper.make_tensor_value_info(returns, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [IMAGE], [result], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets])


def branch(*nodes, returns):
    return helper.make_graph(nodes, "b", [], [helper.make_tensor_value_info(returns, TensorProto.FLOAT, None)])


def test_a_graph_in_order():
    inner = branch(node("Add", "t w", "u"), returns="u")
    choice = node("If", "c", "y", then_branch=inner, else_branch=inner)
    both = model(node("Relu", "x", "t"), node("Constant", "", "c", value_int=1), choice, held=[floats("w", 3, 8, 8)])
    require_wired(both)
    assert [one.op_type for one in nodes_in(both.graph)] == ["Relu", "Constant", "If", "Add", "Add"]
    assert [len(graphs_of(one)) for one in both.graph.node] == [0, 0, 2]


def test_inputs_that_are_left_out_and_initializers_without_their_zeros():
    sparse = onnx.SparseTensorProto(
        values=floats("w", 2), indices=helper.make_tensor("i", TensorProto.INT64, [2], [0, 5]), dims=[9]
    )
    both = model(helper.make_node("Clip", ["x", "", "w"], ["y"]))
    both.graph.sparse_initializer.append(sparse)
    require_wired(both)


NEITHER = "which is neither an input nor an initializer of the file, nor made by a node"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (model(node("Conv", "x w", "y", "/conv/Conv")), f"Conv '/conv/Conv' reads 'w', {NEITHER}"),
        (model(node("Relu", "x", "t")), f"returns 'y', {NEITHER}"),
        (
            model(node("Relu", "t", "y"), node("Relu", "x", "t")),
            "Relu 'y' reads 't' before Relu 't' makes it; sort the nodes of the file",
        ),
        (
            model(node("Add", "x z", "y"), node("Relu", "y", "z")),
            "the graph has a cycle: Add 'y' reads Relu 'z' reads Add 'y'; no order of the nodes can be run",
        ),
        (model(node("Add", "x y", "y")), "the graph has a cycle: Add 'y' reads Add 'y'; no order of the nodes can be run"),
        (
            model(node("Relu", "x", "y", "a"), node("Relu", "x", "y", "b")),
            "Relu 'b' makes 'y' a second time; values of an ONNX graph have names of their own",
        ),
        (
            model(node("Relu", "x", "x"), node("Relu", "x", "y")),
            "Relu 'x' makes 'x' a second time; values of an ONNX graph have names of their own",
        ),
        (model(node("If", "x", "y", then_branch=branch(node("Relu", "q", "r"), returns="r"))), f"Relu 'r' reads 'q', {NEITHER}"),
        (
            model(node("Relu", "x", "y"), opsets=[("", -1)]),
            "gives version -1 for the operators of onnx; there are versions from 1 on",
        ),
        (
            model(node("Relu", "x", "y"), opsets=[("com.acme", 1)]),
            "does not say which version of the operators of onnx Relu 'y' is written for; export it again",
        ),
    ],
)
def test_what_cannot_be_run(broken, message):
    with pytest.raises(TargetError) as caught:
        require_wired(broken)
    assert str(caught.value) == message


def test_long_cycles_end():
    ring = [node("Relu", f"v{(index + 1) % 500}", f"v{index}") for index in range(500)]
    with pytest.raises(TargetError) as caught:
        require_wired(model(*ring, returns="v0"))
    assert str(caught.value) == (
        "the graph has a cycle: Relu 'v0' reads Relu 'v1' reads Relu 'v2' reads Relu 'v3' reads ... reads Relu 'v0'; "
        "no order of the nodes can be run"
    )


def test_labels():
    assert label_of(node("Relu", "x", "y")) == "Relu 'y'"
    assert label_of(node("Relu", "x", "y", "n")) == "Relu 'n'"
    assert label_of(helper.make_node("Relu", ["x"], [])) == "Relu ''"


def test_a_cycle_over_one_of_two_results():
    broken = model(node("Split", "x q", "a b"), node("Relu", "a", "p"), node("Add", "p b", "q"), node("Relu", "q", "y"))
    with pytest.raises(TargetError, match="^the graph has a cycle: Split 'a' reads Add 'q' reads Split 'a'; no order"):
        require_wired(broken)
