"""What lies behind a place: modules and function calls, one after the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from rfcheck.fixes.places import Place


class NotReplaceableError(Exception):
    """The head cannot be replaced module by module; says why."""


@dataclass(slots=True)
class Element:
    """A module behind a place that is treated as a whole, or a function call between such modules.

    Attributes:
        module: dotted name of the module; None for a function call.
        nodes: nodes inside.
    """

    module: str | None
    nodes: list[str] = field(default_factory=list)


def elements_behind(graph: nx.DiGraph, place: Place, opened: Collection[str]) -> tuple[list[Element], bool]:
    """What is behind a place in execution order, where each element reads the one before only.

    Args:
        graph: the traced graph.
        place: where to begin.
        opened: dotted names of the modules that the place lies inside; calls in their forwards are elements of their own.

    Returns:
        The elements, and whether function calls were left out because the output does not depend on them.

    Raises:
        NotReplaceableError: if an element reads something else, or a module is called several times.
    """
    elements: list[Element] = []
    begun: set[str] = set()
    inside = {place.node: -1}
    outputs = graph.graph["outputs"]
    used = nx.ancestors(graph, outputs[0]) | {*outputs}
    left_out = False
    within = frozenset(opened)
    for name in islice(graph._node, place.index + 1, None):
        module = _outermost(graph._node[name]["module"], within)
        if module is None and name not in used:
            left_out = True  # looked at by the forward itself, as in a branch on values
            continue
        if module is None or not elements or elements[-1].module != module:
            if module is not None and module in begun:
                raise NotReplaceableError(f"{module} is called in several places")
            begun.update([] if module is None else [module])
            elements.append(Element(module))
        elements[-1].nodes.append(name)
        current = inside[name] = len(elements) - 1
        for source in graph._pred[name]:
            if inside.get(source, -2) not in (current, current - 1):
                raise NotReplaceableError(f"{name} reads {source}, which is not right before it")
    if any(element.module and graph.graph["calls"].get(element.module, 0) != 1 for element in elements):
        raise NotReplaceableError("a module of the head is called several times")
    return elements, left_out


def _outermost(path: str, opened: Collection[str]) -> str | None:
    """The outermost module around a call that is not open; None for a call in the forward of an open one."""
    end = -1
    while (end := path.find(".", end + 1)) >= 0:
        if path[:end] not in opened:
            return path[:end]
    return path if path and path not in opened else None
