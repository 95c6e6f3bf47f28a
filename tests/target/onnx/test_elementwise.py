from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import TensorProto

from rfcheck.target.onnx.elementwise import ELEMENTWISE
from tests.target.programs import assert_agrees, call

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 3, 4, 5)).astype(np.float32)
ROW = RANDOM.standard_normal((3, 1, 5)).astype(np.float32)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


ONE = (
    "Identity Relu LeakyRelu ThresholdedRelu Elu Celu Selu Gelu Sigmoid HardSwish Mish Softplus Softsign Tanh Neg Abs Sign Exp Erf"
)
ONE += " Floor Ceil Round Sin Cos Tan Atan IsNaN IsInf Reciprocal Dropout Clip Shrink"
TWO = "Add Sub Mul Div Max Min Sum Mean Greater GreaterOrEqual Less LessOrEqual Equal"


@pytest.mark.parametrize("operator", ONE.split())
def test_of_one_tensor(operator):
    assert_agrees(operator, [X])


@pytest.mark.parametrize("operator", ["Sqrt", "Log"])
def test_of_positive_numbers(operator):
    assert_agrees(operator, [np.abs(X) + 0.1])


@pytest.mark.parametrize("operator", TWO.split())
def test_of_two_tensors(operator):
    assert_agrees(operator, [X, ROW])


def test_of_several_tensors():
    for operator in ("Sum", "Mean", "Max", "Min"):
        assert_agrees(operator, [X, X + 1, ROW])


def test_logic():
    for operator in ("And", "Or", "Xor"):
        assert_agrees(operator, [X > 0, X > 1])
    assert_agrees("Not", [X > 0])
    assert_agrees("Where", [X > 0, X, ROW])


def test_whole_numbers():
    a, b = np.array([7, -7, 9], np.int64), np.array([2, 2, -4], np.int64)
    for operator in ("Div", "Mod", "Add", "Mul"):
        assert_agrees(operator, [a, b])
    assert_agrees("Mod", [X, X[::-1].copy()], fmod=1)
    assert_agrees("Pow", [a, np.array([2, 2, 2], np.int64)])
    assert_agrees("Clip", [a, np.array(-1), np.array(8)])


def test_powers():
    assert_agrees("Pow", [X, number(2.0)])
    assert_agrees("Pow", [np.abs(X), ROW])


@pytest.mark.parametrize("to", [TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.FLOAT16])
def test_casts(to):
    assert_agrees("Cast", [X], to=to)
    assert_agrees("CastLike", [X, np.array([1], np.int64)])


def test_bounds():
    for bounds in ([number(-0.5), number(0.5)], [None, number(0.5)], [number(0)]):
        assert_agrees("Clip", [X, *bounds])
    assert_agrees("Clip", [X], opset=6, min=0.0, max=6.0)


def test_slopes():
    for shape in ((3, 1, 1), (1,), (4, 5)):
        assert_agrees("PRelu", [X, RANDOM.standard_normal(shape).astype(np.float32)])


def test_hard_sigmoids_lie_between_0_and_1_whatever_their_slope():
    made = call("HardSigmoid", [X * 10], alpha=0.2)
    assert float(made.min()) == 0.0
    assert float(made.max()) == 1.0


def test_swish():
    x = torch.from_numpy(X)
    assert torch.allclose(call("Swish", [X]), x * torch.sigmoid(x))


def test_quantisation_keeps_shapes_and_floating_types():
    scale, zero = number(0.1), np.array(0, np.int8)
    assert call("QuantizeLinear", [X, scale, zero]).dtype == torch.float32
    assert_agrees("DynamicQuantizeLinear", [X], outputs=3, values=False)
    assert_agrees("DequantizeLinear", [np.zeros((2, 3), np.int8), scale, zero])


def test_dropout_with_its_mask():
    kept, mask = call("Dropout", [X], outputs=2)
    assert torch.equal(kept, torch.from_numpy(X))
    assert mask.all()


def test_every_entry_works_without_data():
    """What reads the image gets tensors that hold none."""
    image = torch.empty(2, 3, 4, 4, device="meta")
    of_three = {"Where", "QuantizeLinear", "DequantizeLinear", "Clip"}
    for operator in sorted(set(ELEMENTWISE) - {"Cast"}):
        count = 1 if operator in {*ONE.split(), "Clip"} - of_three else 3 if operator in of_three else 2
        made = call(operator, [image, np.ones((1,), np.float32), np.ones((1,), np.float32)][:count])
        first = made[0] if isinstance(made, tuple) else made
        assert first.is_meta, operator
        assert first.shape == image.shape, operator
