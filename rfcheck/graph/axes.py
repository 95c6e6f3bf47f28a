"""Which tensor dimension holds which image axis, and how operators on dimensions act on axes.

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

from rfcheck.graph.reach import FIRST_UNIT, GLOBAL, IDENTITY, Reach, compose, from_table, lift


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


class Tokens(NamedTuple):
    """Positions with entries around them that belong to no position (class and register tokens)."""

    before: int
    digits: tuple[Digit, ...]
    after: int

    @property
    def size(self) -> int:
        """Entries in all."""
        return self.before + math.prod(d.size for d in self.digits) + self.after


Factor = Plain | Digit | Tokens
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
        result.append(_tidy(dim))
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
    return Plain(outer), Plain(inner)


def _tidy(dim: Sequence[Factor]) -> Dim:
    """Neighbouring factors that form one number are written as one."""
    merged: list[Factor] = []
    for factor in dim:
        last = merged[-1] if merged else None
        if isinstance(factor, Plain) and isinstance(last, Plain):
            merged[-1] = Plain(last.size * factor.size)
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
    return tuple(result)


def _positions(layout: Layout) -> int:
    return math.prod(digit.size for dim in layout for digit in digits_of(dim))


@lru_cache(maxsize=4096)
def align(layout: Layout, result: Layout, axis: int) -> Reach | None:
    """What each position of an elementwise result reads of an operand, along one axis; None where the two do not match."""
    here, there = placement(layout, axis), placement(result, axis)
    if here == there:
        return IDENTITY
    return _spread(here, there) if here else FIRST_UNIT


def _spread(here: tuple[tuple[int, Digit], ...], there: tuple[tuple[int, Digit], ...]) -> Reach | None:
    """What positions read of an operand that holds only some of their digits (the mean of each window, say)."""
    wanted = dict(there)
    if len(wanted) != len(there) or any(dim not in wanted or wanted[dim].size != digit.size for dim, digit in here):
        return None
    count = math.prod(digit.size for _, digit in there)
    read = [sum(p // wanted[dim].spacing % digit.size * digit.spacing for dim, digit in here) for p in range(count)]
    return from_table(read, read, math.prod(digit.size for _, digit in here))


class Reading:
    """A tensor whose dimensions are edited, and what each edited position reads of the original ones.

    Args:
        layout: of the tensor that is read.

    Attributes:
        dims: the dimensions as edited so far.
        reaches: per image axis, what a position reads of the original positions; axes not listed are read one to one.
    """

    def __init__(self, layout: Layout) -> None:
        self.dims: list[Dim] = list(layout)
        self.reaches: dict[int, Reach] = {}

    @property
    def layout(self) -> Layout:
        """The layout as edited."""
        return tuple(self.dims)

    def _then(self, axis: int, reach: Reach) -> None:
        self.reaches[axis] = compose(reach, self.reaches.get(axis, IDENTITY))

    def is_spatial(self, dim: int) -> bool:
        """Whether the dimension holds positions of more than one axis value."""
        return any(isinstance(factor, (Digit, Tokens)) for factor in self.dims[dim])

    def single_digit(self, dim: int) -> Digit | None:
        """The digit of a dimension that consists of one digit."""
        factors = self.dims[dim]
        if len(factors) == 1 and isinstance(factors[0], Digit):
            return factors[0]
        return None

    def resize(self, dim: int, reach: Reach, size: int) -> None:
        """Apply a map over the values of the dimension's single digit, leaving ``size`` values."""
        digit = self.single_digit(dim)
        assert digit is not None
        whole = axis_size(self.layout, digit.axis)
        outermost = digit.spacing * digit.size >= whole
        self._then(digit.axis, lift(reach, digit.spacing, digit.size, size, outermost))
        self._respace(digit, size)
        self.dims[dim] = (Digit(digit.axis, size, digit.spacing),)

    def _respace(self, changed: Digit, size: int) -> None:
        """Adjust the spacing of the digits above one whose number of values changes."""
        if size == changed.size:
            return

        def moved(factor: Factor) -> Factor:
            if isinstance(factor, Tokens):
                return factor._replace(digits=tuple(d for d in map(moved, factor.digits) if isinstance(d, Digit)))
            if isinstance(factor, Digit) and factor.axis == changed.axis and factor.spacing >= changed.spacing * changed.size:
                return factor._replace(spacing=factor.spacing // changed.size * size)
            return factor

        self.dims = [tuple(moved(factor) for factor in dim) for dim in self.dims]

    def mix(self, dim: int) -> None:
        """Let every position read all values of the dimension: attention, softmax, a reduction that keeps its shape.

        What reads from one end of the map to the other is global, also where it reads every n-th position only: its extent follows
        that of the image. So is what reads the only position that there is.
        """
        digits = digits_of(self.dims[dim])
        for axis in {digit.axis for digit in digits}:
            mixed = [digit for digit in digits if digit.axis == axis]
            whole = axis_size(self.layout, axis)
            if math.prod(digit.size for digit in mixed) == whole or any(d.size > 1 and d.spacing * d.size >= whole for d in mixed):
                self._then(axis, GLOBAL)
                continue
            for digit in mixed:
                every_value = Reach(1, 0, (0,), (digit.size - 1,))
                self._then(axis, lift(every_value, digit.spacing, digit.size, digit.size, outermost=False))

    def drop(self, dim: int) -> None:
        """Read all values of the dimension into one and forget its positions; plain factors vanish with it."""
        self.mix(dim)
        self._forget(dim)

    def pick(self, dim: int, index: int) -> bool:
        """Read one value of the dimension and forget its positions; False where it has no single digit to pick from."""
        digit = self.single_digit(dim)
        if digit is not None:
            self.resize(dim, Reach(1, 0, (index,), (index,)), 1)
        elif self.is_spatial(dim):
            return False
        self.dims[dim] = ()
        return True

    def _forget(self, dim: int) -> None:
        digits = sorted(digits_of(self.dims[dim]), key=lambda digit: -digit.spacing)
        while digits:
            self.dims[dim] = tuple(digits)
            digit = digits.pop(0)
            outermost = digit.spacing * digit.size >= axis_size(self.layout, digit.axis)
            self._then(digit.axis, lift(FIRST_UNIT, digit.spacing, digit.size, 1, outermost))
            self.dims[dim] = tuple(digits)
            self._respace(digit, 1)
        self.dims[dim] = ()

    def absorb(self, dim: int) -> bool:
        """Turn plain factors beside a dimension's only digit into positions (pixel shuffle by views); False if impossible."""
        factors = self.dims[dim]
        digits = [factor for factor in factors if isinstance(factor, Digit)]
        if len(digits) != 1 or any(isinstance(factor, Tokens) for factor in factors):
            return False
        digit = digits[0]
        if digit.spacing != 1 or digit.size != axis_size(self.layout, digit.axis):
            return False
        at = factors.index(digit)
        before, after = size_of(factors[:at]), size_of(factors[at + 1 :])
        if after > 1:
            self._then(digit.axis, Reach(after, 1, (0,) * after, (0,) * after))
        if before > 1:
            size = digit.size * after
            self._then(digit.axis, Reach(size, 0, tuple(range(size)), tuple(range(size))))
        self.dims[dim] = (Digit(digit.axis, before * digit.size * after, 1),)
        return True
