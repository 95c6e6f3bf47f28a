"""The boxes of a picture of a graph: each layer with the normalisations, activations and the like behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

_OWN_BOX = frozenset({"input", "conv", "pool", "linear", "attention", "matmul", "recurrent", "resample", "unknown"})
"""Kinds of operators that are worth a box of their own."""


def merge_pointwise(graph: nx.DiGraph) -> list[tuple[str, ...]]:
    """The names of the operators in each box, the first before those that joined it; boxes in execution order.

    An operator joins the box of what it reads if it reads nothing else and sees no more than it (normalisation, activation, another
    shape), nothing else of use reads the same, and the two belong together: the largest module that holds the operator and not the
    box has no other layer, nor has the largest one that holds the box and not the operator. What leads nowhere is in the box that
    it reads: it would stand beside the way that everything else goes.

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    own_boxes = Counter(
        module for _, node in graph.nodes.items() if node["kind"] in _OWN_BOX for module in with_parents(node["module"])
    )
    left_over = _left_over(graph)
    boxes: dict[str, list[str]] = {}
    box_of: dict[str, str] = {}
    for name in graph.nodes:
        sources = list(graph.pred[name])
        if name in left_over:
            box = box_of[sources[-1]]
        else:
            box = box_of[sources[0]] if len(sources) == 1 and _sees_the_same(graph, name, sources[0], left_over) else name
            if box != name and not _are_together(graph, name, box, own_boxes):
                box = name
        box_of[name] = box
        boxes.setdefault(box, []).append(name)
    return [tuple(names) for names in boxes.values()]


def with_parents(path: str) -> Iterator[str]:
    """A module and all that hold it; the model itself, "", last."""
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield path


def is_within(path: str, parent: str) -> bool:
    """Whether a module is another one or in it."""
    return not parent or path == parent or path.startswith(f"{parent}.")


def _sees_the_same(graph: nx.DiGraph, name: str, source: str, left_over: Container[str]) -> bool:
    node, before = graph.nodes[name], graph.nodes[source]
    return (
        node["kind"] not in _OWN_BOX
        and before["kind"] != "input"
        and sum(reader not in left_over for reader in graph.succ[source]) == 1
        and not graph.edges[source, name]["gate"]
        and node["role"] == before["role"]
        and (node["r_min"], node["r_max"]) == (before["r_min"], before["r_max"])
    )


def _left_over(graph: nx.DiGraph) -> set[str]:
    """What leads to no layer and to nothing that the model returns.

    Such is what a write to a view makes of the tensor that it is a view of, and what becomes of the places of maxima.
    """
    returned = set(graph.graph["outputs"])
    found: set[str] = set()
    for name in reversed(list(graph.nodes)):
        if (
            graph.nodes[name]["kind"] not in _OWN_BOX
            and name not in returned
            and "input" not in graph.pred[name]
            and all(reader in found for reader in graph.succ[name])
        ):
            found.add(name)
    return found


def _are_together(graph: nx.DiGraph, name: str, box: str, own_boxes: Mapping[str, int]) -> bool:
    """Whether an operator and a box belong together, by the number of layers in the modules that hold only one of them."""
    path, other = graph.nodes[name]["module"], graph.nodes[box]["module"]
    beside, around = _outermost(path, other), _outermost(other, path)
    return (beside is None or own_boxes[beside] == 0) and (around is None or own_boxes[around] <= 1)


def _outermost(path: str, other: str) -> str | None:
    """The largest module that holds a path, but not the other; None if none does."""
    outermost = None
    for module in with_parents(path):
        if is_within(other, module):
            break
        outermost = module
    return outermost
