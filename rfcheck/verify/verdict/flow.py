"""Which measured layers a layer reads, and which it is possible to pass by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Flow:
    """How features reach layers.

    Attributes:
        reads: per layer, the measured layers whose outputs reach its input without passing another measured layer.
        bypassed: layers that some path from the input to the output does not pass.
    """

    reads: Mapping[str, tuple[str, ...]]
    bypassed: frozenset[str]


def flow_of(graph: nx.DiGraph, layers: Sequence[str]) -> Flow:
    """The flow between measured layers, in time linear in the operators, if few layers feed one.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`, in execution order; weights of gates do not count as features.
        layers: names of the measured ones, in execution order.
    """
    measured = set(layers)
    sources: dict[str, tuple[str, ...]] = {}
    reads: dict[str, tuple[str, ...]] = {}
    for name in graph._node:
        found = dict.fromkeys(layer for source in _features_of(graph, name) for layer in sources[source])
        if name in measured:
            reads[name] = tuple(found)
        sources[name] = (name,) if name in measured else tuple(found)
    return Flow(reads, _bypassed(graph) & measured)


def _features_of(graph: nx.DiGraph, name: str) -> list[str]:
    edges = graph._pred[name]
    return [source for source, edge in edges.items() if not edge["gate"]] or list(edges)


def _bypassed(graph: nx.DiGraph) -> frozenset[str]:
    """The nodes that an edge reaches over: in execution order, it begins before and ends behind the node."""
    order = list(graph._node)
    position = {name: index for index, name in enumerate(order)}
    useful: set[str] = {order[-1]}
    for name in reversed(order):
        if any(target in useful for target in graph._adj[name]):
            useful.add(name)
    reach = 0
    passed: set[str] = set()
    for index, name in enumerate(order):
        if name not in useful:
            continue
        if reach > index:
            passed.add(name)
        reach = max(reach, *(position[target] for target in graph._adj[name] if target in useful), 0)
    return frozenset(passed)
