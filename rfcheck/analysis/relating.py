"""What behind the last feature map relates distant pixels: recurrence, attention, Fourier transforms; no mere averages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rfcheck.analysis.layers import Extents, per_axis, r_in
from rfcheck.analysis.receptive_field import Fields
from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx

_COMBINES = frozenset({"pool", "reduce", "linear", "concat", "rearrange", "norm"})
"""Kinds of operators by which a head combines what distant units found: averages, maxima, weighted sums, vectors side by side."""


def related(graph: nx.DiGraph, fields: Fields, roles: Mapping[str, Role], last_map: str) -> Extents | None:
    """The largest extent within which the network relates pixels: that of the last feature map, or of what mixes behind it.

    A classifier behind the last map combines what distant units found, by an average or by one weight for each. A recurrent layer
    over columns, attention among tokens, a product of all positions with each other or a Fourier transform relates them, and so do
    weights that compete with each other (softmax), by which the last map itself may be multiplied.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        fields: receptive fields of its nodes.
        roles: roles of its nodes.
        last_map: name of the last feature map.

    Returns:
        Extent per image axis in input pixels, inf where unbounded; None where the receptive field of the last map is unknown.
    """
    widest = per_axis(fields[last_map], lambda field: field.r_max)
    if widest is None:
        return None
    order = list(graph._node)
    behind = order.index(last_map) + 1
    before = [name for name in order[:behind] if graph._node[name]["kind"] == "softmax"]
    for name in (*before, *(name for name in order[behind:] if _may_relate(graph, name, roles[name]))):
        own, read = per_axis(fields[name], lambda field: field.r_max), r_in(graph, fields, name)[1]
        if own is not None and (read is None or any(a > b for a, b in zip(own, read, strict=True))):
            widest = tuple(max(a, b) for a, b in zip(widest, own, strict=True))
    return widest


def _may_relate(graph: nx.DiGraph, name: str, role: Role) -> bool:
    """Whether an operator does more than combine, if it reads several positions. Weights of a gate count if they compete."""
    node = graph._node[name]
    if node["kind"] == "matmul":  # a product that sums over all positions is an average of products, unless it sums by attention
        return node["spatial"] or any(edge["gate"] for edge in graph._pred[name].values())
    return node["kind"] not in _COMBINES and (role != "gate" or node["kind"] == "softmax")
