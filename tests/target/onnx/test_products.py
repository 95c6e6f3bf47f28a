from __future__ import annotations

import numpy as np
import pytest
import torch

from rfcheck.target.onnx.call import NotCoveredError
from tests.target.programs import assert_agrees, call

RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


X = floats(2, 3, 4, 5)


def test_matrices():
    assert_agrees("Gemm", [floats(3, 4), floats(4, 5), floats(5)])
    assert_agrees("Gemm", [floats(4, 3), floats(5, 4), floats(3, 5)], transA=1, transB=1)
    assert_agrees("Gemm", [floats(3, 4), floats(4, 5)])
    assert_agrees("Gemm", [floats(3, 4), floats(4, 5), floats(1, 5)])
    assert_agrees("MatMul", [floats(2, 3, 4), floats(4, 5)])
    assert_agrees("MatMul", [floats(4), floats(4, 5)])
    assert_agrees("Einsum", [floats(2, 3), floats(3, 4)], equation="ij,jk->ik")


def test_linear_layers_over_maps():
    x, weight, bias = floats(2, 7, 4), floats(4, 5), floats(5)
    np.testing.assert_allclose(call("Linear", [x, weight, bias]).numpy(), x @ weight + bias, atol=1e-5)


def test_quantised_matrices():
    scale, zero = np.array(0.1, np.float32), np.array(0, np.int8)
    assert tuple(call("MatMulInteger", [floats(2, 3), np.zeros((3, 4), np.int8)]).shape) == (2, 4)
    given = [floats(2, 3), scale, zero, np.zeros((3, 4), np.int8), scale, zero, scale, zero]
    assert tuple(call("QLinearMatMul", given).shape) == (2, 4)


def test_normalisation():
    assert_agrees("BatchNormalization", [X, floats(3), floats(3), floats(3), np.abs(floats(3))])
    assert_agrees("InstanceNormalization", [X, floats(3), floats(3)])
    assert_agrees("GroupNormalization", [floats(1, 4, 3, 3), floats(4), floats(4)], num_groups=2)
    assert_agrees("LayerNormalization", [X, floats(5), floats(5)])
    assert_agrees("LayerNormalization", [X, floats(4, 5)], axis=2)
    assert_agrees("LayerNormalization", [X, floats(5), floats(5)], outputs=3, values=False)
    assert_agrees("LpNormalization", [X], axis=1)
    x = torch.from_numpy(X)
    assert torch.allclose(call("RMSNormalization", [X, np.ones(5, np.float32)]), torch.rms_norm(x, [5]))


def test_normalisation_in_older_opsets():
    assert tuple(call("GroupNormalization", [floats(1, 4, 3, 3), floats(2), floats(2)], num_groups=2).shape) == (1, 4, 3, 3)
    statistics = [floats(3), floats(3), floats(3), np.abs(floats(3))]
    assert len(call("BatchNormalization", [X, *statistics], outputs=5, opset=7)) == 5
    with pytest.raises(NotCoveredError):
        call("GroupNormalization", [floats(1, 4, 3, 3), floats(1), floats(1)], num_groups=2)


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_softmax(operator):
    assert_agrees(operator, [X])
    assert_agrees(operator, [X], axis=1)
    flat = call(operator, [X], axis=2, opset=11)
    want = getattr(torch, "softmax" if operator == "Softmax" else "log_softmax")(torch.from_numpy(X).flatten(2), -1)
    assert torch.allclose(flat, want.reshape(X.shape), atol=1e-6)


REDUCTIONS = "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSumExp"


@pytest.mark.parametrize("operator", REDUCTIONS.split())
def test_reductions(operator):
    assert_agrees(operator, [X, np.array([1, -1], np.int64)])
    assert_agrees(operator, [X])
    assert_agrees(operator, [X, np.array([2], np.int64)], keepdims=0)
    assert_agrees(operator, [X], opset=11, axes=[2, 3])


def test_reductions_over_no_axes():
    none = np.array([], np.int64)
    assert_agrees("ReduceMean", [X, none], noop_with_empty_axes=1)
    assert_agrees("ReduceMean", [X, none])


def test_places_of_extremes():
    for operator in ("ArgMax", "ArgMin"):
        assert_agrees(operator, [X], axis=1)
        assert_agrees(operator, [X], axis=-1, keepdims=0)
    assert_agrees("TopK", [X, np.array([2], np.int64)], outputs=2)
    assert_agrees("TopK", [X, np.array([2], np.int64)], outputs=2, axis=1, largest=0)


@pytest.mark.parametrize(("operator", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize(("directions", "name"), [(1, "forward"), (2, "bidirectional")])
def test_recurrent_layers(operator, gates, directions, name):
    weights = [floats(directions, gates * 5, 3), floats(directions, gates * 5, 5)]
    settings = {"hidden_size": 5, "direction": name, "values": False}
    outputs = 3 if operator == "LSTM" else 2
    assert_agrees(operator, [floats(6, 2, 3), *weights, floats(directions, 2 * gates * 5)], outputs=outputs, **settings)
    assert_agrees(operator, [floats(6, 2, 3), *weights], **settings)


def test_recurrent_layers_with_images_first_or_of_several_lengths():
    weights = [floats(1, 20, 3), floats(1, 20, 5)]
    with pytest.raises(NotCoveredError):
        call("LSTM", [floats(2, 6, 3), *weights], layout=1)
    with pytest.raises(NotCoveredError):
        call("LSTM", [floats(6, 2, 3), *weights, None, np.array([3, 6], np.int32)])


def test_attention():
    query, key = floats(1, 2, 5, 4), floats(1, 2, 6, 4)
    assert_agrees("Attention", [query, key, floats(1, 2, 6, 4)], opset=23)
    with pytest.raises(NotCoveredError):
        call("Attention", [floats(1, 5, 8), floats(1, 6, 8), floats(1, 6, 8)])
