"""Positions of a feature map that nothing ever reads, because windows are farther apart than they are wide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx


def unread_share(graph: nx.DiGraph, name: str) -> float:
    """Share of the positions of a layer's input that fall between its windows and are not read by anything else either.

    The taps of a kernel lie ``dilation`` apart, so that windows ``stride`` apart read the positions of the residues
    ``tap * dilation mod stride`` only. Where these are not all residues, the positions read are counted one by one, as the window
    runs; positions that a window leaves over at the end of an axis without gaps do not count.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        name: a node.

    Returns:
        Between 0 and 1; 3/4 for a 1x1 kernel at stride 2 on a 56x56 map, 0 on a 1x1 map, which has no position to lose. 0 for nodes
        without a window, for transposed convolutions, over a map of padding only, and where another operator reads more of the
        same map (a shortcut, say).
    """
    node = graph._node[name]
    gaps = _gaps(node)
    if not gaps or _is_padding_only(node) or _is_read_elsewhere(graph, name, gaps):
        return 0.0
    return 1.0 - math.prod(len(read) / real for read, real in gaps.values())


def _is_padding_only(node: Mapping[str, Any]) -> bool:
    """Whether a padding operator left no real position on some axis, having cropped what there was."""
    margins: Mapping[int, tuple[int, int]] = node.get("margins", {})
    return any(before + after >= node["in_sizes"][axis] for axis, (before, after) in margins.items())


def _gaps(node: Mapping[str, Any]) -> dict[int, tuple[frozenset[int], int]]:
    """Per axis with gaps between the windows: the positions read, and the number of positions without padding."""
    if "kernel" not in node or node.get("transposed", True):
        return {}
    margins: Mapping[int, tuple[int, int]] = node.get("margins", {})
    found: dict[int, tuple[frozenset[int], int]] = {}
    for axis, (kernel, stride, dilation) in enumerate(zip(node["kernel"], node["stride"], node["dilation"], strict=True)):
        if len({tap * dilation % stride for tap in range(min(kernel, stride))}) < stride:
            before, after = margins.get(axis, (0, 0))
            end = node["in_sizes"][axis] - after
            read = _positions_read(kernel, stride, dilation, node["padding"][axis], node["sizes"][axis], before, end)
            found[axis] = (read, end - before)
    return found


@lru_cache(maxsize=1024)
def _positions_read(kernel: int, stride: int, dilation: int, padding: int, outputs: int, first: int, end: int) -> frozenset[int]:
    """The positions from ``first`` to before ``end`` that a window reads along one axis."""
    read = {q * stride - padding + tap * dilation for q in range(outputs) for tap in range(kernel)}
    return frozenset(position for position in read if first <= position < end)


def _is_read_elsewhere(graph: nx.DiGraph, name: str, gaps: Mapping[int, tuple[frozenset[int], int]]) -> bool:
    """Whether another operator, or the model's caller, reads positions of the same map that this layer does not."""
    source = next(iter(graph._pred[name]))
    if source in graph.graph["outputs"]:
        return True
    for target in graph._adj[source]:
        others = _gaps(graph._node[target]) if target != name else gaps
        if any(axis not in others or not others[axis][0] <= read for axis, (read, _) in gaps.items()):
            return True
    return False
