from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from rfcheck import analyze
from rfcheck.errors import TargetError, TraceError
from rfcheck.target.onnx.listing import listing_of
from rfcheck.target.onnx.reading import read_onnx
from rfcheck.target.program import Program
from tests.target.programs import floats, ints, onnx_file

CONV = helper.make_node("Conv", ["x", "w"], ["a"], "stem", pads=[1] * 4)
WEIGHT = floats("w", 8, 3, 3, 3)


@pytest.fixture
def program(tmp_path):
    def made(nodes, initializers=(), **options) -> Program:
        return Program(listing_of(read_onnx(onnx_file(tmp_path / "m.onnx", nodes, initializers, **options))))

    return made


def result(name: str) -> helper.NodeProto:
    return helper.make_node("Identity", [name], ["y"])


def test_everything_that_the_file_says(tmp_path):
    path = onnx_file(
        tmp_path / "m.onnx",
        [CONV, helper.make_node("ConvTranspose", ["a", "t"], ["y"], "up", group=2), helper.make_node("Relu", ["y"], ["z"], "last")],
        [WEIGHT, floats("t", 8, 2, 2, 2)],
        sizes=("n", 3, 32, None),
    )
    listing = listing_of(read_onnx(path))
    assert (listing.type, listing.source, listing.input_name, listing.input_sizes) == (
        "Model",
        "ONNX model",
        "x",
        (None, 3, 32, None),
    )
    assert [(step.label, step.reads) for step in listing.steps] == [
        ("Conv 'stem'", "x"),
        ("ConvTranspose 'up'", "a"),
        ("Relu 'last'", "y"),
    ]
    assert {name: tuple(t.shape) for name, t in listing.parameters.items()} == {"w": (8, 3, 3, 3), "t": (8, 2, 2, 2)}
    assert listing.attributes == {
        "stem": {"kernel_size": (3, 3), "in_channels": 3},
        "up": {"kernel_size": (2, 2), "in_channels": 8},
    }
    assert listing.outputs == ("y",)


def test_shape_arithmetic_at_any_size(program):
    """Half of the map, by sizes that are worked out from the image."""
    nodes = [
        CONV,
        helper.make_node("Shape", ["a"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["h"]),
        helper.make_node("Div", ["h", "two"], ["half"]),
        helper.make_node("Unsqueeze", ["half", "zero"], ["end"]),
        helper.make_node("Slice", ["a", "zero", "end", "twos"], ["y"]),
    ]
    scalar = numpy_helper.from_array(np.array(2, np.int64), "two")
    model = program(nodes, [WEIGHT, scalar, ints("zero", 0), ints("twos", 2)])
    for size in (32, 50):
        assert analyze(model, size).graph.nodes["y"]["shape"] == (1, 8, size // 2, size)


def test_images_with_channels_last(program):
    turn = helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])
    model = program([turn, helper.make_node("Conv", ["t", "w"], ["y"], "c")], [WEIGHT], sizes=(None, 32, 48, 3))
    assert analyze(model, (3, 32, 48)).layer("c").out_size == (30, 46)


def test_branches_that_sizes_decide(program):
    held = floats("inner", 4, 3, 5, 5)
    then = helper.make_graph(
        [helper.make_node("Conv", ["x", "inner"], ["t"])], "t", [], [helper.make_empty_tensor_value_info("t")], [held]
    )
    other = helper.make_graph([helper.make_node("Relu", ["x"], ["e"])], "e", [], [helper.make_empty_tensor_value_info("e")])
    nodes = [
        helper.make_node("Size", ["x"], ["n"]),
        helper.make_node("Equal", ["n", "limit"], ["is_small"]),
        helper.make_node("If", ["is_small"], ["y"], "branch", then_branch=then, else_branch=other),
    ]
    model = program(nodes, [numpy_helper.from_array(np.array(3 * 32 * 32, np.int64), "limit")])
    assert [layer.kernel for layer in analyze(model, 32).layers] == [(5, 5)]
    assert analyze(model, 33).layers == ()
    assert analyze(model, 33).params == 4 * 75


def test_functions_of_the_file_are_not_left_over(tmp_path):
    from rfcheck.target.onnx.file import read_onnx_file

    function = helper.make_function(
        "com.acme", "Block", ["i", "k"], ["o"], [helper.make_node("Conv", ["i", "k"], ["o"], "c")], [helper.make_opsetid("", 17)]
    )
    call = helper.make_node("Block", ["x", "w"], ["y"], "block", domain="com.acme")
    model = read_onnx_file(onnx_file(tmp_path / "m.onnx", [call], [WEIGHT], functions=[function]))
    assert [layer.kernel for layer in analyze(model, 32).layers] == [(3, 3)]


def test_equal_parameters_that_torch_wrote_once_are_counted_each(program):
    nodes = [
        helper.make_node("Identity", ["b"], ["b2"]),
        helper.make_node("Add", ["x", "b"], ["a"]),
        helper.make_node("Add", ["a", "b2"], ["y"]),
    ]
    assert analyze(program(nodes, [floats("b", 3, 1, 1)]), 32).params == 6


def test_weights_in_constant_nodes(program):
    held = helper.make_node("Constant", [], ["w"], value=floats("", 8, 3, 3, 3))
    other = helper.make_node("Constant", [], ["two"], value_float=2.0)
    model = program([held, other, CONV, helper.make_node("Mul", ["a", "two"], ["y"])])
    assert analyze(model, 32).params == 216


def test_half_precision(program):
    half = numpy_helper.from_array(np.ones((8, 3, 3, 3), np.float16), "w")
    analysis = analyze(program([CONV, result("a")], [half]), 32)
    assert analysis.activation_bytes == 8 * 32 * 32 * 2


def test_quantised_models(program):
    """Weights and maps that are quantised and turned back around a convolution."""
    scale, zero = numpy_helper.from_array(np.array(0.1, np.float32), "s"), numpy_helper.from_array(np.array(0, np.int8), "z")
    weight = numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.int8), "w8")
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w8", "s", "z"], ["dw"]),
        helper.make_node("Conv", ["d", "dw"], ["y"], "c"),
    ]
    analysis = analyze(program(nodes, [scale, zero, weight]), 32)
    assert [(layer.name, layer.params, layer.r_max) for layer in analysis.layers] == [("c", 108, (3, 3))]
    assert analysis.assumptions == ()


def test_quantised_gates_are_gates(program):
    scale = numpy_helper.from_array(np.array(0.01, np.float32), "s")
    nodes = [
        CONV,
        helper.make_node("GlobalAveragePool", ["a"], ["g"]),
        helper.make_node("Conv", ["g", "e"], ["h"], "excite"),
        helper.make_node("HardSigmoid", ["h"], ["p"]),
        helper.make_node("QuantizeLinear", ["p", "s"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s"], ["d"]),
        helper.make_node("Mul", ["a", "d"], ["m"]),
        helper.make_node("Conv", ["m", "v"], ["y"], "last"),
    ]
    analysis = analyze(program(nodes, [WEIGHT, scale, floats("e", 8, 8, 1, 1), floats("v", 4, 8, 3, 3)]), 32)
    roles = {layer.name: (layer.role, layer.r_max) for layer in analysis.layers if layer.kind == "conv"}
    assert roles["excite"][0] == "gate"
    assert roles["last"] == ("features", (5, 5))


def test_an_operator_of_another_library(program):
    strange = helper.make_node("Strange", ["a"], ["b"], "strange", domain="com.acme")
    last = helper.make_node("Conv", ["b", "v"], ["y"], "last")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 32, 32]) for name in "ab"]
    model = program([CONV, strange, last], [WEIGHT, floats("v", 4, 8, 3, 3)], sizes=(1, 3, 32, 32), values=values)
    for size in (32, 64):
        analysis = analyze(model, size)
        assert analysis.assumptions == ("strange: com_acme::Strange: unknown operator, taken as pointwise",)
        assert [finding.code for finding in analysis.findings if finding.code == "RF901"] == ["RF901"]
        assert analysis.layer("last").r_max == (5, 5)


def test_a_use_of_a_known_operator_that_the_table_does_not_cover(program):
    resize = helper.make_node("Resize", ["a", "", "s"], ["b"], "up", mode="cubic", coordinate_transformation_mode="asymmetric")
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s")
    analysis = analyze(
        program([CONV, resize, helper.make_node("Conv", ["b", "v"], ["y"], "last")], [WEIGHT, scales, floats("v", 4, 8, 3, 3)]), 32
    )
    assert analysis.assumptions == ("up: onnx::Resize: unknown operator, its receptive field is unknown",)
    assert analysis.layer("last").r_max is None
    assert analysis.layer("last").in_size == (64, 64)


def test_another_size_than_that_of_the_file(program):
    flat = helper.make_node("Reshape", ["x", "shape"], ["y"], "flat")
    model = program([flat], [ints("shape", 1, 3072)], sizes=(1, 3, 32, 32))
    assert analyze(model, 32).flops == 0
    with pytest.raises(TraceError) as caught:
        analyze(model, 64)
    assert str(caught.value).startswith(
        "the forward pass fails at input 3x64x64 in layer flat (Reshape), which received a tensor of shape 1x3x64x64: ProgramError: "
        "Reshape 'flat': shape '[1, 3072]' is invalid for input of size 12288; the ONNX model was made for 3x32x32: "
        "to analyse other sizes export it with dynamic_axes or dynamic_shapes"
    )


def test_several_inputs_are_refused(program):
    more = [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, 8, 8])]
    with pytest.raises(TargetError) as caught:
        program([helper.make_node("Mul", ["x", "mask"], ["y"])], inputs=more)
    assert str(caught.value) == (
        "the ONNX model takes 2 inputs (x, mask), rfcheck gives it one image; "
        "export a module whose forward takes the image only and supplies the others"
    )


def test_initializers_among_the_inputs_are_none(program):
    """As files of the first versions have it."""
    model = program([CONV, result("a")], [WEIGHT], inputs=[helper.make_tensor_value_info("w", TensorProto.FLOAT, [8, 3, 3, 3])])
    assert analyze(model, 32).params == 216


@pytest.mark.parametrize(("sizes", "described"), [((1, 784), "2 dimensions"), ((1,) * 6, "6 dimensions"), ((), "0 dimensions")])
def test_inputs_that_are_no_images(sizes, described, program):
    with pytest.raises(TargetError) as caught:
        program([helper.make_node("Relu", ["x"], ["y"])], sizes=sizes)
    assert str(caught.value) == f"the input x of the ONNX model has {described}; an image has 3 to 5: images, channels, axes"


def test_one_image_axis(program):
    model = program([helper.make_node("Conv", ["x", "w"], ["y"], "c", strides=[2])], [floats("w", 8, 3, 5)], sizes=(None, 3, None))
    assert analyze(model, 64).layer("c").out_size == (30,)


def test_values_on_the_device_of_the_image_and_values_at_hand_meet(program):
    nodes = [helper.make_node("Range", ["zero", "n", "one"], ["r"]), helper.make_node("Cast", ["r"], ["f"], to=1)]
    nodes += [helper.make_node("Mul", ["x", "f"], ["a"]), helper.make_node("Where", ["c", "a", "x"], ["y"])]
    scalars = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (("zero", 0), ("n", 32), ("one", 1))]
    condition = numpy_helper.from_array(np.array([[True]]), "c")
    model = program(nodes, [*scalars, condition])
    (made,) = model(torch.empty(1, 3, 32, 32, device="meta"))
    assert made.shape == (1, 3, 32, 32)
