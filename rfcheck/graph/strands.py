"""Which entries of a tensor came from which input of a concatenation, so that a part that is taken back reads that input only.

Every entry of a concatenation has a label, the number of its input. Labels vary along dimensions without positions and are followed
through operators that keep such entries apart. Where an operator takes entries of fewer inputs than there are, its result reads
these inputs, however many operators lie between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.graph.axes import Blend, Digit, Dim, Layout, Plain, axis_size, size_of
from rfcheck.graph.calls import Edge, Gathered
from rfcheck.graph.indexing import without_positions
from rfcheck.graph.labels import PADDING, moved
from rfcheck.graph.reach import IDENTITY, Position, Reach, compose
from rfcheck.graph.records import OpRecord, TensorArg

if TYPE_CHECKING:
    import numpy as np


@dataclass(slots=True)
class _Bundle:
    """What is known of one value.

    Attributes:
        labels: of its entries; of extent 1 along dimensions where they do not vary.
        edges: how each input of the concatenation is read.
        dims: of each input, the dimension that lies in the joined one.
    """

    labels: np.ndarray
    edges: list[list[Edge]]
    dims: list[Dim]


class Strands:
    """Follows the inputs of concatenations.

    Args:
        layouts: of all values so far.
    """

    def __init__(self, layouts: Mapping[int, Layout]) -> None:
        self._layouts = layouts
        self._bundles: dict[int, _Bundle] = {}

    def follow(self, record: OpRecord, gathered: Gathered) -> None:
        """Take note of a call's results, and of what they read instead of its inputs, where that is less."""
        name = record.func if isinstance(record.func, str) else record.func._opname
        if gathered.kind == "concat":
            self._bind(record, gathered, name)
        elif self._bundles and gathered.edges:
            source = next((edge for edge in gathered.edges if edge.value in self._bundles), None)
            if source is not None and source.reaches is not None and not source.gate:
                self._pass_on(record, gathered, source, name)

    def _bind(self, record: OpRecord, gathered: Gathered, name: str) -> None:
        import numpy as np

        if name not in ("cat", "stack", "concatenate") or gathered.note or len(record.args[0]) < 2:
            return
        shape = record.outputs[0].shape
        dim = (record.args[1] if len(record.args) > 1 else record.kwargs.get("dim", 0)) % len(shape)
        tensors: list[TensorArg] = [t for t in record.args[0] if 0 not in t.shape]
        if not without_positions(gathered.layouts[0][dim]) or [t.value for t in tensors] != [e.value for e in gathered.edges]:
            return
        counts = [1 if name == "stack" else t.shape[dim] for t in tensors]
        whole = _Bundle(np.zeros(0, int), [], [])
        for edge, count in zip(gathered.edges, counts, strict=True):
            inner = self._bundles.get(edge.value)
            if inner is None or name == "stack" or edge.reaches or inner.labels.size != inner.labels.shape[dim]:
                own = () if name == "stack" else self._layouts[edge.value][dim]
                inner = _Bundle(np.zeros(count, int), [[edge]], [own])
            labels = inner.labels.ravel()
            whole.labels = np.append(whole.labels, np.where(labels < 0, labels, labels + len(whole.edges)))
            whole.edges += inner.edges
            whole.dims += inner.dims
        whole.labels = whole.labels.reshape([-1 if d == dim else 1 for d in range(len(shape))])
        self._bundles[record.outputs[0].value] = whole

    def _pass_on(self, record: OpRecord, gathered: Gathered, source: Edge, name: str) -> None:
        bundle = self._bundles[source.value]
        before = next(t.shape for t in record.tensors if t.value == source.value)
        labels = moved(record, gathered, bundle.labels, name, before)
        if labels is None:
            return
        others = [edge for edge in gathered.edges if edge is not source]
        made: list[_Bundle] = []
        for slot, own in enumerate(labels):
            read = gathered.parts[slot][0].reaches if gathered.parts else source.reaches
            layout = gathered.layouts[slot if len(gathered.layouts) > 1 else 0]
            edges = [[_through(edge, read or {}, layout) for edge in strand] + others for strand in bundle.edges]
            made.append(_Bundle(own, edges, bundle.dims))
        if len(made) == 1 and _interleaved(gathered, made[0]):
            return
        present = [sorted(set(one.labels.ravel().tolist()) - {PADDING}) for one in made]
        if all(present) and any(len(kept) < len(bundle.edges) for kept in present):
            _hold_again(gathered, present, made)
            gathered.instead = [[e for k in kept for e in one.edges[k]] for kept, one in zip(present, made, strict=True)]
            if len(made) > 1 and gathered.parts is None:
                gathered.parts = [gathered.edges] * len(made)
        for out, one, kept in zip(record.outputs, made, present, strict=False):
            if len(kept) > 1:
                self._bundles[out.value] = one


def _interleaved(gathered: Gathered, bundle: _Bundle) -> bool:
    """Entries of several inputs that a view puts between one another are positions in turn, each of one input."""
    layout = gathered.layouts[0]
    for dim, factors in enumerate(layout):
        if bundle.labels.shape[dim] == 1 or without_positions(factors) or len(factors) != 2:
            continue
        digit, inner = factors
        if not isinstance(digit, Digit) or not isinstance(inner, Plain) or digit.size != axis_size(layout, digit.axis):
            continue
        turn = bundle.labels.reshape(-1)[: inner.size].tolist()
        made = (*layout[:dim], (Digit(digit.axis, digit.size * inner.size, 1),), *layout[dim + 1 :])
        strands = [[_through(e, {digit.axis: _taking(turn, k)}, made) for e in own] for k, own in enumerate(bundle.edges)]
        both = Reach(inner.size, 1, (0,) * inner.size, (0,) * inner.size)
        gathered.edges = [_through(edge, {digit.axis: both}, made) for edge in gathered.edges]
        gathered.layouts = [made]
        gathered.instead = [[edge for own in strands for edge in own]]
        return True
    return False


def _hold_again(gathered: Gathered, present: Sequence[list[int]], made: Sequence[_Bundle]) -> None:
    """Parts of a dimension in which different axes lay beside one another hold the axis of their input again."""
    layouts = list(gathered.layouts) if len(gathered.layouts) == len(made) else list(gathered.layouts) * len(made)
    for slot, (kept, one) in enumerate(zip(present, made, strict=True)):
        for dim, factors in enumerate(layouts[slot]):
            own = one.dims[kept[0]]
            if len(kept) == 1 and factors and isinstance(factors[0], Blend) and size_of(factors) == size_of(own):
                layouts[slot] = (*layouts[slot][:dim], own, *layouts[slot][dim + 1 :])
    gathered.layouts = layouts


def _taking(turn: Sequence[int], label: int) -> Reach:
    """In every turn, the places of one label read their position, and the others nothing."""
    first: tuple[Position, ...] = tuple(0 if own == label else math.inf for own in turn)
    last: tuple[Position, ...] = tuple(0 if own == label else -math.inf for own in turn)
    return Reach(len(turn), 1, first, last)


def _through(edge: Edge, reaches: Mapping[int, Reach], layout: Layout) -> Edge:
    """An edge read through one operator more."""
    if not reaches or edge.reaches is None:
        return edge
    own = dict(edge.reaches)
    for axis, reach in reaches.items():
        own[axis] = compose(reach, own.get(axis, IDENTITY), axis_size(layout, axis))
    return Edge(edge.value, own, edge.gate)
