"""Where positions wrap round: circular padding and rolled maps, whose ends meet.

Receptive fields are followed as if the image went on beyond its border, so what comes from the other end counts as lying right
there. That is a convention, which a report has to name once. Windows that are shifted by a roll, mixed inside and rolled back
(shifted-window attention) end where they began and need no word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import networkx as nx


def wrapping(graph: nx.DiGraph) -> list[str]:
    """The nodes that wrap round for good, in execution order, the first of each module.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`; ``wraps`` of a node holds the shift per image axis, or nothing for
            circular padding.
    """
    shifts = {name: node["wraps"] for name, node in graph._node.items() if "wraps" in node}
    undone: set[str] = set()
    for name, shift in shifts.items():
        back = {axis: -by for axis, by in shift.items()}
        if shift and name not in undone:
            undone.update(next(([name, end] for end in _behind(graph, name, shifts) if shifts[end] == back), ()))
    first: dict[str, str] = {}
    for name in shifts:
        if name not in undone:
            first.setdefault(graph._node[name]["module"], name)
    return list(first.values())


def _behind(graph: nx.DiGraph, name: str, shifts: dict[str, dict[int, int]]) -> Iterator[str]:
    """The shifts behind another one, as far as something is mixed in between."""
    import networkx as nx

    behind = nx.descendants(graph, name)
    for end in (other for other in shifts if other in behind):
        between = behind & nx.ancestors(graph, end)
        if any(graph._node[node]["kind"] in _MIXES for node in between):
            yield end


_MIXES = frozenset({"attention", "matmul", "softmax", "conv", "linear"})
