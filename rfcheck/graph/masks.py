"""Which products with weights are gates, and which apply the mask that a network estimates.

A gate is a small branch beside features: squeeze-and-excitation, spatial attention, gated convolutions. Networks for speech
separation and enhancement end in the same product, features times a sigmoid, but there the branch is the network: it holds most
of the model, and the features beside it are an encoder's or the image itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

_LAYERS = frozenset({"conv", "linear", "recurrent", "attention"})
_Edge = tuple[str, str]


def release_masks(graph: nx.DiGraph) -> None:
    """Let products count on both sides where the weights come from most of the model; their edges are no gates any more.

    That is so where the branches that weigh one map, position by position along every axis, hold more than half of the model's
    layers and more than half of its multiply-accumulates or parameters. Weights per channel, from pooled maps, are always gates.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`; the ``gate`` of its edges is changed.
    """
    products = [edge for edge in _weighing(graph) if _is_by_position(graph, *edge)]
    if not products:
        return
    aside = beside_features(graph)
    for edges in reversed(_by_map(graph, products)):  # the outermost first: gates within a mask network stay gates
        if not _is_most(graph, aside):
            return
        if _is_most(graph, _branches(graph, aside, [source for source, _ in edges])):
            for source, product in edges:
                graph._adj[source][product]["gate"] = False
            aside = beside_features(graph)


def beside_features(graph: nx.DiGraph) -> set[str]:
    """The nodes that reach the output through the weights of products only."""
    feeds: set[str] = set()
    for name in reversed(graph._node):
        following = graph._adj[name]
        if not following or any(not edge["gate"] and target in feeds for target, edge in following.items()):
            feeds.add(name)
    return set(graph._node) - feeds


def _weighing(graph: nx.DiGraph) -> Iterable[_Edge]:
    """The weights of elementwise products, as edges."""
    for name, node in graph._node.items():
        if node["kind"] == "multiply":
            yield from ((source, name) for source, edge in graph._pred[name].items() if edge["gate"])


def _is_by_position(graph: nx.DiGraph, source: str, product: str) -> bool:
    """Whether every position has a weight of its own."""
    node = graph._node[source]
    return bool(node["spatial"] and node["sizes"] == graph._node[product]["sizes"])


def _by_map(graph: nx.DiGraph, products: Iterable[_Edge]) -> list[list[_Edge]]:
    """Products together that weigh the same map: several masks for one mixture. In execution order of their last."""
    groups: dict[str, list[_Edge]] = {}
    for source, product in products:
        weighed = next((s for s, edge in graph._pred[product].items() if not edge["gate"]), source)
        while graph._node[weighed]["kind"] == "rearrange" and len(graph._pred[weighed]) == 1:
            (weighed,) = graph._pred[weighed]
        groups[weighed] = [*groups.pop(weighed, []), (source, product)]
    return list(groups.values())


def _branches(graph: nx.DiGraph, aside: Set[str], ends: Iterable[str]) -> set[str]:
    """What lies beside the features and leads to some weights."""
    found: set[str] = set()
    waiting = [end for end in ends if end in aside]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(source for source in graph._pred[name] if source in aside)
    return found


def _is_most(graph: nx.DiGraph, names: Set[str]) -> bool:
    """Whether some nodes hold more than half of the layers, and of the multiply-accumulates or the parameters."""
    nodes = graph._node
    layers = [name for name, node in nodes.items() if node["kind"] in _LAYERS]
    if 2 * sum(name in names for name in layers) <= len(layers):
        return False
    if 2 * sum(nodes[name]["flops"] for name in names) > sum(node["flops"] for node in nodes.values()):
        return True
    sizes: dict[str, int] = graph.graph["parameters"]
    held = {p for name in names for p in nodes[name]["param_names"]}
    return 2 * sum(sizes.get(p, 0) for p in held) > sum(sizes.values())
