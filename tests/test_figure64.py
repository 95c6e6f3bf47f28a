"""The networks of Richter 2022, figure 64, at 32 px: cut before the border layer, and without down-sampling in the stem."""

from __future__ import annotations

from functools import cache

import networkx as nx
import pytest
from torch import nn

from rfcheck import Analysis, analyze, apply_fix
from rfcheck.target.load import load_targets
from tests.conftest import EXAMPLES
from tests.zoo import torchvision_model

CUTS = {
    "vgg11": ("features.13", "features.12", "truncate-before"),
    "vgg13": ("features.15", "features.14", "truncate-before"),
    "vgg16": ("features.17", "features.16", "truncate-before"),
    "vgg19": ("features.16", "features.15", "truncate-before"),
    "resnet18": ("layer3.0.conv2", "layer2", "truncate-before-2"),
    "resnet34": ("layer3.0.conv2", "layer2", "truncate-before-2"),
    "mpnet18.py": ("stage2.1.path3x3.1.0", "stage2.0", "truncate-before"),
    "mpnet36.py": ("stage2.2.path7x7.1.0", "stage2.1", "truncate-before-2"),
}
"""Per network: b_min, the module after which the cut before it lies, and the first cut that leaves no tail."""

NEW_TAIL = {"resnet18": ["layer2.1.conv2"], "resnet34": ["layer2.3.conv2"], "mpnet36.py": ["stage2.1.path7x7.1.0"]}
"""Layers of only one of several paths, which become a tail once nothing productive is left behind them."""


@cache
def network(name: str) -> tuple[nn.Module, Analysis]:
    """A network for ten classes and its analysis at 32 px."""
    if name.endswith(".py"):
        model, _ = load_targets(str(EXAMPLES / name))[0].build()
    else:
        model = torchvision_model(name, num_classes=10)
    return model, analyze(model, 32)


def changed(name: str, fix: str) -> Analysis:
    """The analysis of a network after a fix."""
    model, analysis = network(name)
    return analyze(apply_fix(model, analysis.proposals.named(fix), 32), 32)


@pytest.mark.parametrize("name", CUTS)
def test_the_cut_before_the_border_removes_the_whole_tail(name):
    _, analysis = network(name)
    assert analysis.border_min.name == CUTS[name][0]
    assert "RF101" in {finding.code for finding in analysis.findings}
    after = changed(name, "truncate-before")
    assert not {layer.name for layer in analysis.tail} & {layer.name for layer in after.layers}
    assert [layer.name for layer in after.tail] == NEW_TAIL.get(name, [])
    assert "RF101" not in {finding.code for finding in after.findings}


@pytest.mark.parametrize("name", CUTS)
def test_the_cut_is_at_the_last_tensor_before_the_border_that_carries_everything(name):
    """What carries everything dominates the output: every way from the image leads through it."""
    _, analysis = network(name)
    graph = analysis.graph
    dominators = nx.immediate_dominators(graph, "input")
    (node,) = graph.graph["outputs"]
    order = list(graph)
    while order.index(node) >= order.index(analysis.border_min.name):
        node = dominators[node]
    module = CUTS[name][1]
    inside = [other for other in order if f"{graph.nodes[other]['module']}.".startswith(f"{module}.")]
    assert inside[-1] == node
    fix = analysis.proposals.named("truncate-before")
    removed = sum(order.index(layer) > order.index(node) for layer in analysis.network.border.judged)
    assert fix.description == f"end after {module} with global average pooling and a linear layer, {removed} layers earlier"


@pytest.mark.parametrize("name", CUTS)
def test_some_cut_leaves_no_tail(name):
    _, analysis = network(name)
    cuts = [fix for fix in analysis.fixes if fix.name.startswith("truncate")]
    without = [fix.name for fix in cuts if fix.predicted.after.tail_layers == 0]
    assert without[0] == CUTS[name][2]
    after = changed(name, without[0])
    assert after.tail == ()
    assert after.border_min is None
    assert after.flops < analysis.flops


@pytest.mark.parametrize(("name", "flops"), [("resnet18", 555_422_720), ("resnet34", 1_159_402_496)])
def test_flops_without_the_stem_are_those_of_the_networks_for_cifar(name, flops):
    _, analysis = network(name)
    fix = analysis.proposals.named("remove-stem")
    assert fix.predicted.after.flops == flops
    assert changed(name, "remove-stem").flops == flops
    assert fix.description == "keep the resolution in the stem: conv1 becomes 3x3 with stride 1, maxpool is removed"


def test_a_residual_network_without_its_stem_is_the_example_for_cifar():
    example, _ = load_targets(str(EXAMPLES / "resnet18_cifar_stemless.py"))[0].build()
    written, found = analyze(example, 32), changed("resnet18", "remove-stem")
    assert (found.flops, found.params) == (written.flops, written.params)
    fields = [sorted(layer.r_in_min for layer in analysis.layers if layer.judged) for analysis in (written, found)]
    assert fields[0] == fields[1]
