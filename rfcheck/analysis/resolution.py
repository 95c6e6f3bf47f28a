"""For which resolutions an architecture is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rfcheck.analysis.layers import Extents
from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx


def last_feature_map(graph: nx.DiGraph, roles: Mapping[str, Role]) -> str | None:
    """The last node in execution order that computes a feature map, and does not only move it; None where there is none."""
    maps = [name for name, node in graph._node.items() if roles[name] == "features" and node["spatial"]]
    computed = [name for name in maps if graph._node[name]["kind"] not in ("rearrange", "elementwise", "input")]
    return computed[-1] if computed else maps[-1] if maps else None


def resolution_range(lows: Sequence[Extents | None], last_map_r_max: Extents | None) -> tuple[Extents | None, Extents | None]:
    """Lowest image without an unproductive layer, and highest image that the last feature map still sees whole, per axis.

    Args:
        lows: smallest receptive field of the input of every judged layer; None where unknown.
        last_map_r_max: largest receptive field of the last feature map; None where unknown or where there is no map.

    Returns:
        (lowest, highest) in pixels per image axis; None where a receptive field is unknown, inf where unbounded.
    """
    known = [low for low in lows if low is not None]
    lowest = tuple(max(values) for values in zip(*known, strict=True)) if known and len(known) == len(lows) else None
    return lowest, last_map_r_max
