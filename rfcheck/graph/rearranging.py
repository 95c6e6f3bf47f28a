"""How operators gather that move values without computing: views, padding, shifts, repetition; parts are in `slicing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rfcheck.graph.axes import Layout, Reading, digits_of, plain, plain_layout, regroup, with_extras
from rfcheck.graph.calls import Call, Gathered, moved
from rfcheck.graph.operators import Rearrange
from rfcheck.graph.reach import FIRST_UNIT, Reach, window
from rfcheck.graph.records import TensorArg
from rfcheck.graph.recurrence import packed
from rfcheck.graph.selecting import at_computed_places
from rfcheck.graph.slicing import by_narrow, by_select, by_slice, by_split, by_unbind
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


def _view(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    result = regroup(layout, call.out_shape)
    if result is None:
        return call.unknown("views positions across the borders of their dimensions", _KIND)
    return moved(x, Reading(layout), result)


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
    return moved(x, Reading(layout), tuple(layout[d] for d in order))


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
    return moved(x, reading, (*(plain(n) for n in shape[:extra]), *reading.dims))


def _pad(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    amounts = call.arg("pad") or call.arg("padding")
    reading = Reading(layout)
    margins: dict[int, tuple[int, int]] = {}
    copies: dict[int, tuple[str, int, int]] = {}
    name = call.record.func._schema.name
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
        if digit is not None and "constant" in name:
            margins[digit.axis] = (max(before, 0), max(after, 0))
        elif digit is not None and digit.spacing == 1:
            copies[digit.axis] = ("reflect" if "reflection" in name else "replicate", before, after)
    return moved(x, reading, **({"margins": margins} if margins else {}), **({"copies": copies} if copies else {}))


def _roll(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    shifts, dims = _listed(call.arg("shifts")), _listed(call.arg("dims") or [])
    reading = Reading(layout)
    shifted: dict[int, int] = {}
    if not dims:
        return call.all_global(_KIND)
    for shift, dim in zip(shifts, dims, strict=True):
        dim %= len(layout)
        if not digits_of(layout[dim]):
            continue
        if reading.single_digit(dim) is None:
            return call.unknown("shifts positions of several axes in one dimension", _KIND)
        digit = reading.single_digit(dim)
        assert digit is not None
        shifted[digit.axis] = shifted.get(digit.axis, 0) + shift * digit.spacing
        reading.resize(dim, window(1, padding=shift), x.shape[dim])
    return moved(x, reading, **({"wraps": shifted} if any(shifted.values()) else {}))


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
    return moved(x, reading)


def _rot90(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Quarter turns in a plane: each axis mirrored where needed, and the two exchanged after an odd number of them."""
    turns = call.arg("k", 1) % 4
    one, two = (dim % len(layout) for dim in call.arg("dims"))
    reading = Reading(layout)
    mirrored = {0: (), 1: (two,), 2: (one, two), 3: (one,)}[turns]
    for dim in mirrored:
        if reading.single_digit(dim) is not None:
            reading.resize(dim, Reach(1, -1, (x.shape[dim] - 1,), (x.shape[dim] - 1,)), x.shape[dim])
        elif digits_of(layout[dim]):
            return call.unknown("turns positions of several axes in one dimension", _KIND)
    if turns % 2:
        reading.dims[one], reading.dims[two] = reading.dims[two], reading.dims[one]
    return moved(x, reading)


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
    return moved(x, reading, (*(plain(n) for n in call.out_shape[:extra]), *reading.dims))


def _repeat_interleave(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    dim = call.arg("dim")
    if dim is None or len(call.out_shape) != len(layout):
        return call.all_global(_KIND)
    dim %= len(layout)
    reading = Reading(layout)
    if not digits_of(layout[dim]):
        reading.dims[dim] = plain(call.out_shape[dim])
        return moved(x, reading)
    times, rest = divmod(call.out_shape[dim], x.shape[dim])
    if rest or reading.single_digit(dim) is None:
        return call.unknown("repeats positions unevenly", _KIND)
    reading.resize(dim, Reach(times, 1, (0,) * times, (0,) * times), call.out_shape[dim])
    return moved(x, reading)


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
    return moved(x, reading)


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
    return moved(x, reading, (*reading.dims, plain(size)))


def _index_select(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    if call.arg("index").value is not None:
        return at_computed_places(call)
    return _indexed(call, x, layout, call.arg("dim") % len(layout), 1)


def _index(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Advanced indexing; followed where one dimension without positions is indexed by constants."""
    indices = call.arg("indices")
    used = [i for i, index in enumerate(indices) if index is not None]
    if any(indices[dim].value is not None for dim in used) or not any(digits_of(layout[dim]) for dim in used):
        return at_computed_places(call)
    if len(used) != 1:
        return call.all_global(_KIND)
    return _indexed(call, x, layout, used[0], len(indices[used[0]].shape))


def _indexed(call: Call, x: TensorArg, layout: Layout, dim: int, index_dims: int) -> Gathered:
    if digits_of(layout[dim]) or len(call.out_shape) != len(layout) - 1 + index_dims:
        return call.unknown("indexes positions", _KIND)
    chosen = plain_layout(call.out_shape[dim : dim + index_dims])
    return moved(x, Reading(layout), (*layout[:dim], *chosen, *layout[dim + 1 :]))


def _as_strided(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    if call.out_shape == x.shape:
        return moved(x, Reading(layout))
    return call.unknown("reads memory by strides", _KIND)


def _glu(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Half of a dimension weighed by the other half."""
    dim = call.arg("dim", -1) % len(layout)
    if digits_of(layout[dim]):
        return call.unknown("weighs one half of the positions by the other", "activation")
    return moved(x, Reading(layout), (*layout[:dim], plain(call.out_shape[dim]), *layout[dim + 1 :]))


_ARRANGEMENTS: dict[str, Callable[[Call, TensorArg, Layout], Gathered]] = {
    "packed": packed,
    "view": _view,
    "permute": _permute,
    "expand": _expand,
    "slice": by_slice,
    "narrow": by_narrow,
    "select": by_select,
    "split": by_split,
    "unbind": by_unbind,
    "pad": _pad,
    "roll": _roll,
    "flip": _flip,
    "rot90": _rot90,
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
