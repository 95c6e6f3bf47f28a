"""How operators gather that take values at computed places: gather, embedding, indexing, search, products over named dimensions.

Along the dimensions that are looked up, any value can be the one that is taken: all of them are read. Along the others, result,
source and places meet position by position. So what is selected along channels stays where it is, and what is selected along
positions reads them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rfcheck.graph.axes import (
    Dim,
    broadcast,
    plain,
)
from rfcheck.graph.calls import Call, Gathered, mismatch, moved
from rfcheck.graph.indexing import index_into, same_along
from rfcheck.graph.operators import Lookup
from rfcheck.graph.reach import window
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg

Part = tuple[TensorArg, Reading]
"""A tensor, and what is read of it, edited to as many dimensions as the result has; those read whole are empty."""


def meet(call: Call, parts: Sequence[Part], kind: str) -> Gathered:
    """Tensors edited to the dimensions of the result meet there position by position; constants have no part in it."""
    layouts = tuple(reading.layout for _, reading in parts)
    result = broadcast(layouts, call.out_shape)
    edges = [call.edge(tensor, reading, result) for tensor, reading in parts if tensor.value is not None]
    return Gathered([result], edges, kind, note=mismatch(edges))


def whole(call: Call, tensor: TensorArg, dims: Sequence[int]) -> Reading:
    """A tensor of which some dimensions are read whole; they stay, empty."""
    reading = Reading(call.layout(tensor))
    for dim in dims:
        reading.drop(dim)
    return reading


def fitted(reading: Reading, shape: Sequence[int], given: Sequence[int], except_dim: int) -> Reading:
    """Bring the dimensions of a tensor to other sizes: the first values of both lie on each other."""
    for dim, size in enumerate(shape):
        if dim == except_dim or given[dim] == size:
            continue
        if reading.single_digit(dim) is not None:
            reading.resize(dim, window(1), size)
        elif reading.is_spatial(dim):
            raise NotImplementedError("places for a part of positions of several axes in one dimension")
        else:
            reading.dims[dim] = plain(size)
    return reading


def look_up(meaning: Lookup, call: Call) -> Gathered:
    """Dispatch to the way of looking up that the operator's entry names."""
    return _WAYS[meaning.how](call)


def _gather(call: Call) -> Gathered:
    """``source`` along one dimension at the places in ``index``, which has the shape of the result."""
    source, index = call.arg("self"), call.arg("index")
    dim = call.arg("dim") % max(len(source.shape), 1)
    along = None if index.data is None or source.value is None else same_along(index.data, dim)
    if along is not None:  # a known choice, the same everywhere else
        chosen = fitted(Reading(call.layout(source)), call.out_shape, source.shape, dim)
        if index_into(chosen, dim, 1, along):
            return moved(source, chosen)
    taken = fitted(whole(call, source, [dim]), call.out_shape, source.shape, dim)
    return meet(call, [(source, taken), (index, Reading(call.layout(index)))], "select")


def _take(call: Call) -> Gathered:
    """Values of a flattened tensor."""
    source, index = call.arg("self"), call.arg("index")
    taken = whole(call, source, range(len(source.shape)))
    taken.dims = [()] * len(index.shape)
    return meet(call, [(source, taken), (index, Reading(call.layout(index)))], "select")


def _embedding(call: Call) -> Gathered:
    """Rows of a matrix."""
    rows, index = call.arg("weight"), call.arg("indices")
    taken = whole(call, rows, [0])
    taken.dims = [*[()] * len(index.shape), *taken.dims[1:]]
    places = Reading((*call.layout(index), ()))
    return meet(call, [(rows, taken), (index, places)], "select")


def at_computed_places(call: Call) -> Gathered:
    """Indexing of some dimensions by tensors that meet position by position, or by one mask."""
    source, dim = call.arg("self"), call.arg("dim")
    indices = call.arg("indices") if dim is None else [None] * (dim % len(source.shape)) + [call.arg("index")]
    used = {dim: index for dim, index in enumerate(indices) if index is not None}
    if any(index.is_mask for index in used.values()):
        return _masked(call, source, used)
    shape = _common(list(used.values()))
    at = min(used) if max(used) - min(used) == len(used) - 1 else 0
    taken = whole(call, source, list(used))
    rest: list[Dim] = [dim for i, dim in enumerate(taken.dims) if i not in used]
    taken.dims = [*rest[:at], *[()] * len(shape), *rest[at:]]
    parts = [(source, taken)]
    for index in used.values():
        lead, tail = at + len(shape) - len(index.shape), len(call.out_shape) - at - len(shape)
        parts.append((index, Reading((*[()] * lead, *call.layout(index), *[()] * tail))))
    return meet(call, parts, "select")


def _common(indices: Sequence[TensorArg]) -> list[int]:
    count = max(len(index.shape) for index in indices)
    return [max(index.shape[i - count] for index in indices if len(index.shape) >= count - i) for i in range(count)]


def _masked(call: Call, source: TensorArg, used: dict[int, TensorArg]) -> Gathered:
    """The values under a mask, one after another: which of them comes where depends on all of the mask."""
    if len(used) > 1:
        return call.all_global("select")
    ((dim, mask),) = used.items()
    count = len(mask.shape)
    taken = whole(call, source, range(dim, dim + count))
    taken.dims[dim : dim + count] = [()]
    places = whole(call, mask, range(count))
    places.dims = [()] * len(call.out_shape)
    return meet(call, [(source, taken), (mask, places)], "select")


def _search(call: Call) -> Gathered:
    """The place of each value among sorted ones, of which the last dimension is read whole."""
    values = call.arg("self") if "self" in _names(call) else call.arg("elements")
    among = next(a for n in ("sorted_sequence", "boundaries", "test_elements") if isinstance(a := call.arg(n), TensorArg))
    parts: list[Part] = []
    if isinstance(values, TensorArg):
        parts.append((values, Reading(call.layout(values))))
    aligned = len(among.shape) == len(call.out_shape) and "test_elements" not in _names(call)
    read = whole(call, among, [len(among.shape) - 1] if aligned else range(len(among.shape)))
    read.dims = read.dims if aligned else [()] * len(call.out_shape)
    return meet(call, [*parts, (among, read)], "select")


def _names(call: Call) -> set[str]:
    return {argument.name for argument in call.record.func._schema.arguments}


def _trilinear(call: Call) -> Gathered:
    """The sum over some dimensions of the product of three tensors, each spread over dimensions of its own."""
    gone = set(call.arg("sumdim"))
    parts: list[Part] = []
    for name, spread in (("i1", "expand1"), ("i2", "expand2"), ("i3", "expand3")):
        factor = call.arg(name)
        dims: list[Dim] = list(call.layout(factor))
        for dim in sorted(call.arg(spread)):
            dims.insert(dim, ())
        reading = Reading(tuple(dims))
        for dim in gone:
            reading.drop(dim)
        reading.dims = [dim for i, dim in enumerate(reading.dims) if i not in gone]
        parts.append((factor, reading))
    return meet(call, parts, "multiply")


_WAYS: dict[str, Callable[[Call], Gathered]] = {
    "gather": _gather,
    "take": _take,
    "embedding": _embedding,
    "index": at_computed_places,
    "search": _search,
    "trilinear": _trilinear,
}
