from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from typing import Any

import networkx as nx
import pytest
from torch import nn

from rfcheck.report.graph_graphml import graph_graphml
from tests.report.block_networks import facts_of
from tests.zoo import torchvision_model


def read_back(text: str) -> nx.DiGraph:
    return nx.read_graphml(io.BytesIO(text.encode("utf-8")))


def single(attributes: dict[str, Any]) -> dict[str, Any]:
    """What is left of attributes that may hold one value each."""
    return {
        k: json.dumps(v, ensure_ascii=False) if isinstance(v, (list, dict)) else v for k, v in attributes.items() if v is not None
    }


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "googlenet"])
def test_networkx_reads_the_whole_graph_back(name):
    facts = facts_of(torchvision_model(name), 224)
    found = read_back(graph_graphml(facts))
    assert found.is_directed()
    assert {node: dict(data) for node, data in found.nodes.items()} == {node: single(data) for node, data in facts.nodes.items()}
    edges = {(source, target): single(data) for source, target, data in facts.edges.data()}
    assert {edge: {k: v for k, v in data.items() if k != "id"} for edge, data in found.edges.items()} == edges
    assert {k: v for k, v in found.graph.items() if k not in ("node_default", "edge_default")} == single(facts.graph)


def test_numbers_stay_numbers():
    text = graph_graphml(facts_of(torchvision_model("resnet18"), 32))
    types = {key.attrib["attr.name"]: key.attrib["attr.type"] for key in ET.fromstring(text.encode()) if key.tag.endswith("key")}
    assert (types["flops"], types["params"], types["judged"], types["gate"]) == ("long", "long", "boolean", "boolean")
    assert (types["r_min"], types["state"]) == ("string", "string")


def test_names_that_xml_does_not_have():
    model = nn.Sequential()
    model.add_module("a\x00<b>&", nn.Conv2d(3, 3, 3))
    assert list(read_back(graph_graphml(facts_of(model, 8)))) == ["input", "a\ufffd<b>&"]


def test_the_first_and_last_line():
    lines = graph_graphml(facts_of(nn.Conv2d(3, 3, 3), 8)).split("\n")
    assert lines[0] == '<?xml version="1.0" encoding="utf-8"?>'
    assert lines[-2:] == ["</graphml>", ""]
