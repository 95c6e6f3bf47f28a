from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, shape_inference

from rfcheck.target.onnx.call import NotCoveredError
from tests.target.programs import assert_agrees, call

RANDOM = np.random.default_rng(0)
PADS = ([0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 2, 1])


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(("k", "s", "d"), list(itertools.product((1, 2, 3), (1, 2), (1, 2))))
@pytest.mark.parametrize("pads", PADS, ids=str)
def test_convolutions(k, s, d, pads):
    for size in (7, 8):
        x, weight, bias = floats(1, 4, size, size), floats(6, 2, k, k), floats(6)
        assert_agrees("Conv", [x, weight, bias], pads=pads, strides=[s, s], dilations=[d, d], group=2, kernel_shape=[k, k])
        assert_agrees("ConvTranspose", [x, floats(4, 3, k, k)], pads=pads, strides=[s, s], dilations=[d, d])


@pytest.mark.parametrize("pads", [[1, 1, 2, 2], [0, 2, 1, 1], [3, 0, 0, 0]], ids=str)
def test_convolutions_with_other_padding_at_the_end(pads):
    assert_agrees("Conv", [floats(1, 2, 6, 7), floats(3, 2, 4, 4)], pads=pads)


@pytest.mark.parametrize(("k", "s"), list(itertools.product((1, 2, 3), (1, 2))))
@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_automatic_padding(k, s, auto_pad):
    for size in (7, 8):
        x = floats(1, 4, size, size)
        assert_agrees("Conv", [x, floats(6, 4, k, k)], auto_pad=auto_pad, strides=[s, s], dilations=[1, 1], kernel_shape=[k, k])
        assert_agrees("ConvTranspose", [x, floats(4, 3, k, k)], auto_pad=auto_pad, strides=[s, s])


def test_other_numbers_of_axes():
    assert_agrees("Conv", [floats(1, 2, 9), floats(3, 2, 3)], pads=[1, 1])
    assert_agrees("Conv", [floats(1, 2, 5, 5, 5), floats(3, 2, 3, 3, 3)], pads=[1] * 6)
    with pytest.raises(NotCoveredError):
        call("Conv", [floats(1, 2, 3, 3, 3, 3), floats(3, 2, 1, 1, 1, 1)])


def test_sizes_of_transposed_convolutions():
    x, weight = floats(1, 4, 7, 7), floats(4, 3, 3, 3)
    assert_agrees("ConvTranspose", [x, weight], strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 1, 1])
    for wanted in ([14, 14], [13, 14], [15, 15]):
        assert call("ConvTranspose", [x, weight], strides=[2, 2], output_shape=wanted).shape == (1, 3, *wanted)


def test_grouped_transposed_convolutions():
    """The reference of onnx has no groups; torch's own operator is asked."""
    x, weight = torch.from_numpy(floats(1, 4, 7, 7)), torch.from_numpy(floats(4, 3, 3, 3))
    made = call("ConvTranspose", [x, weight], strides=[2, 2], group=2)
    assert torch.allclose(made, torch.conv_transpose2d(x, weight, stride=2, groups=2))


def inferred(operator: str, x: np.ndarray, **attributes) -> tuple[int, ...]:
    """The shape of a result as onnx works it out."""
    node = helper.make_node(operator, ["x"], ["y"], **attributes)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    model = helper.make_model(helper.make_graph([node], "g", [value], [onnx.ValueInfoProto(name="y")]), ir_version=10)
    (result,) = shape_inference.infer_shapes(model).graph.output
    return tuple(dim.dim_value for dim in result.type.tensor_type.shape.dim)


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(("k", "s"), list(itertools.product((1, 2, 3), (1, 2))))
def test_pooling(operator, k, s):
    for size, pads in itertools.product((7, 8), PADS):
        x = floats(1, 4, size, size)
        fitting = {"pads": [min(p, k - 1) for p in pads], "strides": [s, s], "kernel_shape": [k, k]}
        assert tuple(call(operator, [x], **fitting).shape) == inferred(operator, x, **fitting)
        if len(set(fitting["pads"])) == 1:
            assert_agrees(operator, [x], **fitting)
        for automatic in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            given = {"auto_pad": automatic, "strides": [s, s], "kernel_shape": [k, k]}
            assert tuple(call(operator, [x], **given).shape) == inferred(operator, x, **given)


def test_more_of_pooling():
    for operator, ceil in itertools.product(("MaxPool", "AveragePool"), (0, 1)):
        assert_agrees(operator, [floats(1, 2, 8, 8)], ceil_mode=ceil, strides=[2, 2], kernel_shape=[3, 3])
    assert_agrees("MaxPool", [floats(1, 2, 9, 9)], dilations=[2, 2], kernel_shape=[3, 3])
    assert call("MaxPool", [floats(1, 2, 4, 4)], kernel_shape=[2, 2], outputs=2)[1].dtype == torch.int64
    assert tuple(call("MaxPool", [floats(1, 2, 4, 4)], kernel_shape=[2, 2], pads=[2, 2, 2, 2]).shape) == (1, 2, 7, 7)
    with pytest.raises(NotCoveredError):
        call("AveragePool", [floats(1, 2, 9, 9)], dilations=[2, 2], kernel_shape=[3, 3])


def test_global_pooling():
    """Against numpy; the reference of onnx reduces the wrong axes unless there are two."""
    for shape in ((2, 3, 5), (2, 3, 5, 6), (2, 3, 4, 5, 6)):
        x, axes = floats(*shape), tuple(range(2, len(shape)))
        np.testing.assert_allclose(call("GlobalAveragePool", [x]).numpy(), x.mean(axes, keepdims=True), atol=1e-5)
        np.testing.assert_allclose(call("GlobalMaxPool", [x]).numpy(), x.max(axes, keepdims=True))


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_padding(mode):
    assert_agrees("Pad", [floats(1, 2, 5, 6), np.array([0, 0, 1, 2, 0, 0, 3, 1], np.int64)], mode=mode)
    assert_agrees("Pad", [floats(1, 2, 5), np.array([0, 0, 1, 0, 0, 2], np.int64)], mode=mode)


def test_padding_of_some_axes_and_cropping():
    assert_agrees("Pad", [floats(1, 2, 5, 6), np.array([1, 2], np.int64), None, np.array([3], np.int64)])
    assert_agrees("Pad", [floats(1, 2, 5, 6)], opset=2, pads=[0, 0, 1, 1, 0, 0, 1, 1])
    assert tuple(call("Pad", [floats(1, 2, 5, 6), np.array([0, 0, -1, 2, 0, 0, -1, 1])]).shape) == (1, 2, 3, 9)
    with pytest.raises(NotCoveredError):
        call("Pad", [floats(1, 2, 5, 6), np.array([0, 1, 0, 0, 0, 1, 0, 0])], mode="reflect")


def test_quantised_convolutions():
    x, weight = floats(1, 3, 8, 8), np.zeros((4, 3, 3, 3), np.int8)
    scale, zero = np.array(0.1, np.float32), np.array(0, np.int8)
    made = call("QLinearConv", [x, scale, zero, weight, scale, zero, scale, zero, np.zeros(4, np.int32)], pads=[1] * 4)
    assert tuple(made.shape) == (1, 4, 8, 8)
    assert tuple(call("ConvInteger", [x, weight, zero]).shape) == (1, 4, 6, 6)


def test_local_response_normalisation():
    assert_agrees("LRN", [floats(1, 6, 4, 4)], size=5, values=False)
