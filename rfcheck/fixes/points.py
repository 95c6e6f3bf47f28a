"""Down-sampling points: where a network loses resolution, parallel operators taken together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.analysis.roles import Role
from rfcheck.fixes.arithmetic import Node, Window

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class DownsamplingPoint:
    """Strided operators that lie side by side, so that they can only be changed together.

    Attributes:
        nodes: their node names, in execution order.
        stride: positions between windows per image axis.
    """

    nodes: tuple[str, ...]
    stride: tuple[int, ...]


def downsampling_points(graph: nx.DiGraph, roles: Mapping[str, Role]) -> list[DownsamplingPoint]:
    """The down-sampling points of the feature path, in execution order.

    Two operators belong together if their branches meet again: where branches join, what lies on them since they parted is one
    point.
    """
    groups = _Groups()
    passed: dict[str, tuple[str, ...]] = {}  # strided operators on the way to a node, one per group
    for name, node in graph._node.items():
        ways = [
            passed[s] for s, edge in graph._pred[name].items() if not edge["gate"] and graph._node[s]["spatial"] and s in passed
        ]
        way = groups.merge(ways) if ways else ()
        if roles[name] == "features" and is_strided(node):
            way = (*way, name)
        passed[name] = way
    return groups.points(graph, [name for name, node in graph._node.items() if roles[name] == "features" and is_strided(node)])


def is_strided(node: Node) -> bool:
    """Whether a node is a convolution or pooling that lowers the resolution."""
    return node["kind"] in ("conv", "pool") and not node.get("transposed", True) and max(node.get("stride", (1,))) > 1


class _Groups:
    """Strided operators, joined into groups."""

    def __init__(self) -> None:
        self.leader: dict[str, str] = {}

    def find(self, name: str) -> str:
        while self.leader.get(name, name) != name:
            name = self.leader[name]
        return name

    def merge(self, ways: list[tuple[str, ...]]) -> tuple[str, ...]:
        """The way behind a join; what differs between the ways becomes one group."""
        led = list(dict.fromkeys(tuple(dict.fromkeys(map(self.find, way))) for way in ways))
        if len(led) == 1:
            return led[0]
        common = 0
        while all(len(way) > common for way in led) and len({way[common] for way in led}) == 1:
            common += 1
        rest = [name for way in led for name in way[common:]]
        for name in rest[1:]:
            self.leader[self.find(name)] = self.find(rest[0])
        return (*led[0][:common], self.find(rest[0]))

    def points(self, graph: nx.DiGraph, strided: list[str]) -> list[DownsamplingPoint]:
        members: dict[str, list[str]] = {}
        for name in strided:
            members.setdefault(self.find(name), []).append(name)
        return [_point(graph, names) for names in members.values()]


def _point(graph: nx.DiGraph, names: list[str]) -> DownsamplingPoint:
    strides = [graph._node[name]["stride"] for name in names]
    return DownsamplingPoint(tuple(names), tuple(max(along_axis) for along_axis in zip(*strides, strict=True)))


def without_stride(graph: nx.DiGraph, point: DownsamplingPoint) -> dict[str, Window | None]:
    """The windows of a point's operators when it no longer lowers the resolution.

    Convolutions keep their kernel. Poolings go; beside convolutions that shrink the map by their kernel they stay, with stride 1.
    """
    nodes = {name: graph._node[name] for name in point.nodes}
    keep_size = all(_keeps_size(node) for node in nodes.values() if node["kind"] == "conv")
    return {
        name: None if node["kind"] == "pool" and keep_size else Window(node["kernel"], (1,) * len(node["stride"]), node["padding"])
        for name, node in nodes.items()
    }


def _keeps_size(node: Node) -> bool:
    """Whether a convolution with stride 1 in place of its own keeps the size of its map."""
    return all(2 * p == d * (k - 1) for k, d, p in zip(node["kernel"], node["dilation"], node["padding"], strict=True))


def as_small_stem(graph: nx.DiGraph, point: DownsamplingPoint) -> dict[str, Window | None]:
    """Like `without_stride`, and a single kernel larger than three taps becomes 3x3: the stem of He et al. for small images."""
    windows = without_stride(graph, point)
    if len(windows) > 1:  # parallel kernels differ on purpose
        return windows
    for name, window in windows.items():
        node = graph._node[name]
        if node["kind"] == "conv" and window is not None and max(node["kernel"]) > 3:
            kernel = tuple(min(k, 3) for k in node["kernel"])
            windows[name] = Window(kernel, window.stride, tuple((k - 1) // 2 for k in kernel))
    return windows
