"""What the network costs: multiply-accumulates, parameters, and bytes of activations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a part of the network, at batch size 1.

    Attributes:
        flops: multiply-accumulates.
        params: parameters, each counted once.
        activation_bytes: bytes of the results that its operators allocate; views and in-place results allocate none, and
            positions of maxima or statistics that an operator returns beside its result do not count.
    """

    flops: int
    params: int
    activation_bytes: int


def total_cost(graph: nx.DiGraph) -> Cost:
    """Cost of the whole network: every parameter of the model, used or not, and every operator, also those on constants."""
    constants: list[dict[str, int]] = graph.graph["constants"]
    nodes = graph._node.values()
    return Cost(
        flops=sum(node["flops"] for node in nodes) + sum(c["flops"] for c in constants),
        params=sum(graph.graph["parameters"].values()),
        activation_bytes=sum(node["bytes"] for node in nodes),
    )


def cost_of(graph: nx.DiGraph, names: Iterable[str], spared: Collection[str] = ()) -> Cost:
    """Cost of some of the nodes.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        names: the nodes.
        spared: parameters that do not count, because others use them too.
    """
    sizes: dict[str, int] = graph.graph["parameters"]
    params: set[str] = set()
    flops = activation_bytes = 0
    for name in names:
        node = graph._node[name]
        flops += node["flops"]
        activation_bytes += node["bytes"]
        params.update(node["param_names"])
    return Cost(flops, sum(sizes.get(p, 0) for p in params.difference(spared)), activation_bytes)


def own_cost(graph: nx.DiGraph, names: Collection[str]) -> Cost:
    """Cost of some of the nodes that the network would be without if they were gone: weights that others use too stay."""
    return cost_of(graph, names, used_outside(graph, names))


def used_outside(graph: nx.DiGraph, names: Collection[str]) -> frozenset[str]:
    """The parameters that nodes read which are not among some."""
    inside = set(names)
    return frozenset(p for name, node in graph._node.items() if name not in inside for p in node["param_names"])


def flops_by_operator(graph: nx.DiGraph) -> dict[str, int]:
    """Multiply-accumulates per operator, largest first; operators that count nothing are left out."""
    totals: defaultdict[str, int] = defaultdict(int)
    for item in (*graph._node.values(), *graph.graph["constants"]):
        totals[item["op"]] += item["flops"]
    return _largest_first(totals)


def flops_by_module(graph: nx.DiGraph) -> dict[str, int]:
    """Multiply-accumulates per module, those of its sub-modules included; "" is the whole model."""
    totals: defaultdict[str, int] = defaultdict(int)
    for item in (*graph._node.values(), *graph.graph["constants"]):
        flops, path = item["flops"], item["module"]
        if not flops:
            continue
        while path:
            totals[path] += flops
            path = path.rpartition(".")[0]
        totals[""] += flops
    return _largest_first(totals)


def _largest_first(totals: dict[str, int]) -> dict[str, int]:
    return {name: n for name, n in sorted(totals.items(), key=lambda item: -item[1]) if n}
