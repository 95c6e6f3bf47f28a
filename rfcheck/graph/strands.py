"""Which entries of a tensor came from which input of a concatenation, so that a part that is taken back reads that input only.

Every entry of a concatenation has a label, the number of its input. Labels vary along dimensions without positions and are followed
through operators that keep such entries apart. Where an operator takes entries of fewer inputs than there are, its result reads
these inputs, however many operators lie between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfcheck.graph.axes import Blend, Digit, Dim, Layout, Plain, axis_size, size_of
from rfcheck.graph.calls import Edge, Gathered
from rfcheck.graph.indexing import without_positions
from rfcheck.graph.reach import IDENTITY, Position, Reach, compose
from rfcheck.graph.records import OpRecord, TensorArg
from rfcheck.graph.slicing import clamped

if TYPE_CHECKING:
    import numpy as np

_APART = ("elementwise", "activation", "dropout", "join", "multiply", "pool", "resample")
_MOST_LABELS = 1 << 16


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
        dims: list[Dim] = [() if name == "stack" else self._layouts[edge.value][dim] for edge in gathered.edges]
        labels = np.repeat(np.arange(len(tensors)), counts).reshape([-1 if d == dim else 1 for d in range(len(shape))])
        self._bundles[record.outputs[0].value] = _Bundle(labels, [[edge] for edge in gathered.edges], dims)

    def _pass_on(self, record: OpRecord, gathered: Gathered, source: Edge, name: str) -> None:
        bundle = self._bundles[source.value]
        before = next(t.shape for t in record.tensors if t.value == source.value)
        labels = _moved(record, gathered, bundle.labels, name, before)
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
        present = [sorted(set(one.labels.ravel().tolist())) for one in made]
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


def _moved(record: OpRecord, gathered: Gathered, labels: np.ndarray, name: str, before: tuple[int, ...]) -> list[np.ndarray] | None:
    """The labels of each result; None where inputs are mixed, or not followed."""
    after = [out.shape for out in record.outputs]
    if gathered.kind in _APART and len(after[0]) == len(before):
        varying = [d for d, n in enumerate(labels.shape) if n > 1]
        return [labels] if all(after[0][d] == before[d] for d in varying) else None
    if gathered.kind == "norm" and "batch_norm" in name:
        return [labels]
    if gathered.kind == "conv":
        kernel, stride = record.args[1].shape, gathered.attributes["stride"]
        inside = all(n == 1 or (d > 1 and kernel[d] == 1 and set(stride) == {1}) for d, n in enumerate(labels.shape))
        return [labels] if inside and len(kernel) == labels.ndim else _by_channel(gathered, labels)
    if gathered.kind == "rearrange":
        return _rearranged(record, labels, name, before, after)
    return None


def _by_channel(gathered: Gathered, labels: np.ndarray) -> list[np.ndarray] | None:
    groups, made = gathered.attributes["groups"], gathered.attributes["out_channels"]
    if labels.ndim < 2 or labels.size != labels.shape[1] or groups != gathered.attributes["in_channels"] or made % groups:
        return None
    return [labels.repeat(made // groups, 1)]


def _rearranged(
    record: OpRecord, labels: np.ndarray, name: str, before: tuple[int, ...], after: list[tuple[int, ...]]
) -> list[np.ndarray] | None:
    args, count = record.args, len(before)
    if name in ("permute",):
        return [labels.transpose([d % count for d in args[1]])]
    if name == "transpose":
        return [labels.swapaxes(args[1], args[2])]
    if name in ("view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "alias"):
        viewed = _viewed(labels, before, after[0])
        return None if viewed is None else [viewed]
    if name in ("split", "split_with_sizes", "chunk", "unsafe_split", "unsafe_chunk", "unbind", "slice", "narrow", "select"):
        return _taken(record, labels, name, before, after)
    if name in ("roll", "flip", "constant_pad_nd", "reflection_pad2d", "replication_pad2d") and len(after[0]) == count:
        return [labels] if all(n == 1 or after[0][d] == before[d] for d, n in enumerate(labels.shape[2:], 2)) else None
    return None


def _taken(
    record: OpRecord, labels: np.ndarray, name: str, before: tuple[int, ...], after: list[tuple[int, ...]]
) -> list[np.ndarray] | None:
    """Slices and single entries along a dimension."""
    args = record.args
    place = 2 if "split" in name or "chunk" in name else 1
    dim = (args[place] if len(args) > place else record.kwargs.get("dim", 0)) % len(before)
    single = name in ("select", "unbind")
    start, step = 0, 1
    if name in ("slice", "narrow", "select") and len(args) > 2:
        start = clamped(args[2] or 0, before[dim])
    if name == "slice" and len(args) > 4:
        step = args[4]
    made: list[np.ndarray] = []
    for shape in after:
        size = 1 if single else shape[dim]
        part = labels if labels.shape[dim] == 1 else labels.take(range(start, start + size * step, step), dim)
        start += size * step
        made.append(part.take(0, dim) if single else part)
    return made


def _viewed(labels: np.ndarray, before: tuple[int, ...], after: tuple[int, ...]) -> np.ndarray | None:
    """Labels in another shape: run by run of dimensions that hold the same entries, written out only where they vary."""
    import numpy as np

    made: list[int] = []
    full: list[int] = []
    i = j = 0
    while i < len(before) or j < len(after):
        old, new = before[i : i + 1], after[j : j + 1]
        i, j = i + len(old), j + len(new)
        while math.prod(old) != math.prod(new):
            if math.prod(old) < math.prod(new):
                old, i = (*old, before[i]), i + 1
            else:
                new, j = (*new, after[j]), j + 1
        varies = any(n > 1 for n in labels.shape[len(full) : len(full) + len(old)])
        full.extend(old if varies else (1,) * len(old))
        made.extend(new if varies else (1,) * len(new))
    if math.prod(full) > _MOST_LABELS:
        return None
    result: Any = np.broadcast_to(labels, full).reshape(made)
    keep = tuple(slice(0, 1) if (result == result.take([0], d)).all() else slice(None) for d in range(result.ndim))
    return np.asarray(result[keep])
