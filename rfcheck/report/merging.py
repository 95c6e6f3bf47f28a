"""The boxes of a picture of a graph: each layer with the normalisations, activations and the like behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

_OWN_BOX = frozenset({"input", "conv", "pool", "linear", "attention", "matmul", "recurrent", "resample", "unknown"})
"""Kinds of operators that are worth a box of their own."""


def merge_pointwise(graph: nx.DiGraph) -> list[tuple[str, ...]]:
    """The names of the operators in each box, the first before those that joined it; boxes in execution order.

    An operator joins the box of what it reads if it reads nothing else and sees no more than it (normalisation, activation, another
    shape), nothing else of use reads the same, and the two belong together: the largest module that holds the operator and not the
    box has no other layer, nor has the largest one that holds the box and not the operator.

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    own_boxes = Counter(
        module for _, node in graph.nodes.items() if node["kind"] in _OWN_BOX for module in with_parents(node["module"])
    )
    boxes: dict[str, list[str]] = {}
    box_of: dict[str, str] = {}
    for name in graph.nodes:
        sources = list(graph.pred[name])
        box = box_of[sources[0]] if len(sources) == 1 and _sees_the_same(graph, name, sources[0]) else name
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


def _sees_the_same(graph: nx.DiGraph, name: str, source: str) -> bool:
    node, before = graph.nodes[name], graph.nodes[source]
    return (
        node["kind"] not in _OWN_BOX
        and before["kind"] != "input"
        and (_is_left_over(graph, name) or sum(not _is_left_over(graph, reader) for reader in graph.succ[source]) == 1)
        and not graph.edges[source, name]["gate"]
        and node["role"] == before["role"]
        and (node["r_min"], node["r_max"]) == (before["r_min"], before["r_max"])
    )


def _is_left_over(graph: nx.DiGraph, name: str) -> bool:
    """Whether nobody reads what a module only puts into another shape, such as the places of the maxima of a pooling in 1-D."""
    node = graph.nodes[name]
    modules = {graph.nodes[source]["module"] for source in graph.pred[name]}
    return node["kind"] == "rearrange" and not graph.succ[name] and modules == {node["module"]} and bool(node["module"])


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
