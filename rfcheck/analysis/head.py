"""The head of a classifier: a linear layer over flattened positions, and the number of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx

_SPATIAL_KINDS = ("conv", "pool", "resample")


@dataclass(frozen=True, slots=True)
class FlattenedHead:
    """A linear layer that gives every position of a feature map weights of its own.

    Attributes:
        linear: node of the linear layer.
        map: node of the last feature map (N, C, *axes) before the flattening.
        positions: positions of that map per image axis.
    """

    linear: str
    map: str
    positions: tuple[int, ...]


def flattened_head(graph: nx.DiGraph, roles: Mapping[str, Role]) -> FlattenedHead | None:
    """The first linear layer that reads the flattened positions of a map whose size follows that of the image.

    Adaptive pooling fixes the size of what comes after it, and a reduction leaves no positions to flatten. Layers that mix
    positions within the network (token mixing, gates, the bottleneck of an autoencoder) are no heads: a map is behind them.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        roles: roles of its nodes.

    Returns:
        None where there is no such layer.
    """
    follows = _follows_the_image(graph)
    spatial_behind: set[str] | None = None
    for name, node in graph._node.items():
        if node["kind"] != "linear" or not node["over_positions"] or node["spatial"] or roles[name] != "head":
            continue
        flattened = _flattened(graph, name, follows)
        if flattened is None:
            continue
        if spatial_behind is None:
            spatial_behind = _with_maps_behind(graph)
        if name not in spatial_behind and (found := _last_map(graph, flattened, follows)) is not None:
            return FlattenedHead(name, found, graph._node[found]["sizes"])
    return None


def output_classes(graph: nx.DiGraph) -> int | None:
    """The number of classes, if the model returns one vector (1, K) with K of at least 2; None where that is not known."""
    outputs = graph.graph["outputs"]
    shape: tuple[int, ...] = graph._node[outputs[0]]["shape"] if len(outputs) == 1 else ()
    return shape[1] if len(shape) == 2 and shape[0] == 1 and shape[1] > 1 else None


def _follows_the_image(graph: nx.DiGraph) -> dict[str, bool]:
    """Per node, whether it holds positions whose number depends on the extent of the image."""
    follows: dict[str, bool] = {}
    for name, node in graph._node.items():
        sources = graph._pred[name]
        keeps = node["spatial"] and "adaptive" not in node
        follows[name] = keeps and (not sources or any(follows[source] for source in sources))
    return follows


def _flattened(graph: nx.DiGraph, name: str, follows: Mapping[str, bool]) -> str | None:
    """The first node whose positions a node reads all at once, itself or through vectors (N, features) put side by side."""
    sources: list[str] = list(graph._pred[name])
    for source in sources:
        if follows[source] and _reads_all(graph, source, name):
            return source
        node = graph._node[source]
        if node["kind"] == "concat" and len(node["shape"]) == 2 and (found := _flattened(graph, source, follows)) is not None:
            return found
    return None


def _reads_all(graph: nx.DiGraph, source: str, name: str) -> bool:
    """Whether a node reads all positions of another one along an image axis."""
    ways = graph._adj[source][name]["reads"]
    return any(reads is not None and any(reach.is_global for reach in reads) for reads in ways)


def _with_maps_behind(graph: nx.DiGraph) -> set[str]:
    """The nodes with a feature map, or a layer that makes one, behind them."""
    found: set[str] = set()
    for name in reversed(graph._node):
        for target in graph._adj[name]:
            node = graph._node[target]
            if target in found or node["spatial"] or node["kind"] in _SPATIAL_KINDS:
                found.add(name)
                break
    return found


def _last_map(graph: nx.DiGraph, flattened: str, follows: Mapping[str, bool]) -> str | None:
    """The last node in execution order that still is a map (N, C, *axes), on the ways back from a flattened one."""
    axes = graph.graph["axes"]
    order = {name: i for i, name in enumerate(graph._node)}
    pending, seen = {flattened}, {flattened}
    while pending:
        name = max(pending, key=order.__getitem__)
        pending.discard(name)
        node = graph._node[name]
        if len(node["shape"]) == axes + 2 and node["shape"][2:] == node["sizes"]:
            return name
        sources = {source for source in graph._pred[name] if follows[source]} - seen
        pending |= sources
        seen |= sources
    return None
