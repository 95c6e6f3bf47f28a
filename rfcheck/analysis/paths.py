"""The main path through a network, and how deep it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from rfcheck.analysis.receptive_field import Fields, path_to
from rfcheck.analysis.resolution import last_feature_map
from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx


def main_path(graph: nx.DiGraph, fields: Fields, roles: Mapping[str, Role]) -> list[str]:
    """The nodes of the path that gives the last feature map its largest receptive field, from the input on.

    Shortcuts and narrow branches are not on it. Where the receptive field of the last map is unknown, the path ends at the last
    node of the feature path where it is known.
    """
    last = last_feature_map(graph, roles)
    path = [] if last is None else path_to(fields, last, "max")
    if path:
        return path
    names = (name for name in reversed(graph._node) if roles[name] == "features")
    return next((found for name in names if (found := path_to(fields, name, "max"))), [])


def depth(graph: nx.DiGraph, judged: Collection[str]) -> int:
    """The number of judged layers on the path that holds the most of them.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        judged: names of the judged layers.
    """
    counted = set(judged)
    before: dict[str, int] = {}
    for name in graph._node:
        before[name] = max((before[source] for source in graph._pred[name]), default=0) + (name in counted)
    return max(before.values(), default=0)


def is_convolutional(graph: nx.DiGraph, roles: Mapping[str, Role], judged: Collection[str]) -> bool:
    """Whether positions meet in windows only, up to the last judged layer: no attention and no linear layer over positions."""
    remaining = set(judged)
    for name, node in graph._node.items():
        if not remaining:
            break
        remaining.discard(name)
        is_product = node["kind"] == "matmul" and len(graph._pred[name]) > 1
        mixes = node["kind"] == "linear" and node["over_positions"]
        if node["kind"] == "attention" or ((is_product or mixes) and roles[name] != "gate"):
            return False
    return True
