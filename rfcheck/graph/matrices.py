"""How operators gather that take matrices as wholes: decompositions, inverses, solutions; distances between rows."""

from __future__ import annotations

from rfcheck.graph.axes import (
    Layout,
    broadcast,
    plain,
)
from rfcheck.graph.calls import Call, Gathered, mismatch
from rfcheck.graph.mixing import product, turned
from rfcheck.graph.operators import Distances, Matrices
from rfcheck.graph.reading import Reading
from rfcheck.graph.selecting import meet


def matrices(_: Matrices, call: Call) -> Gathered:
    """Every result reads the whole of its matrices, in the last two dimensions; the dimensions before them stay apart."""
    first = call.record.tensors[0]
    batch = max(len(first.shape) - 2, 0)
    layouts: list[Layout] = []
    readings: list[Reading] = []
    for tensor in call.images:
        reading = Reading(call.layout(tensor))
        lead = min(batch, max(len(tensor.shape) - 1, 0)) if len(tensor.shape) > batch else 0
        for dim in range(lead, len(tensor.shape)):
            reading.drop(dim)
        reading.dims = [*[()] * (batch - lead), *reading.dims[:lead]]
        readings.append(reading)
    common = broadcast(tuple(reading.layout for reading in readings), call.out_shape[:batch])
    for out in call.record.outputs:
        layouts.append((*common[: len(out.shape)], *(plain(size) for size in out.shape[batch:])))
    edges = [call.edge(tensor, reading, common) for tensor, reading in zip(call.images, readings, strict=True)]
    return Gathered(layouts, edges, "matrix", note=mismatch(edges))


def distances(_: Distances, call: Call) -> Gathered:
    """The distance of each row of one matrix from each row of another: a product of the first and the second one turned."""
    x, y = call.record.args[:2]
    if x.value is not None and y.value is not None:
        return product(call, x, call.layout(x), y, turned(call.layout(y)))
    rows, others = (x, y) if y.value is None else (y, x)
    reading = Reading(call.layout(rows))
    reading.drop(len(rows.shape) - 1)
    reading.dims[-1] = plain(others.shape[-2])
    if rows is y:
        reading.dims = list(turned(reading.layout))
    return meet(call, [(rows, reading)], "matmul")
