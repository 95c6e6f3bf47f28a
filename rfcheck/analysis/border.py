"""Border layers and the tail: where layers stop being able to add context.

Source: Richter 2022, section 9.3 (b_max), 10.2 (b_min), 11.4 (what the tail costs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.analysis.layers import Extents, is_judged, r_in
from rfcheck.analysis.receptive_field import Fields
from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Border:
    """Judgement of every judged layer at one input size; names are in execution order.

    Attributes:
        judged: all judged layers.
        productive: per judged layer, whether its input still sees less than the image on some axis; None where unknown.
        tail: unproductive layers all of whose judged descendants are unproductive too.
        tail_region: everything in the tail that costs: its layers and what lies between and behind them, without the head.
        b_min: first layer of the tail; None if the tail is empty.
        b_max: first judged layer whose input sees more than the image on every axis through its largest path; or None.
    """

    judged: tuple[str, ...]
    productive: Mapping[str, bool | None]
    tail: tuple[str, ...]
    tail_region: tuple[str, ...]
    b_min: str | None
    b_max: str | None


def exceeds(r: Extents, sizes: tuple[int, ...]) -> bool:
    """Whether a receptive field exceeds the image on every axis."""
    return all(extent > size for extent, size in zip(r, sizes, strict=True))


def find_border(graph: nx.DiGraph, fields: Fields, roles: Mapping[str, Role], sizes: tuple[int, ...]) -> Border:
    """Judge every judged layer, and find the tail and the border layers.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        fields: receptive fields of its nodes.
        roles: roles of its nodes.
        sizes: I, the extent of the image per axis, in pixels.
    """
    productive: dict[str, bool | None] = {}
    b_max = None
    for name, node in graph._node.items():
        if not is_judged(node, roles[name]):
            continue
        low, high = r_in(graph, fields, name)
        productive[name] = None if low is None else not exceeds(low, sizes)
        if b_max is None and high is not None and exceeds(high, sizes):
            b_max = name
    quiet = _only_unproductive_after(graph, productive)
    tail = tuple(name for name, value in productive.items() if value is False and quiet[name])
    region = _region(graph, roles, tail, quiet, productive)
    return Border(tuple(productive), productive, tail, region, tail[0] if tail else None, b_max)


def _only_unproductive_after(graph: nx.DiGraph, productive: Mapping[str, bool | None]) -> dict[str, bool]:
    """Per node, whether every judged layer behind it is unproductive."""
    quiet: dict[str, bool] = {}
    for name in reversed(graph._node):
        quiet[name] = all(quiet[target] and productive.get(target, False) is False for target in graph._adj[name])
    return quiet


def _region(
    graph: nx.DiGraph,
    roles: Mapping[str, Role],
    tail: tuple[str, ...],
    quiet: Mapping[str, bool],
    productive: Mapping[str, bool | None],
) -> tuple[str, ...]:
    feeding = _before_features(graph, roles)
    inside = set(tail)
    for name in graph._node:
        if name in inside or not quiet[name] or (roles[name] == "head" and name not in feeding):
            continue
        if productive.get(name, False) is False and any(source in inside for source in graph._pred[name]):
            inside.add(name)
    return tuple(name for name in graph._node if name in inside)


def _before_features(graph: nx.DiGraph, roles: Mapping[str, Role]) -> set[str]:
    """The nodes with a feature-path node behind them: a global operator among these lies within the network, not in its head."""
    found: set[str] = set()
    for name in reversed(graph._node):
        if any(target in found or roles[target] == "features" for target in graph._adj[name]):
            found.add(name)
    return found
