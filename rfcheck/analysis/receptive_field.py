"""Smallest and largest receptive field of every node, by one pass over the graph in execution order.

r_max is the hull of all paths, unit by unit. r_min is the smallest receptive field over the paths; where paths with different
jumps meet, the one that is smallest now need not stay the smallest, so every path that no other one undercuts is carried on.
Source: Richter 2022, section 4.4 (eq. 9) and 4.4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rfcheck.config import Settings
from rfcheck.graph.reach import IDENTITY, Position, Reach, compose, covers, hull
from rfcheck.graph.records import INPUT

if TYPE_CHECKING:
    import networkx as nx

_MOST_PATHS = 16
"""Paths carried on per node and axis; beyond that the widest are let go, which can only make r_min larger."""


class PathState(NamedTuple):
    """The end of one path from the input.

    Attributes:
        node: the node where the path ends.
        reach: what a unit there reads of the input along this path.
        before: the same path one node earlier; None at the input.
    """

    node: str
    reach: Reach
    before: PathState | None


@dataclass(frozen=True, slots=True)
class NodeField:
    """Receptive fields of one node along one image axis.

    Attributes:
        widest: what a unit reads over all paths; None where unknown.
        narrowest: the paths that can be the smallest now or later, smallest first; None where unknown.
        widest_from: the predecessor through which the largest path runs.
        copied: extent of the widest unit where padding copies units of the map; no more than that of ``widest`` in most networks.
    """

    widest: Reach | None
    narrowest: tuple[PathState, ...] | None
    widest_from: str | None
    copied: Position = 0

    @property
    def r_max(self) -> Position | None:
        """Extent of the input region that can influence one unit."""
        return None if self.widest is None else max(self.widest.extent, self.copied)

    @property
    def r_min(self) -> Position | None:
        """Smallest receptive field over all paths."""
        return None if self.narrowest is None else self.narrowest[0].reach.extent


Fields = dict[str, tuple[NodeField, ...]]
"""Per node, its receptive fields per image axis."""

_UNKNOWN = NodeField(None, None, None)


def receptive_fields(graph: nx.DiGraph, settings: Settings) -> Fields:
    """The receptive fields of every node.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        settings: ``projection`` and ``gates`` are read.

    Returns:
        Per node and image axis, in input pixels.
    """
    axes = graph.graph["axes"]
    start = NodeField(IDENTITY, (PathState(INPUT, IDENTITY, None),), None)
    fields: Fields = {INPUT: (start,) * axes}
    nodes, incoming = graph._node, graph._pred
    counted: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    copied_axes: set[int] = set()
    with_gaps: list[str] = []
    for name, node in nodes.items():
        if name == INPUT:
            continue
        edges = list(incoming[name].items())
        if "instead" in node and all(source in fields for source, _ in node["instead"]):
            edges = node["instead"]
        if settings.gates == "ignore" and any(e["gate"] for _, e in edges) and not all(e["gate"] for _, e in edges):
            edges = [(source, e) for source, e in edges if not e["gate"]]
        counted[name] = edges
        own: list[NodeField] = []
        for axis in range(axes):
            if axis and _alike(edges, fields, axis) and _is_square(node):
                own.append(own[0])
            else:
                own.append(_node_field(name, node, edges, fields, axis, settings))
        fields[name] = tuple(own)
        if any(field.widest is not None and field.widest.first[0] > field.widest.last[0] for field in own):
            with_gaps.append(name)
        if "copies" in node:
            copied_axes.update(axis for axis in node["copies"] if _reads_unevenly(fields[edges[0][0]][axis].widest))
    for axis in copied_axes:
        from rfcheck.analysis.copied_borders import copied_extents

        _widen(fields, axis, copied_extents(graph, counted, axis))
    for name in with_gaps:
        fields[name] = _where_nothing_is_read(fields[name])
    return fields


def _where_nothing_is_read(own: tuple[NodeField, ...]) -> tuple[NodeField, ...]:
    """Units none of which reads a position along one axis read nothing at all."""
    empty = next((field for field in own if field.r_max == 0), None)
    return own if empty is None else (empty,) * len(own)


def _reads_unevenly(widest: Reach | None) -> bool:
    """Whether units of a map read different patterns, so that a copy of one may read more than the unit that it stands for."""
    return widest is not None and not widest.is_global and (widest.period > 1 or widest.finite)


def _widen(fields: Fields, axis: int, extents: Mapping[str, float]) -> None:
    """Take note of what units read that border on copies."""
    for name, extent in extents.items():
        own = fields[name][axis]
        if own.widest is not None and extent > own.widest.extent:
            fields[name] = (*fields[name][:axis], replace(own, copied=int(extent)), *fields[name][axis + 1 :])


def _alike(edges: Sequence[tuple[str, dict[str, Any]]], fields: Fields, axis: int) -> bool:
    """Whether an axis is read exactly as the first axis is."""
    for source, edge in edges:
        if fields[source][axis] is not fields[source][0]:
            return False
        for reads in edge["reads"]:
            if reads is not None and reads[axis] is not reads[0] and reads[axis] != reads[0]:
                return False
    return True


def _is_square(node: dict[str, Any]) -> bool:
    sizes: tuple[int, ...] = node.get("positions", node["sizes"])
    return len(set(sizes)) == 1


def _node_field(
    name: str, node: dict[str, Any], edges: Sequence[tuple[str, dict[str, Any]]], fields: Fields, axis: int, settings: Settings
) -> NodeField:
    widest: list[tuple[Reach, str]] = []
    paths: list[PathState] = []
    size = node.get("positions", node["sizes"])[axis]
    substitute = node["kind"] == "conv" and settings.projection == "downsampling"
    for source, edge in edges:
        before = fields[source][axis]
        for reads in edge["reads"]:
            if before.widest is None or before.narrowest is None:
                return _UNKNOWN
            if reads is not None:
                reach = reads[axis]
            elif before.narrowest[0].reach.is_global:
                reach = IDENTITY  # whatever is read of units that see everything sees everything
            else:
                return _UNKNOWN
            identical = reach is IDENTITY
            widest.append((before.widest if identical else compose(reach, before.widest, size), source))
            if substitute:
                reach = _stand_in(reach, node, axis, settings)
            paths.extend(
                PathState(name, state.reach if identical else compose(reach, state.reach, size), state)
                for state in before.narrowest
            )
    if len(widest) == 1:
        whole, origin = widest[0]
    else:
        whole = hull([reach for reach, _ in widest], size)
        origin = max(widest, key=lambda item: item[0].extent)[1]
    limit = whole.extent
    if any(path.reach.extent > limit for path in paths):  # a stand-in, or a path that goes on beyond its ends at its average rate
        paths = [path._replace(reach=whole) if path.reach.extent > limit else path for path in paths]
    return NodeField(whole, tuple(paths) if len(paths) == 1 else _smallest(paths), origin)


def counted_extent(node: Mapping[str, Any], axis: int, stride: int, settings: Settings) -> int:
    """The positions that a window counts with on r_min along one axis, if its stride is this one.

    Those from its first to its last tap. A convolution that has fewer taps than it steps over positions reads one in several; under
    ``projection="downsampling"`` it counts as the down-sampling that it stands in for, with kernel 2s-1.
    """
    kernel, dilation = node["kernel"][axis], node["dilation"][axis]
    extent: int = dilation * (kernel - 1) + 1
    is_convolution = node["kind"] == "conv" and not node["transposed"]
    if settings.projection == "downsampling" and is_convolution and kernel < stride:
        return max(2 * stride - 1, extent)
    return extent


def _stand_in(reach: Reach, node: Mapping[str, Any], axis: int, settings: Settings) -> Reach:
    """What a window counts with on r_min: its own map, or that of the down-sampling that a projection shortcut stands in for."""
    stride: int = node["stride"][axis]
    if node["kernel"][axis] >= stride or reach.period != 1 or reach.is_global:
        return reach
    first, extent = int(reach.first[0]), counted_extent(node, axis, stride, settings)
    if extent == reach.extent:
        return reach
    lowest = first - (stride - 1)
    return Reach(1, stride, (lowest,), (lowest + extent - 1,))


def _smallest(paths: list[PathState]) -> tuple[PathState, ...]:
    """The paths that no other path undercuts, smallest first; the earliest of equals."""
    kept: list[PathState] = []
    for path in sorted(paths, key=lambda path: path.reach.extent):
        if not any(covers(path.reach, other.reach) for other in kept):
            kept.append(path)
            if len(kept) == _MOST_PATHS:
                break
    return tuple(kept)


def path_to(fields: Fields, name: str, bound: str) -> list[str]:
    """The nodes of the path that attains a bound, from the input to the node.

    Where axes differ, the axis with the smallest (for "min") or largest (for "max") bound decides.

    Args:
        fields: from `receptive_fields`.
        name: the node.
        bound: "min" or "max".

    Returns:
        Node names; empty where the receptive field is unknown.
    """
    own = fields[name]
    known = [axis for axis, field in enumerate(own) if field.widest is not None]
    if not known:
        return []
    if bound == "min":
        axis = min(known, key=lambda a: own[a].r_min or 0)
        state: PathState | None = (own[axis].narrowest or (None,))[0]
        back: list[str] = []
        while state is not None:
            back.append(state.node)
            state = state.before
        return back[::-1]
    axis = max(known, key=lambda a: own[a].r_max or 0)
    back = [name]
    while (origin := fields[back[-1]][axis].widest_from) is not None:
        back.append(origin)
    return back[::-1]
