"""Which part of the network a node belongs to: the feature path, a gate's weight branch, or the head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from rfcheck.analysis.receptive_field import Fields
from rfcheck.graph.masks import beside_features

if TYPE_CHECKING:
    import networkx as nx

Role = Literal["features", "gate", "head"]


def roles(graph: nx.DiGraph, fields: Fields) -> dict[str, Role]:
    """The role of every node.

    A node is in a gate if everything that it feeds goes through the weight side of a product that re-weights a feature map. It is
    in the head if it is a global operator or behind one on every path, or holds no positions any more. All others are features.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        fields: from `rfcheck.analysis.receptive_field.receptive_fields`.
    """
    result: dict[str, Role] = {}
    aside = beside_features(graph)
    for name, node in graph._node.items():
        if name in aside:
            result[name] = "gate"
        elif _is_behind_global(name, node, graph, fields):
            result[name] = "head"
        else:
            result[name] = "features"
    return result


def _is_behind_global(name: str, node: dict[str, Any], graph: nx.DiGraph, fields: Fields) -> bool:
    """Whether a node sees everything on every path, or holds no positions any more."""
    if not node["spatial"]:
        return True
    smallest = [fields[name][axis].r_min for axis in range(graph.graph["axes"])]
    return all(r is not None and math.isinf(r) for r in smallest)
