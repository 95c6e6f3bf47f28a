from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from rfcheck.target.listing import Run, Scope
from rfcheck.target.onnx.graph import contents_of, without_constants
from rfcheck.target.onnx.steps import step_of
from tests.target.programs import floats, ints, onnx_file

IMAGE = torch.empty(1, 3, 8, 8, device="meta")


def run(tmp_path, nodes, initializers=(), *, is_resized: bool = False, **options) -> Run:
    """Run the nodes of a graph that are no constants, on an image "x"."""
    model = onnx.load(onnx_file(tmp_path / "m.onnx", nodes, initializers, **options))
    contents = contents_of(model)
    kept = without_constants(model.graph, contents)
    made = Run({**contents.tensors, "x": IMAGE}, {}, is_resized=is_resized)
    for node in kept:
        step_of(node, (), contents).apply(made)
    return made


def test_a_step_names_its_node_and_what_it_reads(tmp_path):
    model = onnx.load(
        onnx_file(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"], "act"), helper.make_node("Relu", ["y"], ["z"])])
    )
    scopes = (Scope("a", "Relu", "a"),)
    steps = [step_of(node, scopes, contents_of(model)) for node in model.graph.node]
    assert [(step.label, step.reads, step.scopes) for step in steps] == [("Relu 'act'", "x", scopes), ("Relu", "y", scopes)]


def test_results_are_stored_by_name(tmp_path):
    split = helper.make_node("Split", ["x", "sizes"], ["a", "", "b"], axis=1)
    made = run(tmp_path, [split], [ints("sizes", 1, 1, 1)]).values
    assert made["a"].shape == made["b"].shape == (1, 1, 8, 8)
    assert "" not in made


def test_arithmetic_on_sizes_uses_the_values_of_the_file(tmp_path):
    """Also of tensors that look like weights."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], start=2),
        helper.make_node("Cast", ["s"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "w"], ["y"]),
    ]
    made = run(tmp_path, nodes, [floats("w", 2)]).values["y"]
    assert not made.is_meta
    assert made.tolist() == pytest.approx([8 * float(n) for n in onnx.numpy_helper.to_array(floats("w", 2))])


def test_weights_stay_without_values(tmp_path):
    nodes = [helper.make_node("Unsqueeze", ["w", "axes"], ["y"])]
    assert run(tmp_path, nodes, [floats("w", 2), ints("axes", 0)]).values["y"].is_meta


def test_operators_without_an_entry(tmp_path):
    values = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 7, 8, 8])]
    strange = helper.make_node("Conv", ["x"], ["y"], domain="com.acme")
    assert run(tmp_path, [strange], values=values).values["y"].shape == (1, 7, 8, 8)
    resize = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="cubic", coordinate_transformation_mode="asymmetric")
    scales = onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s")
    assert run(tmp_path, [resize], [scales]).values["y"].shape == (1, 3, 16, 16)


def test_conditions_on_values_are_refused(tmp_path):
    def branch(name: str) -> onnx.GraphProto:
        return helper.make_graph([helper.make_node("Relu", ["x"], [name])], name, [], [helper.make_empty_tensor_value_info(name)])

    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Cast", ["m"], ["c"], to=TensorProto.BOOL),
        helper.make_node("If", ["c"], ["y"], then_branch=branch("t"), else_branch=branch("e")),
    ]
    with pytest.raises(ValueError, match="^input 0 of If depends on values, which a file is read without$"):
        run(tmp_path, nodes)
