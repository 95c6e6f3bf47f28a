from __future__ import annotations

import pytest
from onnx import helper
from torch import nn
from torchvision import models

from rfcheck import analyze
from rfcheck.errors import TargetError
from rfcheck.target.onnx.file import read_onnx_file
from tests.target.programs import Gated, UNet, as_onnx, facts, floats, judged, onnx_file, totals

SIZES = (32, 64, 224)


def randomised(model: nn.Module) -> nn.Module:
    """Torch writes parameters that are equal once."""
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


@pytest.mark.parametrize("make", [Gated, UNet, models.resnet18])
def test_a_file_with_all_its_parameters(make, tmp_path):
    model = randomised(make())
    program = read_onnx_file(as_onnx(model, tmp_path / "m.onnx", 64, dynamic=True))
    for size in SIZES:
        expected, found = analyze(model, size), analyze(program, size)
        assert judged(found) == judged(expected)
        assert {**totals(found), "findings": None} == {**totals(expected), "findings": None}
        assert [(f.code, f.layer) for f in found.findings] == [(f.code, f.layer) for f in expected.findings]


@pytest.mark.parametrize("dynamic", [False, True])
def test_normalisation_in_the_convolutions(dynamic, tmp_path):
    """Folded weights: the same layers and costs with fewer parameters, two per channel of each normalisation less, one bias more."""
    model = randomised(models.resnet18(weights=None))
    program = read_onnx_file(as_onnx(model, tmp_path / "m.onnx", 64, dynamic=dynamic, folded=True))
    folded = sum(module.num_features for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    for size in SIZES:
        expected, found = analyze(model, size), analyze(program, size)
        assert judged(found) == judged(expected)
        assert found.flops == expected.flops
        assert found.params == expected.params - folded
        assert found.border_min.name == expected.border_min.name if expected.border_min else found.border_min is None


def test_linear_layers_over_maps_are_layers_with_their_bias(tmp_path):
    model = randomised(nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(2), Turned(), nn.Linear(8, 5), nn.GELU()))
    program = read_onnx_file(as_onnx(model, tmp_path / "m.onnx", 32))
    assert facts(analyze(program, 32)) == facts(analyze(model, 32))


@pytest.mark.parametrize("dynamic", [False, True])
def test_padding_in_a_circle_and_of_even_kernels(dynamic, tmp_path):
    circular = nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular")
    wider = nn.Conv2d(8, 8, (1, 5), padding=(0, 2), padding_mode="circular")
    model = randomised(nn.Sequential(circular, wider, nn.Conv2d(8, 8, 4, padding="same"), nn.Conv2d(8, 8, 3, padding=1)))
    program = read_onnx_file(as_onnx(model, tmp_path / "m.onnx", 32, dynamic=dynamic))
    for size in (8, 32):
        assert facts(analyze(program, size)) == facts(analyze(model, size))


class Turned(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)


ZOO = ["mobilenet_v3_small", "densenet121", "efficientnet_b0", "convnext_tiny", "shufflenet_v2_x1_0", "squeezenet1_1", "swin_t"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("folded", [False, True])
def test_models_of_the_zoo(name, folded, tmp_path):
    model = randomised(models.get_model(name, weights=None)).eval()
    program = read_onnx_file(as_onnx(model, tmp_path / "m.onnx", 224, dynamic=True, folded=folded))
    for size in SIZES:
        expected, found = analyze(model, size), analyze(program, size)
        assert judged(found) == judged(expected)
        assert found.flops == expected.flops
        assert folded or found.params == expected.params
        assert found.assumptions == expected.assumptions


@pytest.mark.slow
def test_googlenet(tmp_path):
    """Its auxiliary heads are not in the file."""
    model = randomised(models.googlenet(weights=None, init_weights=False)).eval()
    program = read_onnx_file(as_onnx(model, tmp_path / "m.onnx", 224, dynamic=True))
    for size in SIZES:
        assert judged(analyze(program, size)) == judged(analyze(model, size))


def test_errors_name_the_file(tmp_path):
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], sizes=(1, 784))
    with pytest.raises(TargetError, match=f"^{path}: the input x of the ONNX model has 2 dimensions"):
        read_onnx_file(path)


def test_a_model_that_makes_no_sense(tmp_path):
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("If", ["x"], ["y"])], [floats("w", 1)])
    with pytest.raises(TargetError, match=f"^{path}: the ONNX model is not valid: KeyError: 'else_branch'"):
        read_onnx_file(path)
