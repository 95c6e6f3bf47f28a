"""The whole graph as JSON in the node-link form that networkx, D3 and others read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rfcheck
from rfcheck.report.json_v1 import VERSION, dump

if TYPE_CHECKING:
    import networkx as nx


def graph_json(graph: nx.DiGraph) -> str:
    """Every operator with all that is known of it; ``networkx.node_link_graph`` reads it, edges are under "edges".

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    document = {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "directed": True,
        "multigraph": False,
        "graph": graph.graph,
        "nodes": [{"id": name, **node} for name, node in graph.nodes.items()],
        "edges": [{"source": source, "target": target, **edge} for source, target, edge in graph.edges.data()],
    }
    return f"{dump(document)}\n"
