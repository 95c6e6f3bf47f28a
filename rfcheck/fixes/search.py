"""What every combination of changed down-sampling points would do, all at once, by arithmetic on the graph.

Each quantity is an array with one value per combination, carried through the graph in execution order: the recurrence of Richter
2022, section 4.4, over many networks together. Receptive fields are taken as extents along each path, as if all windows were
centred; what is chosen from here is predicted exactly afterwards.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfcheck.analysis.receptive_field import counted_extent
from rfcheck.fixes.points import DownsamplingPoint, without_stride
from rfcheck.graph.reach import IDENTITY

if TYPE_CHECKING:
    import networkx as nx

    from rfcheck.analysis.network import Network
    from rfcheck.config import Settings
    from rfcheck.fixes.arithmetic import Window

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


class NotSearchableError(Exception):
    """The graph holds an operator whose effect at another size is not known; names it."""


class Choice(IntEnum):
    """What becomes of a down-sampling point."""

    KEEP = 0
    DROP = 1
    SHIFT = 2


@dataclass(frozen=True, slots=True)
class Option:
    """A down-sampling point that may change.

    Attributes:
        point: the operators.
        shift_to: node behind which its down-sampling can be done instead; None where it cannot.
    """

    point: DownsamplingPoint
    shift_to: str | None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can become of it."""
        return (Choice.KEEP, Choice.DROP) if self.shift_to is None else (Choice.KEEP, Choice.DROP, Choice.SHIFT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One combination.

    Attributes:
        choices: per option, what becomes of it.
        tail_layers: layers that the tail then has.
        flops: multiply-accumulates.
    """

    choices: tuple[Choice, ...]
    tail_layers: int
    flops: int


_MOST_COMBINATIONS = 4096


def pareto_front(network: Network, options: Sequence[Option], settings: Settings) -> list[Candidate]:
    """The combinations that no other one beats in tail layers and FLOPs, cheapest first; only those with a smaller tail than now.

    Args:
        network: as analysed.
        options: what may change; if there are too many combinations, fewer choices are tried for the later ones.
        settings: ``projection`` and ``gates`` are read.

    Raises:
        NotSearchableError: if sizes cannot be followed.
    """
    sets = [option.choices for option in options]
    while math.prod(map(len, sets)) > _MOST_COMBINATIONS:
        longest = max(range(len(sets)), key=lambda i: (len(sets[i]), i))
        sets[longest] = sets[longest][:-1]
    choices = np.array(list(itertools.product(*sets)), dtype=np.int64)
    tail, flops, feasible = _Search(network, settings, options, choices).run()
    changes = choices.sum(axis=1)  # of two combinations that do the same, the one that changes less
    best = len(network.border.tail)
    front: list[Candidate] = []
    for index in np.lexsort((changes, tail, flops)):
        if feasible[index] and tail[index] < best:
            best = int(tail[index])
            front.append(Candidate(tuple(Choice(c) for c in choices[index]), best, int(flops[index])))
    return front


@dataclass(slots=True)
class _Maps:
    """The map of a node along one axis, per combination."""

    size: Numbers
    jump: Numbers
    low: Numbers
    high: Numbers


class _Search:
    """One walk over the graph for all combinations."""

    def __init__(self, network: Network, settings: Settings, options: Sequence[Option], choices: NDArray[np.int64]) -> None:
        self.network = network
        self.settings = settings
        self.graph: nx.DiGraph = network.graph
        self.count = len(choices)
        self.feasible: Flags = np.ones(self.count, dtype=bool)
        self.changed: dict[str, tuple[Flags, Window | None]] = {}
        self.shifted: dict[str, list[tuple[Flags, tuple[int, ...]]]] = {}
        for index, option in enumerate(options):
            for node, window in without_stride(self.graph, option.point).items():
                self.changed[node] = (choices[:, index] != Choice.KEEP, window)
            if option.shift_to is not None:
                self.shifted.setdefault(option.shift_to, []).append((choices[:, index] == Choice.SHIFT, option.point.stride))
        square = len(set(network.input_size)) == 1 and all(_is_square(node) for node in self.graph._node.values())
        self.axes = range(1 if square else len(network.input_size))
        self.maps: dict[str, tuple[_Maps, ...] | None] = {}

    def run(self) -> tuple[Numbers, Numbers, Flags]:
        """Tail layers and FLOPs per combination, and whether it works at all."""
        flops = np.zeros(self.count)
        unproductive: dict[str, Flags] = {}
        for name, node in self.graph._node.items():
            maps = self.maps[name] = self._maps(name, node)
            if name in self.network.border.productive:
                if maps is None:
                    raise NotSearchableError(f"{name} lies behind an operator that is not followed")
                unproductive[name] = self._exceeds(name)
            if node["flops"]:
                flops += node["flops"] if maps is None else node["flops"] / math.prod(node["sizes"]) * self._positions(maps, node)
            if maps is not None:
                self.maps[name] = self._pooled(name, maps)
        return self._tail(unproductive), flops, self.feasible

    def _positions(self, maps: tuple[_Maps, ...], node: Mapping[str, Any]) -> Numbers:
        if len(maps) == 1:
            return np.asarray(maps[0].size ** len(node["sizes"]))
        return np.asarray(np.prod([m.size for m in maps], axis=0))

    def _sources(self, name: str) -> list[str]:
        edges = self.graph._pred[name]
        counted = self.settings.gates == "count"
        plain = [s for s, edge in edges.items() if counted or not edge["gate"]] or list(edges)
        return [s for s in plain if self.maps[s] is not None]

    def _maps(self, name: str, node: Mapping[str, Any]) -> tuple[_Maps, ...] | None:
        if not self.graph._pred[name]:
            one = np.ones(self.count)
            return tuple(_Maps(one * self.network.input_size[axis], one, one, one) for axis in self.axes)
        sources = self._sources(name)
        if not sources or not node["spatial"] or "adaptive" in node:
            return None
        if "kernel" in node and node["kind"] in ("conv", "pool"):
            if node["transposed"]:
                raise NotSearchableError(f"{name} raises the resolution")
            maps = tuple(self._slide(name, node, self._of(sources[0])[i], axis) for i, axis in enumerate(self.axes))
        elif len(sources) == 1 and self._passes(name, node, sources[0]):
            maps = self._of(sources[0])
        elif all(self._passes(name, node, source) for source in sources):
            maps = tuple(self._meet([self._of(source)[i] for source in sources]) for i, _ in enumerate(self.axes))
        else:
            raise NotSearchableError(f"{name} ({node['op'].rpartition('::')[2]}) is not followed")
        return maps

    def _pooled(self, name: str, maps: tuple[_Maps, ...]) -> tuple[_Maps, ...]:
        """The maps behind a node, after the poolings that are put there."""
        for where, stride in self.shifted.get(name, ()):
            maps = tuple(self._pool(maps[i], where, stride[axis]) for i, axis in enumerate(self.axes))
        return maps

    def _of(self, name: str) -> tuple[_Maps, ...]:
        maps = self.maps[name]
        assert maps is not None
        return maps

    def _passes(self, name: str, node: Mapping[str, Any], source: str) -> bool:
        """Whether a node reads an input position by position."""
        reads = self.graph._pred[name][source]["reads"]
        same = node["sizes"] == self.graph._node[source]["sizes"]
        return bool(same and all(way is not None and all(reach == IDENTITY for reach in way) for way in reads))

    def _slide(self, name: str, node: Mapping[str, Any], before: _Maps, axis: int) -> _Maps:
        k, s, d, p = (node[key][axis] for key in ("kernel", "stride", "dilation", "padding"))
        kernel: Any = d * (k - 1) + 1
        stride: Any = s
        padding: Any = p
        if name in self.changed:
            where, window = self.changed[name]
            stride = np.where(where, 1, s)
            if window is None:
                kernel, padding = np.where(where, 1, kernel), np.where(where, 0, p)
        room = before.size + 2 * padding - kernel
        size = (np.ceil(room / stride) if node.get("ceil_mode") else np.floor(room / stride)) + 1
        if node.get("ceil_mode"):
            size = np.where((size - 1) * stride >= before.size + padding, size - 1, size)
        self.feasible &= size >= 1
        high = before.high + (kernel - 1) * before.jump
        kept, free = (counted_extent(node, axis, step, self.settings) for step in (s, 1))
        counted = kernel if node["kind"] == "pool" else np.where(stride == s, kept, free)
        low = np.minimum(before.low + (counted - 1) * before.jump, high)
        return _Maps(size, before.jump * stride, low, high)

    def _meet(self, maps: Sequence[_Maps]) -> _Maps:
        first = maps[0]
        for other in maps[1:]:
            self.feasible &= other.size == first.size
        low = np.minimum.reduce([m.low for m in maps])
        return _Maps(first.size, first.jump, low, np.maximum.reduce([m.high for m in maps]))

    def _pool(self, before: _Maps, where: Flags, stride: int) -> _Maps:
        size = np.where(where, np.floor(before.size / stride), before.size)
        self.feasible &= size >= 1
        grown = np.where(where, (stride - 1) * before.jump, 0)
        return _Maps(size, np.where(where, stride, 1) * before.jump, before.low + grown, before.high + grown)

    def _exceeds(self, name: str) -> Flags:
        sources = self._sources(name)
        over = [
            np.minimum.reduce([self._of(source)[i].low for source in sources]) > self.network.input_size[axis]
            for i, axis in enumerate(self.axes)
        ]
        exceeds: Flags = np.logical_and.reduce(over)
        return exceeds

    def _tail(self, unproductive: Mapping[str, Flags]) -> Numbers:
        quiet: dict[str, Flags] = {}
        everywhere: Flags = np.ones(self.count, dtype=bool)
        tail = np.zeros(self.count)
        for name in reversed(self.graph._node):
            behind = everywhere
            for target in self.graph._adj[name]:
                behind = behind & quiet[target]
            if name in unproductive:
                tail += behind & unproductive[name]
                behind = behind & unproductive[name]
            quiet[name] = behind
        return tail


def _is_square(node: Mapping[str, Any]) -> bool:
    per_axis = ("sizes", "kernel", "stride", "dilation", "padding")
    return all(len(set(node[key])) <= 1 for key in per_axis if key in node)
