"""For which resolutions an architecture is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rfcheck.analysis.border import Border
from rfcheck.analysis.layers import Extents, per_axis, r_in
from rfcheck.analysis.receptive_field import Fields
from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx


def last_feature_map(graph: nx.DiGraph, roles: Mapping[str, Role]) -> str | None:
    """The last node in execution order that computes a feature map, and does not only move it; None where there is none."""
    maps = [name for name, node in graph._node.items() if roles[name] == "features" and node["spatial"]]
    computed = [name for name in maps if graph._node[name]["kind"] not in ("rearrange", "elementwise", "input")]
    return computed[-1] if computed else maps[-1] if maps else None


def resolution_range(
    graph: nx.DiGraph, fields: Fields, roles: Mapping[str, Role], border: Border
) -> tuple[Extents | None, Extents | None]:
    """Lowest image without an unproductive layer, and highest image that the last feature map still sees whole, per axis.

    Returns:
        (lowest, highest) in pixels per image axis; None where a receptive field is unknown, inf where unbounded.
    """
    lows = [r_in(graph, fields, name)[0] for name in border.judged]
    known = [low for low in lows if low is not None]
    lowest = tuple(max(values) for values in zip(*known, strict=True)) if known and len(known) == len(lows) else None
    last = last_feature_map(graph, roles)
    return lowest, None if last is None else per_axis(fields[last], lambda f: f.r_max)
