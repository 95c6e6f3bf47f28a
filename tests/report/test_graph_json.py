from __future__ import annotations

import inspect
import json

import networkx as nx
import pytest

import rfcheck
from rfcheck.report.graph_json import graph_json
from tests.report.block_networks import Block, Net, facts_of
from tests.zoo import torchvision_model


def read_back(document: dict) -> nx.DiGraph:
    """As networkx reads it; the name of the argument changed."""
    edges = "edges" if "edges" in inspect.signature(nx.node_link_graph).parameters else "link"
    return nx.node_link_graph(document, **{edges: "edges"})


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "googlenet"])
def test_networkx_reads_the_whole_graph_back(name):
    facts = facts_of(torchvision_model(name), 224)
    found = read_back(json.loads(graph_json(facts)))
    assert list(found.nodes.items()) == list(facts.nodes.items())
    assert list(found.edges.data()) == list(facts.edges.data())
    assert (found.graph, found.is_directed(), found.is_multigraph()) == (facts.graph, True, False)


def test_the_head_of_the_document():
    document = json.loads(graph_json(facts_of(Net(Block()), 8)))
    assert list(document) == ["version", "rfcheck", "directed", "multigraph", "graph", "nodes", "edges"]
    assert (document["version"], document["rfcheck"]) == (1, rfcheck.__version__)
    assert document["nodes"][1]["id"] == "stem"
    assert [(edge["source"], edge["target"]) for edge in document["edges"]][:2] == [("input", "stem"), ("stem", "blocks.0.conv")]


def test_it_ends_in_a_line_end():
    text = graph_json(facts_of(Net(Block()), 8))
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")
