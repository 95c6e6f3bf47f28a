"""Folding of a graph for pictures: equal blocks in a row become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfcheck.report.merging import merge_pointwise, with_parents

if TYPE_CHECKING:
    import networkx as nx

_EQUAL = (
    *("op", "kind", "module_type", "kernel", "stride", "dilation", "padding", "groups", "in_channels", "out_channels"),
    *("transposed", "in_size", "out_size", "state", "role"),
)
"""Attributes in which operators agree that stand for one another."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One box of a picture.

    Attributes:
        repetitions: names of the operators in it, the layer first, once for every repetition of its block.
    """

    repetitions: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """Name of the first layer in it."""
        return self.repetitions[0][0]

    @property
    def last_name(self) -> str:
        """Name of the last layer in it."""
        return self.repetitions[-1][0]


@dataclass(frozen=True, slots=True)
class Block:
    """Equal blocks in a row, drawn once.

    Attributes:
        first: dotted name of the first; of its layer where it is no module.
        last: that of the last.
        count: how many.
        units: indices of the boxes.
    """

    first: str
    last: str
    count: int
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded graph.

    Attributes:
        units: boxes in execution order.
        edges: pairs of indices of boxes, and whether the edge carries the weights of a gate.
        blocks: what was folded, outer blocks before those in them.
    """

    units: tuple[Unit, ...]
    edges: tuple[tuple[int, int, bool], ...]
    blocks: tuple[Block, ...]


def fold(graph: nx.DiGraph) -> Folded:
    """Fold a graph.

    Boxes are those of `rfcheck.report.merging.merge_pointwise`. Blocks in a row are drawn once if they are of the same class and
    equal inside (operators, kernels, strides, channels, sizes, states), and each reads the one before it and nothing else. No
    operator is lost: the names in all boxes are the nodes of the graph, each once.

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    folding = _Folding(graph, merge_pointwise(graph))
    for module in sorted(folding.inside, key=lambda path: (-_depth(path), path)):
        folding.fold_children(module)
    return folding.result()


def _depth(path: str) -> int:
    return path.count(".") + 1 if path else 0


class _Folding:
    """A graph of boxes that is folded step by step."""

    def __init__(self, graph: nx.DiGraph, boxes: Sequence[tuple[str, ...]]) -> None:
        self.graph = graph
        self.modules: dict[str, str] = graph.graph["modules"]
        self.next = {box: box + 1 for box in range(len(boxes))}
        self.repetitions = {box: [names] for box, names in enumerate(boxes)}
        self.path: dict[int, str] = {box: graph.nodes[names[0]]["module"] for box, names in enumerate(boxes)}
        self.inside: dict[str, list[int]] = {}
        for box, path in self.path.items():
            for module in with_parents(path):
                self.inside.setdefault(module, []).append(box)
        self.sources: dict[int, dict[int, bool]] = {box: {} for box in self.next}
        self.targets: dict[int, set[int]] = {box: set() for box in self.next}
        self.blocks: list[Block] = []
        box_of = {name: box for box, names in enumerate(boxes) for name in names}
        for source, target, gate in graph.edges.data("gate"):
            start, end = box_of[source], box_of[target]
            if start != end:
                self.sources[end][start] = gate and self.sources[end].get(start, True)
                self.targets[start].add(end)

    def fold_children(self, parent: str) -> None:
        """Fold what follows each other directly in a module."""
        runs = self._runs(parent)
        start = 0
        while start < len(runs):
            end = start + 1
            wiring = None
            while end < len(runs) and self._is_equal(runs[end - 1], runs[end], parent):
                found = self._wiring(runs[end - 1], runs[end])
                if found is None or wiring not in (None, found):
                    break
                wiring = found
                end += 1
            if end - start > 1:
                self._collapse(runs[start:end], parent)
            start = end

    def _runs(self, parent: str) -> list[list[int]]:
        """Boxes in a module in execution order, those of one child together as far as nothing comes between them."""
        runs: list[list[int]] = []
        before = None
        for box in self.inside[parent]:
            if box not in self.repetitions:
                continue
            child = self._child(box, parent)
            if child is not None and child == before and self.next[runs[-1][-1]] == box:
                runs[-1].append(box)
            else:
                runs.append([box])
            before = child
        return runs

    def _child(self, box: int, parent: str) -> str | None:
        """The child of a module that a box in it is in; None in the module's own forward."""
        path = self.path[box]
        if path == parent:
            return None
        prefix = f"{parent}." if parent else ""
        return prefix + path[len(prefix) :].partition(".")[0]

    def _is_equal(self, one: Sequence[int], other: Sequence[int], parent: str) -> bool:
        if len(one) != len(other) or self.next[one[-1]] != other[0]:
            return False
        return self._signature(one, parent) == self._signature(other, parent)

    def _signature(self, run: Sequence[int], parent: str) -> tuple[Any, ...]:
        """What is equal in blocks that stand for one another; inputs from outside are numbered."""
        inside = {box: place for place, box in enumerate(run)}
        outside: dict[int, int] = {}
        parts: list[Any] = [self.modules.get(self._child(run[0], parent) or "", "")]
        for box in run:
            operators = [[self.graph.nodes[name].get(key) for key in _EQUAL] for name in self.repetitions[box][0]]
            wires = [
                ("in", inside[source], gate) if source in inside else ("out", outside.setdefault(source, len(outside)), gate)
                for source, gate in self.sources[box].items()
            ]
            parts.append((len(self.repetitions[box]), operators, wires))
        return tuple(parts)

    def _wiring(self, one: Sequence[int], other: Sequence[int]) -> tuple[int, ...] | None:
        """Which boxes of a block the next one reads; None if it reads more, or others read the block too."""
        inside, following = {box: place for place, box in enumerate(one)}, set(other)
        if any(target not in inside and target not in following for box in one for target in self.targets[box]):
            return None
        read = list(dict.fromkeys(source for box in other for source in self.sources[box] if source not in following))
        return tuple(inside[source] for source in read) if read and all(source in inside for source in read) else None

    def _collapse(self, runs: Sequence[Sequence[int]], parent: str) -> None:
        first, last = runs[0], runs[-1]
        names = [self._child(run[0], parent) or self.repetitions[run[0]][0][0] for run in (first, last)]
        for run in runs[1:]:
            for kept, box in zip(first, run, strict=True):
                self.repetitions[kept] += self.repetitions.pop(box)
        stands_for = dict(zip(last, first, strict=True))
        own, gone = set(first), {box for run in runs[1:] for box in run}
        for box, kept in stands_for.items():
            self.targets[kept] &= own
            for target in self.targets[box] - set(last):
                self.targets[kept].add(target)
                self.sources[target] = {stands_for.get(source, source): gate for source, gate in self.sources[target].items()}
        self.next[first[-1]] = self.next[last[-1]]
        self.blocks = [block for block in self.blocks if not gone & set(block.units)]
        self.blocks.append(Block(names[0], names[1], len(runs), tuple(first)))

    def result(self) -> Folded:
        """The folded graph, boxes numbered anew."""
        number = {box: place for place, box in enumerate(self.repetitions)}
        units = tuple(Unit(tuple(names)) for names in self.repetitions.values())
        edges = tuple((number[s], number[box], gate) for box in number for s, gate in self.sources[box].items())
        blocks = [Block(b.first, b.last, b.count, tuple(number[box] for box in b.units)) for b in reversed(self.blocks)]
        return Folded(units, edges, tuple(blocks))
