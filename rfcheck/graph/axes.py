"""Which tensor dimension holds which image axis.

A tensor dimension is described by the factors of its size, outermost first, as einops writes them: ``Plain`` factors (batch,
channels, heads) and ``Digit`` factors, which are parts of the position along an image axis. A feature map (N, C, H, W) has
one digit per image axis. Viewing it as (N, C, H/7, 7, W/7, 7) splits each axis into two digits, a window partition then moves
the outer digits into the batch dimension, and a sequence of tokens holds the digits of both axes in one dimension. Whatever
is done to a dimension is thereby done to known digits of known axes, and linear layers, attention and normalisation
come out as local, windowed or global by what they mix.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rfcheck.graph.reach import FIRST_UNIT, IDENTITY, Reach, from_table


class Plain(NamedTuple):
    """A factor that holds no image position: batch, channels, heads."""

    size: int


class Digit(NamedTuple):
    """A part of the position along an image axis.

    Attributes:
        axis: image axis, 0 for the first.
        size: number of values.
        spacing: positions between neighbouring values.
    """

    axis: int
    size: int
    spacing: int


class Blend(NamedTuple):
    """Values that each read all positions of one or several axes: what a matrix over positions makes of them.

    Attributes:
        size: number of values.
        axes: the axes that went into them, in order.
    """

    size: int
    axes: tuple[int, ...]


class Tokens(NamedTuple):
    """Positions with entries around them that belong to no position (class and register tokens)."""

    before: int
    digits: tuple[Digit, ...]
    after: int

    @property
    def size(self) -> int:
        """Entries in all."""
        return self.before + math.prod(d.size for d in self.digits) + self.after


Factor = Plain | Digit | Blend | Tokens
Dim = tuple[Factor, ...]
Layout = tuple[Dim, ...]


@lru_cache(maxsize=4096)
def image_layout(shape: tuple[int, ...], axes: tuple[int, ...]) -> Layout:
    """The layout of a feature map (N, C, *axes): dimension 2 + i holds image axis ``axes[i]``."""
    return (plain(shape[0]), plain(shape[1]), *((Digit(axis, n, 1),) for axis, n in zip(axes, shape[2:], strict=True)))


def plain(size: int) -> Dim:
    """A dimension without positions."""
    return (Plain(size),) if size != 1 else ()


def plain_layout(shape: Sequence[int]) -> Layout:
    """The layout of a tensor that holds no positions."""
    return tuple(plain(n) for n in shape)


def digits_of(dim: Iterable[Factor]) -> list[Digit]:
    """The digits in one dimension, those among tokens included."""
    found: list[Digit] = []
    for factor in dim:
        if isinstance(factor, Digit):
            found.append(factor)
        elif isinstance(factor, Tokens):
            found.extend(factor.digits)
    return found


def resized(dim: Dim, size: int) -> Dim:
    """A dimension without positions, with another number of values; axes of one position and what it was mixed from stay."""
    kept = [factor for factor in dim if isinstance(factor, Digit)]
    blends = [factor for factor in dim if isinstance(factor, Blend)]
    values = (blends[0]._replace(size=size),) if blends and size != 1 else plain(size)
    return (*values, *kept)


def size_of(dim: Iterable[Factor]) -> int:
    """Size of a dimension."""
    return math.prod(factor.size for factor in dim)


@lru_cache(maxsize=4096)
def placement(layout: Layout, axis: int) -> tuple[tuple[int, Digit], ...]:
    """Where an axis is held: (dimension counted from the last, digit), for digits of more than one value."""
    return tuple(
        (len(layout) - i, digit)
        for i, dim in enumerate(layout)
        for digit in digits_of(dim)
        if digit.axis == axis and digit.size > 1
    )


@lru_cache(maxsize=4096)
def axis_size(layout: Layout, axis: int) -> int:
    """Positions along an image axis; 1 where the tensor holds none."""
    return math.prod(digit.size for _, digit in placement(layout, axis))


@lru_cache(maxsize=4096)
def axes_held(layout: Layout) -> frozenset[int]:
    """The image axes that the tensor has a dimension for."""
    return frozenset(digit.axis for dim in layout for digit in digits_of(dim))


def lone_sizes(layout: Layout, shape: Sequence[int], dims: Iterable[int]) -> dict[int, int]:
    """Extents of dimensions that hold all of one axis and no other, per axis; repeated positions count every time."""
    found: dict[int, int] = {}
    for dim in dims:
        axes = {digit.axis for digit in digits_of(layout[dim])}
        if len(axes) == 1 and len(layout[dim]) > 1:
            (axis,) = axes
            if size_of(digits_of(layout[dim])) == axis_size(layout, axis):
                found[axis] = shape[dim]
    return found


@lru_cache(maxsize=8192)
def regroup(layout: Layout, shape: tuple[int, ...]) -> Layout | None:
    """The layout after a view to another shape; None where dimensions are cut across their factors."""
    if shape == tuple(size_of(dim) for dim in layout):
        return layout
    pending = [factor for dim in layout for factor in dim if factor.size != 1 or not isinstance(factor, Plain)]
    result: list[Dim] = []
    for index, size in enumerate(shape):
        dim: list[Factor] = []
        room = size
        while room > 1:
            if not pending:
                return None
            factor = pending.pop(0)
            if room % factor.size == 0:
                room //= factor.size
            elif factor.size % room == 0 and not isinstance(factor, Tokens):
                factor, rest = _split(factor, room)
                pending.insert(0, rest)
                room = 1
            else:
                return None
            dim.append(factor)
        for _ in range(_units_to_take(pending, shape, index)):
            dim.append(pending.pop(0))
        result.append(tidy(dim))
    return tuple(result) if not pending else None


def _units_to_take(pending: list[Factor], shape: tuple[int, ...], index: int) -> int:
    """How many of the axes of extent 1 that come next belong to this dimension: dimensions of size 1 that follow come first."""
    units = next((i for i, factor in enumerate(pending) if factor.size != 1), len(pending))
    following = next((i for i, size in enumerate(shape[index + 1 :]) if size != 1), len(shape) - index - 1)
    if shape[index] != 1 and following:
        return 0
    return max(units - following, 0)


def _split(factor: Factor, outer: int) -> tuple[Factor, Factor]:
    inner = factor.size // outer
    if isinstance(factor, Digit):
        return Digit(factor.axis, outer, factor.spacing * inner), Digit(factor.axis, inner, factor.spacing)
    if isinstance(factor, Blend):
        return Blend(outer, factor.axes), Blend(inner, factor.axes)
    return Plain(outer), Plain(inner)


def tidy(dim: Sequence[Factor]) -> Dim:
    """Neighbouring factors that form one number are written as one."""
    merged: list[Factor] = []
    for factor in dim:
        last = merged[-1] if merged else None
        if isinstance(factor, Plain) and isinstance(last, Plain):
            merged[-1] = Plain(last.size * factor.size)
        elif isinstance(factor, Blend) and isinstance(last, Blend) and factor.axes == last.axes:
            merged[-1] = Blend(last.size * factor.size, factor.axes)
        elif (
            isinstance(factor, Digit)
            and isinstance(last, Digit)
            and factor.axis == last.axis
            and last.spacing == factor.spacing * factor.size
        ):
            merged[-1] = Digit(factor.axis, last.size * factor.size, factor.spacing)
        else:
            merged.append(factor)
    return tuple(merged)


def with_extras(dim: Dim, before: int, after: int) -> Dim | None:
    """A dimension of positions of several axes with entries put around it that belong to no position; None for other dimensions."""
    if len(dim) == 1 and isinstance(dim[0], Tokens):
        tokens = Tokens(before + dim[0].before, dim[0].digits, dim[0].after + after)
    elif len(dim) > 1 and all(isinstance(factor, Digit) for factor in dim):
        tokens = Tokens(before, tuple(digits_of(dim)), after)
    else:
        return None
    return (tokens,) if tokens.before or tokens.after else tokens.digits


@lru_cache(maxsize=4096)
def broadcast(layouts: tuple[Layout, ...], shape: tuple[int, ...]) -> Layout:
    """The layout of an elementwise result: each dimension as in the operand with most positions of those that hold some there."""
    result: list[Dim] = []
    layouts = tuple(sorted(layouts, key=_positions, reverse=True))
    for back in range(len(shape), 0, -1):
        size = shape[-back]
        dims = [layout[-back] for layout in layouts if len(layout) >= back and size_of(layout[-back]) == size]
        result.append(next((dim for dim in dims if digits_of(dim)), dims[0] if dims else plain(size)))
    return _pairs_apart(tuple(result))


def _pairs_apart(layout: Layout) -> Layout:
    """Where operands hold one axis in different dimensions, pairs of positions are positions: numbers of more digits."""
    counts: dict[int, list[Digit]] = {}
    for dim in layout:
        for digit in digits_of(dim):
            if digit.size > 1:
                counts.setdefault(digit.axis, []).append(digit)
    clashing = {axis for axis, digits in counts.items() if len({digit.spacing for digit in digits}) < len(digits)}
    if not clashing:
        return layout
    spacing = dict.fromkeys(clashing, 1)
    renumbered: list[Dim] = []
    for dim in reversed(layout):
        own: list[Factor] = []
        for factor in reversed(dim):
            if isinstance(factor, Digit) and factor.axis in clashing and factor.size > 1:
                own.append(factor._replace(spacing=spacing[factor.axis]))
                spacing[factor.axis] *= factor.size
            else:
                own.append(factor)
        renumbered.append(tuple(reversed(own)))
    return tuple(reversed(renumbered))


def _positions(layout: Layout) -> int:
    return math.prod(digit.size for dim in layout for digit in digits_of(dim))


@lru_cache(maxsize=4096)
def align(layout: Layout, result: Layout, axis: int) -> Reach | None:
    """What each position of an elementwise result reads of an operand, along one axis; None where the two do not match."""
    here, there = placement(layout, axis), placement(result, axis)
    if here == there:
        return IDENTITY
    return _spread(here, there) if here else FIRST_UNIT


def _by_dimension(placed: tuple[tuple[int, Digit], ...]) -> dict[int, list[Digit]]:
    """The digits in each dimension, from the outermost."""
    found: dict[int, list[Digit]] = {}
    for dim, digit in placed:
        found.setdefault(dim, []).append(digit)
    return found


def _spread(here: tuple[tuple[int, Digit], ...], there: tuple[tuple[int, Digit], ...]) -> Reach | None:
    """What positions read of an operand that holds only some of their digits (the mean of each window, say)."""
    own, wanted = _by_dimension(here), _by_dimension(there)
    if any([d.size for d in digits] != [d.size for d in wanted.get(dim, ())] for dim, digits in own.items()):
        return None
    pairs = [pair for dim, digits in own.items() for pair in zip(digits, wanted[dim], strict=True)]
    count = math.prod(digit.size for _, digit in there)
    read = [sum(p // place.spacing % place.size * digit.spacing for digit, place in pairs) for p in range(count)]
    return from_table(read, read, math.prod(digit.size for _, digit in here))
