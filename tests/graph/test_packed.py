"""Quantised layers count as the layers that they were made from."""

import pytest
import torch
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping, quantize_dynamic, quantize_fx

from rfcheck import analyze

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def network():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1000), nn.ReLU(), nn.Linear(1000, 1000)
    ).eval()


def test_linear_layers_that_are_quantised_as_they_run():
    plain, quantised = analyze(network(), 32), analyze(quantize_dynamic(network(), {nn.Linear}), 32)
    assert (quantised.flops, quantised.params) == (plain.flops, plain.params)
    assert [(x.name, x.kind, x.params) for x in quantised.layers] == [(x.name, x.kind, x.params) for x in plain.layers]
    assert quantised.assumptions == ()


def test_networks_that_are_quantised_as_a_whole():
    prepared = quantize_fx.prepare_fx(network(), get_default_qconfig_mapping("fbgemm"), (torch.zeros(1, 3, 32, 32),))
    prepared(torch.rand(1, 3, 32, 32))
    plain, quantised = analyze(network(), 32), analyze(quantize_fx.convert_fx(prepared), 32)
    assert (quantised.flops, quantised.params, quantised.assumptions) == (plain.flops, plain.params, ())
    facts = [[(x.kind, x.kernel, x.stride, x.r_max, x.params) for x in a.layers] for a in (quantised, plain)]
    assert facts[0] == facts[1]
