"""Rounding, real or simulated, moves no values: models with it are those without."""

import pytest
import torch
from torch import nn
from torch.ao.quantization import get_default_qat_qconfig_mapping, get_default_qconfig_mapping, quantize_fx

from rfcheck import analyze
from rfcheck.graph.operators.quantizing import QUANTIZING

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")

IMAGE = torch.zeros(1, 3, 32, 32)


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1), nn.Sigmoid()
    )


def seen(model):
    return [(x.kind, x.kernel, x.stride, x.r_max, x.in_size, x.flops) for x in analyze(model, 32).layers]


def test_training_that_simulates_rounding():
    model = quantize_fx.prepare_qat_fx(network().train(), get_default_qat_qconfig_mapping("fbgemm"), (IMAGE,))
    analysis = analyze(model, 32)
    assert seen(model) == seen(network())
    assert [x.name for x in analysis.layers] == ["0", "3", "4"]
    assert (analysis.flops, analysis.assumptions) == (32 * 32 * 9 * 24 + 16 * 16 * 9 * 64, ())
    assert "RF901" not in {finding.code for finding in analysis.findings}


def test_one_observer_for_several_maps():
    """The ranges that it has seen are its own business, though an earlier map has written them."""

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            self.rounded = torch.ao.quantization.FusedMovingAvgObsFakeQuantize()

        def forward(self, x):
            return self.rounded(self.second(self.rounded(self.first(self.rounded(x)))))

    analysis = analyze(Shared(), 32)
    assert [x.r_max for x in analysis.layers] == [(3, 3), (5, 5)]
    assert analysis.assumptions == ()


def test_observers_before_rounding():
    model = quantize_fx.prepare_fx(network().eval(), get_default_qconfig_mapping("fbgemm"), (IMAGE,))
    assert [x[:5] for x in seen(model) if x[0] == "conv"] == [x[:5] for x in seen(network()) if x[0] == "conv"]


def test_every_entry_of_torch_names_an_operator():
    libraries = {"aten": torch.ops.aten, "quantized": torch.ops.quantized}
    split = [name.split("::") for name in QUANTIZING]
    assert [name for library, name in split if library in libraries and not hasattr(libraries[library], name)] == []
