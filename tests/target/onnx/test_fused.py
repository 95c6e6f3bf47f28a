from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import helper
from torch.nn import functional as F

from rfcheck import analyze
from rfcheck.target.onnx.call import NotCoveredError, OnnxCall
from rfcheck.target.onnx.file import read_onnx_file
from rfcheck.target.onnx.operators import operator_named
from tests.target.programs import floats, onnx_file

RANDOM = np.random.default_rng(0)


def tensor(*shape: int) -> torch.Tensor:
    return torch.from_numpy(RANDOM.standard_normal(shape).astype(np.float32))


def fused(operator: str, *inputs: torch.Tensor | None, **attributes) -> torch.Tensor:
    found = operator_named("com.microsoft", operator)
    return found(OnnxCall(operator, 17, attributes, inputs, inputs, 1))


@pytest.mark.parametrize(("activation", "function"), [("Relu", F.relu), ("Sigmoid", torch.sigmoid), ("Tanh", torch.tanh)])
def test_convolutions(activation, function):
    x, weight, bias, added = tensor(1, 4, 7, 7), tensor(6, 2, 3, 3), tensor(6), tensor(1, 6, 7, 7)
    expected = F.conv2d(x, weight, bias, padding=1, groups=2)
    settings = {"pads": [1, 1, 1, 1], "group": 2}
    assert torch.equal(fused("FusedConv", x, weight, bias, activation=activation, **settings), function(expected))
    assert torch.equal(fused("FusedConv", x, weight, bias, added, activation=activation, **settings), function(expected + added))
    assert torch.equal(fused("FusedConv", x, weight, None, added, **settings), F.conv2d(x, weight, padding=1, groups=2) + added)


def test_linear_layers():
    x, weight, bias = tensor(2, 4), tensor(5, 4), tensor(5)
    found = fused("FusedGemm", x, weight, bias, transB=1, activation="Relu", alpha=1.0)
    assert torch.equal(found, F.relu(F.linear(x, weight, bias)))


def test_other_activations_are_not_covered():
    with pytest.raises(NotCoveredError):
        fused("FusedConv", tensor(1, 1, 3, 3), tensor(1, 1, 1, 1), activation="Strange")


def test_they_are_layers_of_the_modules_that_hold_their_weights(tmp_path):
    nodes = [
        helper.make_node(
            "FusedConv", ["x", "stem.weight"], ["a"], "/stem/Conv", domain="com.microsoft", activation="Relu", pads=[1] * 4
        ),
        helper.make_node("FusedConv", ["a", "deep.weight", "", "a"], ["b"], "/deep/Conv", domain="com.microsoft", pads=[1] * 4),
        helper.make_node("Conv", ["b", "last.weight"], ["y"], "/last/Conv", pads=[1] * 4),
    ]
    weights = [floats("stem.weight", 8, 3, 3, 3), floats("deep.weight", 8, 8, 3, 3), floats("last.weight", 2, 8, 3, 3)]
    path = onnx_file(tmp_path / "m.onnx", nodes, weights)
    analysis = analyze(read_onnx_file(path), 32)
    assert [(layer.name, layer.kind, layer.kernel, layer.r_min, layer.r_max) for layer in analysis.layers] == [
        ("stem", "conv", (3, 3), (3, 3), (3, 3)),
        ("deep", "conv", (3, 3), (5, 5), (5, 5)),
        ("last", "conv", (3, 3), (5, 5), (7, 7)),  # the shortest path goes by what is added behind deep
    ]
    assert (analysis.params, analysis.assumptions) == ((8 * 3 + 8 * 8 + 2 * 8) * 9, ())
