"""Counting with fvcore: convolutions, linear layers and products of matrices cost what torch's formulas say."""

from __future__ import annotations

import pytest
from torch import nn
from torchvision import models

from rfcheck import Analysis, analyze

FAST = ("mobilenet_v3_small", "resnet18", "squeezenet1_1", "swin_t")
SLOW = ("alexnet", "densenet121", "efficientnet_b0", "googlenet", "shufflenet_v2_x0_5", "vgg11")
COUNTED_ALIKE = ("conv", "linear", "matmul")


@pytest.fixture(scope="module", params=[*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def counts(request: pytest.FixtureRequest) -> tuple[Analysis, Analysis]:
    """One model by torch's formulas and by fvcore's."""
    arguments = {"init_weights": False} if request.param == "googlenet" else {}
    model = models.get_model(request.param, weights=None, **arguments)
    size = 224 if request.param == "alexnet" else 64
    return analyze(model, size), analyze(model, size, settings={"flops_by": "fvcore"})


def by_kind(analysis: Analysis, kinds: tuple[str, ...]) -> dict[str, int]:
    """Multiply-accumulates per call of the given kinds."""
    return {name: node["flops"] for name, node in analysis.graph.nodes.items() if node["kind"] in kinds}


def test_convolutions_linear_layers_and_products_cost_the_same(counts):
    torch_count, fvcore_count = counts
    assert by_kind(fvcore_count, COUNTED_ALIKE) == by_kind(torch_count, COUNTED_ALIKE)


def test_layers_cost_the_same(counts):
    torch_count, fvcore_count = counts
    expected = {layer.name: layer.flops for layer in torch_count.layers if layer.kind in COUNTED_ALIKE}
    assert {layer.name: layer.flops for layer in fvcore_count.layers if layer.kind in COUNTED_ALIKE} == expected


def test_operators_that_torch_counts_cost_the_same(counts):
    torch_count, fvcore_count = (analysis.flops_by_operator() for analysis in counts)
    assert {name: fvcore_count.get(name) for name in torch_count} == torch_count


def test_fvcore_also_counts_what_torch_leaves_out(counts):
    """Normalisation and pooling; whatever the difference is, it has an entry."""
    torch_count, fvcore_count = counts
    extra = {k: v for k, v in fvcore_count.flops_by_operator().items() if k not in torch_count.flops_by_operator()}
    assert fvcore_count.flops - torch_count.flops == sum(extra.values())
    assert sum(extra.values()) > 0


def test_nothing_but_costs_changes(counts):
    torch_count, fvcore_count = counts
    assert list(fvcore_count.graph.edges) == list(torch_count.graph.edges)
    assert fvcore_count.params == torch_count.params
    assert [layer.r_max for layer in fvcore_count.layers] == [layer.r_max for layer in torch_count.layers]


def test_a_layer_that_is_called_twice_shares_its_cost_evenly():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))

    analysis = analyze(Twice(), 8, settings={"flops_by": "fvcore"})
    assert [layer.flops for layer in analysis.layers] == [8 * 8 * 3 * 3 * 9] * 2
