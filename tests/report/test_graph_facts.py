from __future__ import annotations

import json
import math

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.graph_facts import graph_facts, plain
from rfcheck.span import Span
from tests.report.block_networks import Block, Gated, Net
from tests.zoo import torchvision_model


def test_everything_that_an_analysis_knows_of_a_layer():
    analysis = analyze(torchvision_model("resnet18"), 32)
    facts = graph_facts(analysis)
    assert list(facts.nodes) == list(analysis.graph.nodes)
    assert list(facts.edges) == list(analysis.graph.edges)
    for layer in analysis.layers:
        node = facts.nodes[layer.name]
        state = "" if not layer.judged else "tail" if layer.in_tail else "productive" if layer.productive else "unproductive"
        assert (node["role"], node["judged"], node["state"]) == (layer.role, layer.judged, state)
        for key in ("r_min", "r_max", "r_in_min", "r_in_max"):
            assert node[key] == ["inf" if math.isinf(r) else r for r in getattr(layer, key)]
        for key in ("kernel", "stride", "dilation", "padding", "in_size", "out_size"):
            value = getattr(layer, key)
            assert node.get(key) == (None if value is None else list(value))
        assert (node["flops"], node["params"]) == (layer.flops, layer.params)


def test_what_stands_between_the_layers_of_the_tail_is_in_the_tail():
    analysis = analyze(torchvision_model("resnet18"), 32)
    facts = graph_facts(analysis)
    assert {name for name, state in facts.nodes.data("state") if state == "tail"} == set(analysis.network.border.tail_region)


def test_the_graph_names_the_model():
    facts = graph_facts(analyze(Net(Block()), 2))
    assert {key: facts.graph[key] for key in ("model", "border_min", "border_max", "input_shape", "outputs")} == {
        "model": "Net",
        "border_min": "blocks.0.conv",
        "border_max": "blocks.0.conv",
        "input_shape": [1, 3, 2, 2],
        "outputs": ["last"],
    }
    assert facts.graph["modules"] == {
        "": "Net", "stem": "Conv2d", "blocks": "Sequential", "blocks.0": "Block", "blocks.0.conv": "Conv2d", "last": "Conv2d",
    }  # fmt: skip


def test_gates_and_heads():
    facts = graph_facts(analyze(nn.Sequential(nn.Conv2d(3, 4, 3), Gated(), nn.Flatten(), nn.Linear(4 * 36, 2)), 8))
    roles = dict(facts.nodes.data("role"))
    assert (roles["0"], roles["1.fc"], roles["3"]) == ("features", "gate", "head")
    assert [(source, target) for source, target, gate in facts.edges.data("gate") if gate] == [("1/sigmoid", "1/mul")]


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "densenet121"])
def test_everything_is_plain(name):
    facts = graph_facts(analyze(torchvision_model(name), 64))
    for value in (facts.graph, *facts.nodes.values(), *facts.edges.values()):
        assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_plain_values():
    assert plain({1: (2, math.inf, None), "s": frozenset({"x"})}) == {"1": [2, "inf", None], "s": ["x"]}
    assert plain(Span("m.py", 3)) == {"path": "m.py", "line": 3, "column": None, "end_line": None, "end_column": None}
    assert plain(ValueError("odd")) == "odd"
