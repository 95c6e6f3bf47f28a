"""Change windows in a traced graph and follow what that does to every size and cost, without tracing again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx

from rfcheck.graph.reach import GLOBAL, IDENTITY, Reach, window
from rfcheck.graph.windows import adaptive_reach

Extent = tuple[int, ...]
Node = Mapping[str, Any]

_FOLLOWS_SIZE = frozenset({"activation", "dropout"})
_MEETS = frozenset({"join", "multiply", "concat"})
_NORMS = ("batch_norm", "group_norm")


class NotFollowedError(Exception):
    """The graph alone does not say what an operator does at another size; the changed model has to be traced."""


@dataclass(frozen=True, slots=True)
class Window:
    """The window of a convolution or pooling after a change, per image axis; its dilation stays."""

    kernel: Extent
    stride: Extent
    padding: Extent


Windows = Mapping[str, Window | None]
"""New windows by node name; None for an operator that is removed, so that its input passes through."""

Poolings = Mapping[str, Extent]
"""Max-poolings that are put behind nodes: kernel and stride per image axis."""


def out_extent(size: int, kernel: int, stride: int, dilation: int, padding: int, *, ceil_mode: bool = False) -> int:
    """Output positions of a window along one axis, as torch counts them."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def changed_graph(
    graph: nx.DiGraph, windows: Windows, poolings: Poolings | None = None, *, itemsize: int = 4, follow_sizes: bool = True
) -> nx.DiGraph:
    """The graph that tracing the changed model would give.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`; stays as it is.
        windows: changed and removed operators.
        poolings: poolings to insert.
        itemsize: bytes of a number in a feature map.
        follow_sizes: whether sizes and costs are followed too. Without, only the reads change: enough for receptive fields where
            no operator's reads depend on its size.

    Raises:
        NotFollowedError: if an operator behind a change may act differently at another size.
    """
    return _Changed(graph, windows, poolings or {}, itemsize, follow_sizes).build()


class _Changed:
    """One walk over the graph in execution order."""

    def __init__(self, graph: nx.DiGraph, windows: Windows, poolings: Poolings, itemsize: int, follow_sizes: bool) -> None:
        self.old = graph
        self.windows = windows
        self.poolings = poolings
        self.itemsize = itemsize
        self.follow_sizes = follow_sizes
        self.new = nx.DiGraph()
        self.new.graph.update(graph.graph, parameters=dict(graph.graph["parameters"]))
        self.stand_in: dict[str, str] = {}  # what carries the value of an old node in the new graph

    def build(self) -> nx.DiGraph:
        for name in self.old._node:
            if self.windows.get(name, self) is None:
                (source,) = self.old._pred[name]
                self.stand_in[name] = self.stand_in[source]
            else:
                self._copy(name)
                self.stand_in[name] = name
            if name in self.poolings:
                self.stand_in[name] = self._pool_behind(self.stand_in[name], self.poolings[name])
        self.new.graph["outputs"] = [self.stand_in[name] for name in self.old.graph["outputs"]]
        return self.new

    def _copy(self, name: str) -> None:
        node: Node = self.old._node[name]
        change = self.windows.get(name)
        if change is not None:
            node = {**node, "kernel": change.kernel, "stride": change.stride, "padding": change.padding}
            node["params"] = self._resize_weight(name, node)
        moved = any(self._size_now(source) != self._size_before(source) for source in self.old._pred[name])
        reads = None if change is None else _window_reads(node)
        if self.follow_sizes and (moved or change is not None):
            node, reads = self._resized(name, node, reads)
        self.new.add_node(name, **node)
        for source, edge in self.old._pred[name].items():
            self.new.add_edge(self.stand_in[source], name, reads=edge["reads"] if reads is None else [reads], gate=edge["gate"])

    def _size_now(self, source: str) -> Extent:
        size: Extent = self.new._node[self.stand_in[source]]["sizes"]
        return size

    def _size_before(self, source: str) -> Extent:
        size: Extent = self.old._node[source]["sizes"]
        return size

    def _resized(self, name: str, node: Node, reads: tuple[Reach, ...] | None) -> tuple[Node, tuple[Reach, ...] | None]:
        """A node behind a change, at its new size."""
        kind = node["kind"]
        sources = self.old._pred[name]
        size_in = self._size_now(next(iter(sources)))
        before: Extent = node["sizes"]
        if kind in ("conv", "pool") and "kernel" in node:
            after = _slid(name, node, size_in)
        elif kind == "pool" and not node["spatial"]:
            return {**node, "in_sizes": size_in}, None
        elif kind == "pool" and "adaptive" in node and node["from_torch"]:
            after = before
            reads = tuple(IDENTITY if n == m else adaptive_reach(n, m) for n, m in zip(size_in, after, strict=True))
        elif kind in _FOLLOWS_SIZE or (kind == "norm" and any(norm in node["op"] for norm in _NORMS)):
            after = size_in
        elif kind in _MEETS and (len(sources) > 1 or self._is_alone(name)):
            after = self._met(name, before)
        else:
            raise NotFollowedError(f"{name} ({node['op']}) may act differently at another size")
        positions = math.prod(after)
        flops = node["flops"]
        if kind == "conv":
            flops = positions * math.prod(node["kernel"]) * node["in_channels"] // node["groups"] * node["out_channels"]
        elif flops:
            raise NotFollowedError(f"{name} ({node['op']}) costs what depends on the size")
        shape = (*node["shape"][: -len(before)], *after)
        if node["shape"] != (*shape[: -len(before)], *before):
            raise NotFollowedError(f"{name} does not hold its positions in the last dimensions")
        resized = {"shape": shape, "sizes": after, "in_sizes": size_in, "flops": flops}
        return {**node, **resized, "bytes": node["bytes"] * positions // math.prod(before)}, reads

    def _is_alone(self, name: str) -> bool:
        """Whether a concatenation has one input only."""
        (source,) = self.old._pred[name]
        node: Node = self.old._node[name]
        return bool(node["kind"] == "concat" and node["shape"] == self.old._node[source]["shape"])

    def _met(self, name: str, before: Extent) -> Extent:
        """The size at which several inputs meet: all maps agree, and what is spread over them stays as it was."""
        found: set[Extent] = set()
        for source, edge in self.old._pred[name].items():
            if self.old._node[source]["spatial"] and self._size_before(source) == before:
                if any(reads is None or any(reach != IDENTITY for reach in reads) for reads in edge["reads"]):
                    raise NotFollowedError(f"{name} reads its inputs at other positions")
                found.add(self._size_now(source))
            elif self._size_now(source) != self._size_before(source):
                raise NotFollowedError(f"{name} spreads a map over another")
        if len(found) != 1:
            raise NotFollowedError(f"{name} meets maps of different sizes: {sorted(found)}")
        return found.pop()

    def _resize_weight(self, name: str, node: Node) -> int:
        """Change the size of a convolution's weight with its kernel; returns the elements of all parameters of the node."""
        parameters: dict[str, int] = self.new.graph["parameters"]
        before = math.prod(self.old._node[name]["kernel"])
        for parameter in node["param_names"]:
            if parameter.rpartition(".")[2] == "weight":
                parameters[parameter] = self.old.graph["parameters"][parameter] // before * math.prod(node["kernel"])
        return sum(parameters.get(parameter, 0) for parameter in node["param_names"])

    def _pool_behind(self, name: str, stride: Extent) -> str:
        source: Node = self.new._node[name]
        sizes = tuple(out_extent(n, s, s, 1, 0) for n, s in zip(source["sizes"], stride, strict=True))
        shape = (*source["shape"][: -len(sizes)], *sizes)
        if min(sizes) < 1:
            raise NotFollowedError(f"a pooling behind {name} is larger than its map")
        pooling = f"{name}/downsample"
        self.new.add_node(
            pooling,
            **{**source, "kind": "pool", "op": "aten::max_pool2d_with_indices", "flops": 0, "params": 0, "param_names": ()},
        )
        node = self.new._node[pooling]
        node.update(shape=shape, sizes=sizes, in_sizes=source["sizes"], bytes=math.prod(shape) * self.itemsize, kernel=stride)
        node.update(stride=stride, dilation=(1,) * len(stride), padding=(0,) * len(stride), transposed=False)
        self.new.add_edge(name, pooling, reads=[_window_reads(node)], gate=False)
        return pooling


def _window_reads(node: Node) -> tuple[Reach, ...]:
    return tuple(
        window(k, s, d, p) for k, s, d, p in zip(node["kernel"], node["stride"], node["dilation"], node["padding"], strict=True)
    )


def _slid(name: str, node: Node, size_in: Extent) -> Extent:
    """Output size of a window that a module of torch's own applies."""
    if not node["from_torch"] or node["transposed"]:
        raise NotFollowedError(f"{name} ({node['op']}) is called as a function, which may look at the size")
    after = tuple(
        out_extent(n, k, s, d, p, ceil_mode=node.get("ceil_mode", False))
        for n, k, s, d, p in zip(size_in, node["kernel"], node["stride"], node["dilation"], node["padding"], strict=True)
    )
    if min(after) < 1:
        raise NotFollowedError(f"{name}: the kernel is larger than its map")
    return after


def prefix_graph(graph: nx.DiGraph, last: str) -> nx.DiGraph:
    """The graph up to a node in execution order."""
    kept = nx.DiGraph()
    kept.graph.update(graph.graph, outputs=[last])
    for name, node in graph._node.items():
        kept.add_node(name, **node)
        for source, edge in graph._pred[name].items():
            kept.add_edge(source, name, **edge)
        if name == last:
            break
    return kept


def add_head(graph: nx.DiGraph, source: str, *, classes: int, flops: int, allocated: int) -> None:
    """Add one node that stands for a classifier over all positions of a map."""
    axes = graph.graph["axes"]
    sizes = (1,) * axes
    costs = {"flops": flops, "bytes": allocated, "params": 0, "param_names": ()}
    place = {"module": "", "module_type": "", "from_torch": False}
    held = {"shape": (1, classes), "sizes": sizes, "in_sizes": graph._node[source]["sizes"], "spatial": False}
    graph.add_node("new head", op="aten::addmm", kind="linear", over_positions=True, **place, **held, **costs)
    graph.add_edge(source, "new head", reads=[(GLOBAL,) * axes], gate=False)
