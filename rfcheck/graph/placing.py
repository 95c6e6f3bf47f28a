"""How operators gather that write values to computed places of a tensor: scatter, masked and indexed writes.

What is not written keeps its value, so every position reads its own; what is written can come from any place along the
dimensions that the places choose from, and meets the tensor position by position along the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rfcheck.graph.calls import Call, Gathered
from rfcheck.graph.indexing import scattered
from rfcheck.graph.operators import Place
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg
from rfcheck.graph.selecting import Part, fitted, meet, whole


def place(meaning: Place, call: Call) -> Gathered:
    """Dispatch to the way of writing that the operator's entry names."""
    target = call.arg("self")
    parts = [(target, Reading(call.layout(target))), *_WAYS[meaning.how](call, target)]
    return meet(call, parts, "join")


def _scattered(call: Call, target: TensorArg) -> list[Part]:
    """Places and values of one shape, along one dimension; along the others they lie on the first values of the target."""
    dim = call.arg("dim") % max(len(target.shape), 1)
    given = [t for t in (call.arg("index"), call.arg("src")) if isinstance(t, TensorArg)]
    index = given[0]
    parts = [(t, fitted(whole(call, t, [dim]), target.shape, _cut(t, index), dim)) for t in given]
    value = _scalar(call)
    return [*parts, value] if value else parts


def _cut(tensor: TensorArg, index: TensorArg) -> tuple[int, ...]:
    """The shape of what is read: only as many values as there are places."""
    return tuple(min(own, places) for own, places in zip(tensor.shape, index.shape, strict=True))


def _scalar(call: Call) -> Part | None:
    value = call.arg("value")
    if not isinstance(value, TensorArg):
        return None
    read = whole(call, value, range(len(value.shape)))
    read.dims = [()] * len(call.out_shape)
    return value, read


def _rows(call: Call, target: TensorArg) -> list[Part]:
    """A list of places along one dimension, and values for each of them."""
    dim = call.arg("dim") % max(len(target.shape), 1)
    index = call.arg("index")
    places = whole(call, index, range(len(index.shape)))
    places.dims = [()] * len(target.shape)
    parts: list[Part] = [(index, places)]
    source = call.arg("source")
    if isinstance(source, TensorArg):
        known = _at_known_places(call, source, dim, index, target.shape[dim])
        parts.append((source, known or whole(call, source, [dim])))
    elif (value := _scalar(call)) is not None:
        parts.append(value)
    return parts


def _indexed(call: Call, target: TensorArg) -> list[Part]:
    """Places as tensors that meet position by position, or one mask over some dimensions."""
    used = {dim: index for dim, index in enumerate(call.arg("indices")) if index is not None}
    values = call.arg("values")
    count = len(target.shape)
    masked = {dim: index for dim, index in used.items() if index.is_mask}
    parts: list[Part] = []
    for dim, index in masked.items():
        end = dim + len(index.shape)
        parts.append((index, Reading((*[()] * dim, *call.layout(index), *[()] * (count - end)))))
    for dim, index in used.items():
        if dim not in masked:
            places = whole(call, index, range(len(index.shape)))
            places.dims = [()] * count
            parts.append((index, places))
    known = None
    if len(used) == 1 and not masked:
        ((dim, index),) = used.items()
        known = _at_known_places(call, values, dim, index, target.shape[dim])
    parts.append((values, known or _valued(call, values, used, count)))
    return parts


def _at_known_places(call: Call, source: TensorArg, dim: int, index: TensorArg, total: int) -> Reading | None:
    """What is read of values that are put, along the positions of one axis, at places that are known; None elsewhere."""
    lead = len(call.out_shape) - len(source.shape)
    reading = Reading((*[()] * lead, *call.layout(source)))
    if index.data is None or len(index.shape) != 1 or dim < lead or reading.single_digit(dim) is None:
        return None
    reading.resize(dim, scattered(index.data.tolist(), total), total)
    return reading


def _valued(call: Call, values: TensorArg, used: dict[int, TensorArg], count: int) -> Reading:
    """Written values: the dimensions that the places span are read whole, those behind them stay."""
    adjacent = max(used) - min(used) == len(used) - 1
    last = max(used)
    span = max(len(used[last].shape) if used[last].is_mask else 1, 1)
    behind = count - last - span if adjacent else 0
    kept = min(behind, len(values.shape))
    read = whole(call, values, range(len(values.shape) - kept))
    rest = read.dims[len(values.shape) - kept :]
    read.dims = [*[()] * (count - kept), *rest]
    return read


def _one_after_another(call: Call, target: TensorArg) -> list[Part]:
    """Values that are counted off, under a mask or at places in the flattened target: which comes where depends on all places."""
    parts: list[Part] = []
    for name in ("mask", "index", "source"):
        tensor = call.arg(name)
        if isinstance(tensor, TensorArg):
            read = whole(call, tensor, range(len(tensor.shape)))
            read.dims = [()] * len(target.shape)
            parts.append((tensor, read))
    return parts


_WAYS: dict[str, Callable[[Call, Any], list[Part]]] = {
    "scatter": _scattered,
    "rows": _rows,
    "index": _indexed,
    "flat": _one_after_another,
}
