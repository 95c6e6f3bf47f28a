"""How operators gather that move values without computing: views, slices, padding, shifts, repetition."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rfcheck.graph.axes import Layout, Reading, Tokens, digits_of, plain, plain_layout, regroup, with_extras
from rfcheck.graph.calls import Call, Gathered, edge_from
from rfcheck.graph.operators import Rearrange
from rfcheck.graph.reach import FIRST_UNIT, Reach, window
from rfcheck.graph.records import TensorArg
from rfcheck.graph.windows import transposed_fold

_KIND = "rearrange"


def rearrange(meaning: Rearrange, call: Call) -> Gathered:
    """Dispatch to the arrangement that the operator's entry names."""
    if meaning.how == "col2im":
        return transposed_fold(call)
    x = call.images[0]
    gathered = _ARRANGEMENTS[meaning.how](call, x, call.layout(x))
    gathered.weights = x.value in call.weights
    return gathered


def _done(x: TensorArg, reading: Reading, *layouts: Layout, **attributes: Any) -> Gathered:
    return Gathered(list(layouts) or [reading.layout], [edge_from(x, reading.reaches)], _KIND, attributes)


def _view(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    result = regroup(layout, call.out_shape)
    if result is None:
        return call.unknown("views positions across the borders of their dimensions", _KIND)
    return _done(x, Reading(layout), result)


def _permute(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    name = call.record.func._opname.removesuffix("_")
    count = len(layout)
    if name == "permute":
        order = [d % count for d in call.arg("dims")]
    else:
        order = list(range(count))
        a, b = (call.arg("dim0"), call.arg("dim1")) if name in ("transpose", "swapaxes") else (-2, -1)
        if count > 1:
            order[a], order[b] = order[b], order[a]
    return _done(x, Reading(layout), tuple(layout[d] for d in order))


def _expand(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    shape = call.out_shape
    reading = Reading(layout)
    extra = len(shape) - len(layout)
    for dim, size in enumerate(shape[extra:]):
        if x.shape[dim] == size:
            continue
        if reading.single_digit(dim) is not None:
            reading.resize(dim, FIRST_UNIT, size)
        else:
            reading.dims[dim] = plain(size)
    return _done(x, reading, (*(plain(n) for n in shape[:extra]), *reading.dims))


def _sliced(reading: Reading, dim: int, start: int, step: int, size: int, whole: int) -> bool:
    """Keep ``size`` values of a dimension from ``start`` on, every ``step``-th; False where its positions cannot be followed."""
    if size == whole and step == 1:
        return True
    factors = reading.dims[dim]
    if not digits_of(factors):
        reading.dims[dim] = plain(size)
        return True
    if len(factors) == 1 and isinstance(factors[0], Tokens):
        return _sliced_tokens(reading, dim, factors[0], start, step, size)
    if reading.single_digit(dim) is None and not reading.absorb(dim):
        return False
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


def _slice(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    dim = call.arg("dim", 0) % len(layout)
    start = clamped(call.arg("start") or 0, x.shape[dim])
    step = call.arg("step", 1)
    reading = Reading(layout)
    if not _sliced(reading, dim, start, step, call.out_shape[dim], x.shape[dim]):
        return call.unknown("slices positions of several axes in one dimension", _KIND)
    return _done(x, reading)


def _narrow(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    dim = call.arg("dim") % len(layout)
    reading = Reading(layout)
    if not _sliced(reading, dim, clamped(call.arg("start"), x.shape[dim]), 1, call.out_shape[dim], x.shape[dim]):
        return call.unknown("slices positions of several axes in one dimension", _KIND)
    return _done(x, reading)


def clamped(index: int, size: int) -> int:
    """An index as Python takes it, counted from the end if negative, kept within 0 and ``size``."""
    return min(max(index + size if index < 0 else index, 0), size)


def _picked(x: TensorArg, layout: Layout, dim: int, index: int) -> tuple[Reading, bool]:
    reading = Reading(layout)
    whole = x.shape[dim]
    known = _sliced(reading, dim, index, 1, 1, whole)
    if known:
        known = reading.pick(dim, 0)
        del reading.dims[dim]
    return reading, known


def _select(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    dim = call.arg("dim") % len(layout)
    reading, known = _picked(x, layout, dim, clamped(call.arg("index"), x.shape[dim]))
    return _done(x, reading) if known else call.unknown("selects among positions of several axes", _KIND)


def _unbind(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """One output per value of a dimension."""
    dim = call.arg("dim", 0) % len(layout)
    picked = [_picked(x, layout, dim, index) for index in range(len(call.record.outputs))]
    if not all(known for _, known in picked):
        return call.unknown("selects among positions of several axes", _KIND)
    return _several(x, [reading for reading, _ in picked])


def _split(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Several outputs, one after another along a dimension."""
    dim = call.arg("dim", 0) % len(layout)
    readings: list[Reading] = []
    start = 0
    for out in call.record.outputs:
        reading = Reading(layout)
        if not _sliced(reading, dim, start, 1, out.shape[dim], x.shape[dim]):
            return call.unknown("slices positions of several axes in one dimension", _KIND)
        readings.append(reading)
        start += out.shape[dim]
    return _several(x, readings)


def _several(x: TensorArg, readings: list[Reading]) -> Gathered:
    """One part per output where they read different positions, else one answer for all."""
    gathered = _done(x, readings[0], *[reading.layout for reading in readings])
    if any(reading.reaches != readings[0].reaches for reading in readings):
        gathered.parts = [[edge_from(x, reading.reaches)] for reading in readings]
    return gathered


def _pad(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    amounts = call.arg("pad") or call.arg("padding")
    reading = Reading(layout)
    margins: dict[int, tuple[int, int]] = {}
    for index in range(len(amounts) // 2):
        dim = len(layout) - 1 - index
        before, after = amounts[2 * index], amounts[2 * index + 1]
        if not (before or after):
            continue
        if not digits_of(reading.dims[dim]):
            reading.dims[dim] = plain(call.out_shape[dim])
            continue
        if (tokens := with_extras(reading.dims[dim], before, after)) is not None:
            reading.dims[dim] = tokens
            continue
        if reading.single_digit(dim) is None and not reading.absorb(dim):
            return call.unknown("pads positions of several axes in one dimension", _KIND)
        reading.resize(dim, window(1, padding=before), call.out_shape[dim])
        digit = reading.single_digit(dim)
        if digit is not None and "constant" in call.record.func._schema.name:
            margins[digit.axis] = (max(before, 0), max(after, 0))
    return _done(x, reading, **({"margins": margins} if margins else {}))


def _roll(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    shifts, dims = _listed(call.arg("shifts")), _listed(call.arg("dims") or [])
    reading = Reading(layout)
    if not dims:
        return call.all_global(_KIND)
    for shift, dim in zip(shifts, dims, strict=True):
        dim %= len(layout)
        if not digits_of(layout[dim]):
            continue
        if reading.single_digit(dim) is None:
            return call.unknown("shifts positions of several axes in one dimension", _KIND)
        reading.resize(dim, window(1, padding=shift), x.shape[dim])
    return _done(x, reading)


def _listed(value: Any) -> list[int]:
    return [value] if isinstance(value, int) else list(value)


def _flip(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    reading = Reading(layout)
    for dim in _listed(call.arg("dims")):
        dim %= len(layout)
        if not digits_of(layout[dim]):
            continue
        if reading.single_digit(dim) is None:
            return call.unknown("mirrors positions of several axes in one dimension", _KIND)
        end = x.shape[dim] - 1
        reading.resize(dim, Reach(1, -1, (end,), (end,)), x.shape[dim])
    return _done(x, reading)


def _repeat(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    extra = len(call.out_shape) - len(layout)
    reading = Reading(layout)
    for dim, size in enumerate(call.out_shape[extra:]):
        whole = x.shape[dim]
        if size == whole:
            continue
        if not digits_of(reading.dims[dim]):
            reading.dims[dim] = plain(size)
        elif reading.single_digit(dim) is None:
            return call.unknown("repeats positions of several axes in one dimension", _KIND)
        else:
            reading.resize(dim, Reach(whole, 0, tuple(range(whole)), tuple(range(whole))), size)
    return _done(x, reading, (*(plain(n) for n in call.out_shape[:extra]), *reading.dims))


def _repeat_interleave(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    dim = call.arg("dim")
    if dim is None or len(call.out_shape) != len(layout):
        return call.all_global(_KIND)
    dim %= len(layout)
    reading = Reading(layout)
    if not digits_of(layout[dim]):
        reading.dims[dim] = plain(call.out_shape[dim])
        return _done(x, reading)
    times, rest = divmod(call.out_shape[dim], x.shape[dim])
    if rest or reading.single_digit(dim) is None:
        return call.unknown("repeats positions unevenly", _KIND)
    reading.resize(dim, Reach(times, 1, (0,) * times, (0,) * times), call.out_shape[dim])
    return _done(x, reading)


def _pixel_shuffle(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    factor = call.arg("upscale_factor")
    return _scaled(call, x, layout, Reach(factor, 1, (0,) * factor, (0,) * factor))


def _pixel_unshuffle(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    factor = call.arg("downscale_factor")
    return _scaled(call, x, layout, window(factor, factor))


def _scaled(call: Call, x: TensorArg, layout: Layout, reach: Reach) -> Gathered:
    """Positions moved between the last two dimensions and the channels before them."""
    reading = Reading(layout)
    for dim in (len(layout) - 2, len(layout) - 1):
        if not digits_of(layout[dim]):
            reading.dims[dim] = plain(call.out_shape[dim])
        elif reading.single_digit(dim) is None and not reading.absorb(dim):
            return call.unknown("shuffles positions of several axes in one dimension", _KIND)
        else:
            reading.resize(dim, reach, call.out_shape[dim])
    reading.dims[-3] = plain(call.out_shape[-3])
    return _done(x, reading)


def _unfold(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Sliding windows along one dimension; the values of a window become a new last dimension."""
    dim = call.arg("dimension") % len(layout)
    size, step = call.arg("size"), call.arg("step")
    reading = Reading(layout)
    if not digits_of(layout[dim]):
        reading.dims[dim] = plain(call.out_shape[dim])
    elif reading.single_digit(dim) is None:
        return call.unknown("slides a window over positions of several axes in one dimension", _KIND)
    else:
        reading.resize(dim, window(size, step), call.out_shape[dim])
    return _done(x, reading, (*reading.dims, plain(size)))


def _index_select(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    return _indexed(call, x, layout, call.arg("dim") % len(layout), 1)


def _index(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Advanced indexing; followed where one dimension without positions is indexed by constants."""
    indices = call.arg("indices")
    used = [i for i, index in enumerate(indices) if index is not None]
    if call.record.args[0] is not x or any(t.value is not None for t in call.images[1:]) or len(used) != 1:
        return call.all_global(_KIND)
    return _indexed(call, x, layout, used[0], len(indices[used[0]].shape))


def _indexed(call: Call, x: TensorArg, layout: Layout, dim: int, index_dims: int) -> Gathered:
    if digits_of(layout[dim]) or len(call.out_shape) != len(layout) - 1 + index_dims:
        return call.unknown("indexes positions", _KIND)
    chosen = plain_layout(call.out_shape[dim : dim + index_dims])
    return _done(x, Reading(layout), (*layout[:dim], *chosen, *layout[dim + 1 :]))


def _as_strided(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    if call.out_shape == x.shape:
        return _done(x, Reading(layout))
    return call.unknown("reads memory by strides", _KIND)


def _glu(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Half of a dimension weighed by the other half."""
    dim = call.arg("dim", -1) % len(layout)
    if digits_of(layout[dim]):
        return call.unknown("weighs one half of the positions by the other", "activation")
    return _done(x, Reading(layout), (*layout[:dim], plain(call.out_shape[dim]), *layout[dim + 1 :]))


_ARRANGEMENTS: dict[str, Callable[[Call, TensorArg, Layout], Gathered]] = {
    "view": _view,
    "permute": _permute,
    "expand": _expand,
    "slice": _slice,
    "narrow": _narrow,
    "select": _select,
    "split": _split,
    "unbind": _unbind,
    "pad": _pad,
    "roll": _roll,
    "flip": _flip,
    "repeat": _repeat,
    "repeat_interleave": _repeat_interleave,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "unfold": _unfold,
    "index_select": _index_select,
    "index": _index,
    "as_strided": _as_strided,
    "glu": _glu,
}
