"""The whole graph as GraphML, which networkx, Gephi, yEd, Cytoscape and igraph read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import networkx as nx

from rfcheck.printable import printable_xml
from rfcheck.report.xml_text import allowed


def graph_graphml(graph: nx.DiGraph) -> str:
    """Every operator with all that is known of it.

    GraphML holds single values only: lists and maps are JSON text, what is unknown is left out.

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    flat = nx.DiGraph()
    flat.graph.update(_single_values(graph.graph))
    flat.add_nodes_from((allowed(name), _single_values(node)) for name, node in graph.nodes.items())
    flat.add_edges_from((allowed(source), allowed(target), _single_values(edge)) for source, target, edge in graph.edges.data())
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return printable_xml("\n".join([head, *nx.generate_graphml(flat)]) + "\n")


def _single_values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: allowed(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        if isinstance(value, (str, list, dict))
        else value
        for key, value in attributes.items()
        if value is not None
    }
