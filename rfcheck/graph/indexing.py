"""How operators gather that move entries by known indices: advanced indexing, slices and shifts of lists of positions, odd views.

The index of every entry of the result says which position it comes from. Where that can be written as digits again (each part of a
dimension moves along one axis, whatever the other parts do), the result has a layout, and a table says what is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rfcheck.graph.axes import (
    Digit,
    Dim,
    Factor,
    Plain,
    axis_size,
    digits_of,
    plain,
    size_of,
    tidy,
)
from rfcheck.graph.reach import IDENTITY, Position, Reach
from rfcheck.graph.reading import Reading

if TYPE_CHECKING:
    import numpy as np
    import torch

    from rfcheck.graph.records import TensorArg

MOST_ENTRIES = 1 << 20
"""Larger index arrays are not looked through."""


class _Part(NamedTuple):
    """A part of a dimension of the result: as many values, and how far each of them is from the first along one axis, if any."""

    size: int
    axis: int | None
    moves: tuple[int, ...]


def index_into(reading: Reading, dim: int, count: int, index: Any, *, is_periodic: bool = True) -> bool:
    """Replace dimensions by entries that are chosen among theirs.

    Args:
        reading: edited.
        dim: first of the dimensions.
        count: how many of them, taken as one, are indexed.
        index: integers, an array with one dimension for each of the result; entries of all the dimensions taken as one.
        is_periodic: whether a pattern that repeats goes on beyond the ends.

    Returns:
        Whether the result could be followed; where not, nothing has been edited.
    """
    import numpy as np

    index = np.asarray(index)
    factors = tuple(factor for d in reading.dims[dim : dim + count] for factor in d)
    large = [digit for digit in digits_of(factors) if digit.size > 1]
    if not large:
        reading.dims[dim : dim + count] = [plain(n) for n in index.shape]
        return True
    axes = {digit.axis for digit in large}
    whole = all(size_of(d for d in large if d.axis == axis) == axis_size(reading.layout, axis) for axis in axes)
    if index.size > MOST_ENTRIES or not whole or any(not isinstance(factor, (Plain, Digit)) for factor in factors):
        return False
    positions = _positions(factors, index)
    parts = _parts({axis: positions[axis] for axis in axes}, index.shape)
    if parts is None:
        return False
    spacings, tables = _numbered(parts, {axis: int(positions[axis].flat[0]) for axis in axes} if index.size else {})
    for axis in axes:
        reading.reread(axis, _reach_of(tables.get(axis, [0]), axis_size(reading.layout, axis), is_periodic))
    reading.dims[dim : dim + count] = [
        tidy([Plain(p.size) if p.axis is None else Digit(p.axis, p.size, spacings[d, i]) for i, p in enumerate(own) if p.size > 1])
        for d, own in enumerate(parts)
    ]
    return True


def _positions(factors: Sequence[Factor], index: np.ndarray) -> dict[int, np.ndarray]:
    """Position along each axis of every entry."""
    found: dict[int, Any] = {}
    rest = index
    for factor in reversed(factors):
        if isinstance(factor, Digit):
            found[factor.axis] = found.get(factor.axis, 0) + rest % factor.size * factor.spacing
        rest = rest // factor.size
    return found


def _parts(positions: Mapping[int, np.ndarray], shape: Sequence[int]) -> list[list[_Part]] | None:
    """The parts of every dimension, outermost first; None where the parts do not move positions independently of one another."""
    import numpy as np

    tables: list[dict[int, Any]] = []
    for dim, size in enumerate(shape):
        along = tuple(slice(None) if d == dim else 0 for d in range(len(shape)))
        tables.append({axis: p[along] - p[(0,) * len(shape)] for axis, p in positions.items()} if size else {})
    for axis, p in positions.items():
        total: Any = p[(0,) * len(shape)] if p.size else 0
        for dim, table in enumerate(tables):
            total = total + table.get(axis, np.zeros(0, int)).reshape([-1 if d == dim else 1 for d in range(len(shape))])
        if not np.array_equal(np.broadcast_to(total, p.shape), p):
            return None
    parts = [_split(table, size) for table, size in zip(tables, shape, strict=True)]
    return None if any(own is None for own in parts) else [own for own in parts if own is not None]


def _split(tables: Mapping[int, np.ndarray], size: int) -> list[_Part] | None:
    """The parts of one dimension whose values are so far from its first along each axis."""
    moving = {axis: table for axis, table in tables.items() if table.any()}
    if not moving:
        return [_Part(size, None, ())]
    if len(moving) == 1:
        ((axis, table),) = moving.items()
        return [_Part(size, axis, tuple(table.tolist()))]
    for inner in range(2, size):
        if size % inner:
            continue
        grids = {axis: table.reshape(-1, inner) for axis, table in moving.items()}
        if all((grid == grid[:, :1] + grid[:1]).all() for grid in grids.values()):
            outside = _split({axis: grid[:, 0] for axis, grid in grids.items()}, size // inner)
            within = _split({axis: grid[0] for axis, grid in grids.items()}, inner)
            return None if outside is None or within is None else [*outside, *within]
    return None


def _numbered(
    parts: Sequence[Sequence[_Part]], starts: Mapping[int, int]
) -> tuple[dict[tuple[int, int], int], dict[int, list[int]]]:
    """Spacings of the parts, those that move least innermost; and what each position of the result reads, per axis."""
    spacings: dict[tuple[int, int], int] = {}
    tables = {axis: [start] for axis, start in starts.items()}
    moving = [(dim, i, part) for dim, own in enumerate(parts) for i, part in enumerate(own) if part.moves]
    for dim, i, part in sorted(moving, key=lambda item: max(map(abs, item[2].moves))):
        assert part.axis is not None
        inner = tables[part.axis]
        spacings[dim, i] = len(inner)
        tables[part.axis] = [position + move for move in part.moves for position in inner]
    return spacings, tables


def _reach_of(table: list[int], size: int, is_periodic: bool) -> Reach:
    """The map that reads one position per output, from an axis of ``size`` positions; periodic where the table is."""
    count = len(table)
    if table == list(range(size)):
        return IDENTITY
    for period in range(1, count) if is_periodic else ():
        move = table[period] - table[0]
        if count % period == 0 and all(table[q] - table[q - period] == move for q in range(period, count)):
            own = tuple(table[:period])
            return Reach(period, move, own, own)
    return Reach(count, size, tuple(table), tuple(table), finite=True) if count > 1 else Reach(1, 0, (table[0],), (table[0],))


def scattered(places: Sequence[int], total: int) -> Reach:
    """The map of values that are put at places: each place reads what was put there, all others read nothing."""
    first: list[Position] = [math.inf] * total
    last: list[Position] = [-math.inf] * total
    for i, place in enumerate(places):
        at = place % total
        first[at], last[at] = min(first[at], i), max(last[at], i)
    if first == last == list(range(total)):
        return IDENTITY
    return Reach(total, max(len(places), 1), tuple(first), tuple(last), finite=True)


def index_dims(index: TensorArg | None) -> int:
    """How many dimensions an index takes: a mask as many as it has."""
    return len(index.shape) if index is not None and index.is_mask else 1


def flat_index(indices: Sequence[Any], sizes: Sequence[int]) -> Any:
    """Entries of dimensions taken as one that tensors choose together, one for each dimension; None where a value is not known."""
    import numpy as np

    arrays: list[Any] = []
    for index in indices:
        if index is None:
            return None
        values = index.numpy()
        arrays.extend(values.nonzero() if values.dtype == bool else [values])
    entries: Any = 0
    for values, size in zip(arrays, sizes, strict=True):
        entries = entries * size + np.where(values < 0, values + size, values)
    return entries


def same_along(index: torch.Tensor, dim: int) -> Any:
    """The values of an index along a dimension if they are the same everywhere else, else None."""
    values = index.movedim(dim, 0).flatten(1).numpy()
    return values[:, 0] if values.size and (values == values[:, :1]).all() else None


def strided(shape: Sequence[int], strides: Sequence[int], size: Sequence[int], stride: Sequence[int], start: int) -> Any:
    """The entries of a tensor that a view by strides reads; None where it reads memory that the tensor does not hold.

    Args:
        shape: of the tensor.
        strides: of the tensor, which holds its entries in places of their own.
        size: of the view.
        stride: of the view.
        start: place of the view's first entry, counted from the tensor's first.
    """
    import numpy as np

    if max(math.prod(shape), math.prod(size)) > MOST_ENTRIES or min(size, default=1) < 1:
        return None
    places = _places(shape, strides)
    entries = np.full(int(places.max()) + 1, -1)
    entries[places.ravel()] = np.arange(places.size)
    wanted = _places(size, stride) + start
    if wanted.min() < 0 or wanted.max() >= len(entries):
        return None
    index = entries[wanted]
    return None if (index < 0).any() else index


def _places(shape: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    import numpy as np

    places: Any = np.zeros((1,) * len(shape), dtype=np.int64)
    for dim, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        places = places + (np.arange(size) * stride).reshape([-1 if d == dim else 1 for d in range(len(shape))])
    return np.asarray(places)


def without_positions(dim: Dim) -> bool:
    """Whether a dimension holds no axis of more than one position."""
    return all(digit.size == 1 for digit in digits_of(dim))
