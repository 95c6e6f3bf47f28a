"""How operators gather that take a part of a dimension: slices, single values, splits."""

from __future__ import annotations

import math

from rfcheck.graph.axes import (
    Layout,
    Plain,
    Tokens,
    plain,
    resized,
)
from rfcheck.graph.calls import Call, Gathered, edge_from, moved
from rfcheck.graph.indexing import index_into, without_positions
from rfcheck.graph.reach import FIRST_UNIT, Reach
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg

_KIND = "rearrange"


def cut(reading: Reading, dim: int, start: int, step: int, size: int, whole: int) -> bool:
    """Keep ``size`` values of a dimension from ``start`` on, every ``step``-th; False where its positions cannot be followed."""
    if size == whole and step == 1:
        return True
    factors = reading.dims[dim]
    if without_positions(factors) and size:
        reading.dims[dim] = resized(factors, size)
        return True
    if not size:  # reads nothing
        reading.dims[dim] = (Plain(0),)
        return True
    if len(factors) == 1 and isinstance(factors[0], Tokens):
        return _sliced_tokens(reading, dim, factors[0], start, step, size)
    if reading.single_digit(dim) is None and not reading.absorb(dim):
        return index_into(reading, dim, 1, range(start, start + size * step, step))
    reading.resize(dim, Reach(1, step, (start,), (start,)), size)
    return True


def _sliced_tokens(reading: Reading, dim: int, tokens: Tokens, start: int, step: int, size: int) -> bool:
    positions = math.prod(d.size for d in tokens.digits)
    first, end = tokens.before, tokens.before + positions
    if step == 1 and start <= first and start + size >= end:
        before, after = first - start, start + size - end
        reading.dims[dim] = (Tokens(before, tokens.digits, after),) if before or after else tokens.digits
        return True
    if start + (size - 1) * step < first or start >= end:  # only class or register tokens
        reading.drop(dim)
        for axis in {digit.axis for digit in tokens.digits}:
            reading.reaches[axis] = FIRST_UNIT
        reading.dims[dim] = plain(size)
        return True
    return False


def by_slice(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Every step-th value of a dimension between two."""
    dim = call.arg("dim", 0) % len(layout)
    start = clamped(call.arg("start") or 0, x.shape[dim])
    step = call.arg("step", 1)
    reading = Reading(layout)
    if not cut(reading, dim, start, step, call.out_shape[dim], x.shape[dim]):
        return call.unknown("slices positions of several axes in one dimension", _KIND)
    return moved(x, reading)


def by_narrow(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Neighbouring values of a dimension."""
    dim = call.arg("dim") % len(layout)
    reading = Reading(layout)
    if not cut(reading, dim, clamped(call.arg("start"), x.shape[dim]), 1, call.out_shape[dim], x.shape[dim]):
        return call.unknown("slices positions of several axes in one dimension", _KIND)
    return moved(x, reading)


def clamped(index: int, size: int) -> int:
    """An index as Python takes it, counted from the end if negative, kept within 0 and ``size``."""
    return min(max(index + size if index < 0 else index, 0), size)


def _picked(x: TensorArg, layout: Layout, dim: int, index: int) -> tuple[Reading, bool]:
    reading = Reading(layout)
    whole = x.shape[dim]
    known = cut(reading, dim, index, 1, 1, whole)
    if known:
        known = reading.pick(dim, 0)
        del reading.dims[dim]
    return reading, known


def by_select(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """One value of a dimension, which goes."""
    dim = call.arg("dim") % len(layout)
    reading, known = _picked(x, layout, dim, clamped(call.arg("index"), x.shape[dim]))
    return moved(x, reading) if known else call.unknown("selects among positions of several axes", _KIND)


def by_unbind(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """One output per value of a dimension."""
    dim = call.arg("dim", 0) % len(layout)
    picked = [_picked(x, layout, dim, index) for index in range(len(call.record.outputs))]
    if not all(known for _, known in picked):
        return call.unknown("selects among positions of several axes", _KIND)
    return _several(x, [reading for reading, _ in picked])


def by_split(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Several outputs, one after another along a dimension."""
    dim = call.arg("dim", 0) % len(layout)
    readings: list[Reading] = []
    start = 0
    for out in call.record.outputs:
        reading = Reading(layout)
        if not cut(reading, dim, start, 1, out.shape[dim], x.shape[dim]):
            return call.unknown("slices positions of several axes in one dimension", _KIND)
        readings.append(reading)
        start += out.shape[dim]
    return _several(x, readings)


def _several(x: TensorArg, readings: list[Reading]) -> Gathered:
    """One part per output where they read different positions, else one answer for all."""
    gathered = moved(x, readings[0], *[reading.layout for reading in readings])
    if any(reading.reaches != readings[0].reaches for reading in readings):
        gathered.parts = [[edge_from(x, reading.reaches)] for reading in readings]
    return gathered
