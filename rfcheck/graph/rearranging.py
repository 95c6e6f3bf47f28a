"""How operators gather that move values without computing: views, padding, shifts, repetition; parts are in `slicing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rfcheck.graph.axes import (
    Digit,
    Layout,
    Plain,
    axis_size,
    digits_of,
    plain,
    regroup,
    resized,
    size_of,
    with_extras,
)
from rfcheck.graph.calls import Call, Gathered, moved
from rfcheck.graph.indexing import flat_index, index_dims, index_into, strided, without_positions
from rfcheck.graph.operators import Rearrange
from rfcheck.graph.reach import FIRST_UNIT, Reach, window
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg
from rfcheck.graph.recurrence import packed
from rfcheck.graph.selecting import at_computed_places
from rfcheck.graph.slicing import by_narrow, by_select, by_slice, by_split, by_unbind, cut
from rfcheck.graph.unfolding import folded, unfolded
from rfcheck.graph.writes import part_written

_KIND = "rearrange"


def rearrange(meaning: Rearrange, call: Call) -> Gathered:
    """Dispatch to the arrangement that the operator's entry names."""
    x = call.images[0]
    alone = _ALONE.get(meaning.how)
    gathered = alone(call) if alone else _ARRANGEMENTS[meaning.how](call, x, call.layout(x))
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
        if "constant" not in name and digit is not None and digit.spacing == 1:
            copies[digit.axis] = ("reflect" if "reflection" in name else "replicate", before, after)
    return moved(x, reading, **({"pads": True} if "constant" in name else {}), **({"copies": copies} if copies else {}))


def _roll(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    shifts, dims = _listed(call.arg("shifts")), _listed(call.arg("dims") or [])
    reading = Reading(layout)
    shifted: dict[int, int] = {}
    if not dims:
        return call.all_global(_KIND)
    for shift, dim in zip(shifts, dims, strict=True):
        dim %= len(layout)
        if without_positions(layout[dim]):
            continue
        size = x.shape[dim]
        single = reading.single_digit(dim)
        if single is None:
            if not index_into(reading, dim, 1, [(q - shift) % size for q in range(size)]):
                return call.unknown("shifts positions of several axes in one dimension", _KIND)
        else:
            reading.resize(dim, window(1, padding=shift), size)
            shifted[single.axis] = shifted.get(single.axis, 0) + shift * single.spacing
    return moved(x, reading, **({"wraps": shifted} if any(shifted.values()) else {}))


def _listed(value: Any) -> list[int]:
    return [value] if isinstance(value, int) else list(value)


def _flip(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    reading = Reading(layout)
    for dim in _listed(call.arg("dims")):
        dim %= len(layout)
        if without_positions(layout[dim]):
            continue
        end = x.shape[dim] - 1
        if reading.single_digit(dim) is not None:
            reading.resize(dim, Reach(1, -1, (end,), (end,)), x.shape[dim])
        elif not index_into(reading, dim, 1, range(end, -1, -1)):
            return call.unknown("mirrors positions of several axes in one dimension", _KIND)
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
        if without_positions(reading.dims[dim]):
            reading.dims[dim] = resized(reading.dims[dim], size)
        elif reading.single_digit(dim) is not None:
            reading.resize(dim, Reach(whole, 0, tuple(range(whole)), tuple(range(whole))), size)
        else:
            reading.dims[dim] = (Plain(size // whole), *reading.dims[dim])
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
    if rest:
        return call.unknown("repeats positions unevenly", _KIND)
    if reading.single_digit(dim) is not None:
        reading.resize(dim, Reach(times, 1, (0,) * times, (0,) * times), call.out_shape[dim])
    else:
        reading.dims[dim] = (*reading.dims[dim], Plain(times))
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
    count = call.out_shape[dim]
    reading = Reading(layout)
    if not reading.frames(dim, size, step, count=count):
        index = [[q * step + i for i in range(size)] for q in range(count)]
        if not index_into(reading, dim, 1, index):
            return call.unknown("slides a window over positions of several axes in one dimension", _KIND)
    reading.dims.append(reading.dims.pop(dim + 1))
    return moved(x, reading)


def _index_select(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    if call.arg("index").value is not None:
        return at_computed_places(call)
    return _indexed(call, x, layout, {call.arg("dim") % len(layout): call.arg("index")})


def _index(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Advanced indexing by constants."""
    indices = call.arg("indices")
    given = [index for index in indices if index is not None]
    if call.record.args[0] is not x or any(index.value is not None for index in given):
        return at_computed_places(call)
    used: dict[int, TensorArg] = {}
    dim = 0
    for index in indices:
        if index is not None:
            used[dim] = index
        dim += index_dims(index)
    return _indexed(call, x, layout, used)


def _indexed(call: Call, x: TensorArg, layout: Layout, used: dict[int, TensorArg]) -> Gathered:
    """Dimensions indexed by one tensor each; a mask indexes as many dimensions as it has."""
    dims = [d for dim, index in used.items() for d in range(dim, dim + index_dims(index))]
    between = dims != list(range(dims[0], dims[0] + len(dims)))  # then torch puts what is chosen first
    at = 0 if between else dims[0]
    chosen = len(call.out_shape) - len(layout) + len(dims)
    reading = Reading(layout)
    reading.dims = [layout[d] for d in range(at) if d not in dims] + [layout[d] for d in dims]
    reading.dims += [layout[d] for d in range(len(layout)) if d not in dims and d >= at]
    if all(without_positions(layout[d]) for d in dims):
        units = [factor for d in dims for factor in layout[d] if isinstance(factor, Digit)]
        made = [plain(n) for n in call.out_shape[at : at + chosen]]
        if len(dims) == len(made) == 1:
            made = [(*made[0], *units)]
        reading.dims[at : at + len(dims)] = made
        return moved(x, reading)
    entries = flat_index([index.data for index in used.values()], [x.shape[d] for d in dims])
    if entries is None:
        return call.unknown("indexes positions by values that are not known", _KIND)
    if index_into(reading, at, len(dims), entries):
        return moved(x, reading)
    if len(dims) == chosen == 1 and _is_inside_windows(layout, dims[0]):  # coefficients of a window in another order
        reading.blend(at)
        reading.dims[at] = resized(reading.dims[at], call.out_shape[at])
        return moved(x, reading)
    return call.unknown("indexes positions of several axes that move together", _KIND)


def _is_inside_windows(layout: Layout, dim: int) -> bool:
    """Whether a dimension holds, of each of its axes, the places within a window only."""
    digits = digits_of(layout[dim])
    return all(digit.spacing * digit.size < axis_size(layout, digit.axis) for digit in digits if digit.size > 1)


def _as_strided(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """A view by strides, entry by entry of the memory that the tensor fills."""
    memory = call.record.memory
    if call.out_shape == x.shape and (memory is None or tuple(call.arg("stride")) == memory[0]):
        return moved(x, Reading(layout))
    if memory is None:
        return call.unknown("reads memory by strides", _KIND)
    strides, start = memory
    offset = call.arg("storage_offset")
    index = strided(x.shape, strides, call.out_shape, call.arg("stride"), 0 if offset is None else offset - start)
    reading = Reading(layout)
    if index is None or not index_into(reading, 0, len(layout), index):
        return call.unknown("reads memory by strides", _KIND)
    return moved(x, reading)


def _diagonal(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """The diagonal of two dimensions, as a new last one."""
    one, two = (call.arg(name) % len(layout) for name in ("dim1", "dim2"))
    offset = call.arg("offset", 0)
    size = call.out_shape[-1]
    rest = [layout[d] for d in range(len(layout)) if d not in (one, two)]
    reading = Reading((*rest, layout[one], layout[two]))
    held = [dim for dim in (-2, -1) if not without_positions(reading.dims[dim])]
    own = [reading.single_digit(len(layout) + dim) for dim in (-2, -1)]
    if own[0] is not None and own[1] is not None and own[0].axis == own[1].axis:  # pairs of positions: each with itself
        columns = size_of(reading.dims[-1])
        start = max(-offset, 0) * columns + max(offset, 0)
        entries = range(start, start + size * (columns + 1), columns + 1)
        if index_into(reading, len(layout) - 2, 2, entries, is_periodic=False):
            return moved(x, reading)
    if len(held) == 2:
        return call.unknown("takes the diagonal of two dimensions of positions", _KIND)
    if not held:
        reading.dims[-2:] = [plain(size)]
        return moved(x, reading)
    start = max(-offset, 0) if held == [-2] else max(offset, 0)
    dim = len(layout) + held[0]
    if not cut(reading, dim, start, 1, size, size_of(reading.dims[dim])):
        return call.unknown("takes the diagonal of positions of several axes", _KIND)
    reading.dims[-2:] = [reading.dims[dim]]
    return moved(x, reading)


def _diag_embed(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """The last dimension as the diagonal of two new ones."""
    one, two = (call.arg(name) % len(call.out_shape) for name in ("dim1", "dim2"))
    if not without_positions(layout[-1]):
        return call.unknown("puts positions on a diagonal", _KIND)
    rest = iter(layout[:-1])
    return moved(x, Reading(layout), tuple(plain(n) if d in (one, two) else next(rest) for d, n in enumerate(call.out_shape)))


def _view_as_real(_: Call, x: TensorArg, layout: Layout) -> Gathered:
    return moved(x, Reading(layout), (*layout, plain(2)))


def _view_as_complex(_: Call, x: TensorArg, layout: Layout) -> Gathered:
    reading = Reading(layout)
    reading.drop(len(layout) - 1)
    return moved(x, reading, tuple(reading.dims[:-1]))


def _glu(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Half of a dimension weighed by the other half."""
    dim = call.arg("dim", -1) % len(layout)
    if digits_of(layout[dim]):
        return call.unknown("weighs one half of the positions by the other", "activation")
    return moved(x, Reading(layout), (*layout[:dim], plain(call.out_shape[dim]), *layout[dim + 1 :]))


_ALONE: dict[str, Callable[[Call], Gathered]] = {"im2col": unfolded, "col2im": folded, "part": part_written}
"""Arrangements that are more than moves of the values of one tensor."""

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
    "diagonal": _diagonal,
    "diag_embed": _diag_embed,
    "view_as_real": _view_as_real,
    "view_as_complex": _view_as_complex,
    "glu": _glu,
}
