"""How operators on dimensions act on image axes: a tensor whose dimensions are edited, and what is read of it."""

from __future__ import annotations

import math

from rfcheck.graph.axes import (
    Blend,
    Digit,
    Dim,
    Factor,
    Layout,
    Plain,
    Tokens,
    axis_size,
    digits_of,
    plain,
    regroup,
    resized,
    size_of,
    tidy,
)
from rfcheck.graph.reach import FIRST_UNIT, GLOBAL, IDENTITY, Reach, compose, lift


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

    def reread(self, axis: int, reach: Reach) -> None:
        """Read an axis by a map over whole positions; the dimensions that hold it are put right by the caller."""
        self._then(axis, reach)

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
        if size == changed.size or not changed.size:  # an emptied axis has no positions left to count
            return

        def moved(factor: Factor) -> Factor:
            if isinstance(factor, Tokens):
                return factor._replace(digits=tuple(d for d in map(moved, factor.digits) if isinstance(d, Digit)))
            if isinstance(factor, Digit) and factor.axis == changed.axis and factor.spacing >= changed.spacing * changed.size:
                return factor._replace(spacing=factor.spacing // changed.size * size)
            return factor

        self.dims = [tuple(moved(factor) for factor in dim) for dim in self.dims]

    def split(self, dim: int, outer: int) -> bool:
        """Make two dimensions of one, the first of ``outer`` values; False where its factors cannot be cut there."""
        parts = regroup((self.dims[dim],), (outer, size_of(self.dims[dim]) // outer))
        if parts is None:
            return False
        self.dims[dim : dim + 1] = parts
        return True

    def merge(self, dim: int) -> None:
        """Make one dimension of this one and the next."""
        self.dims[dim : dim + 2] = [tidy((*self.dims[dim], *self.dims[dim + 1]))]

    def multiply(self, dim: int, made: int, groups: int = 1) -> None:
        """Mix the values of a dimension by a matrix that makes ``made`` values of them, or by one matrix per group of neighbours.

        An axis that is alone in the dimension keeps its place, whatever its extent becomes; so do axes whose extents stay. Others
        end as a `Blend`. Groups keep to themselves.
        """
        if not digits_of(self.dims[dim]):
            self.dims[dim] = plain(made)
        elif groups > 1 and self.split(dim, groups):
            self._multiply(dim + 1, made // groups)
            self.merge(dim)
        else:
            self._multiply(dim, made)

    def _multiply(self, dim: int, made: int) -> None:
        factors = self.dims[dim]
        digits = digits_of(factors)
        if size_of(factors) == made and not any(isinstance(factor, (Plain, Blend)) for factor in factors):
            self.mix(dim)
        elif len(digits) == len(factors) == 1 and digits[0].size == axis_size(self.layout, digits[0].axis):
            self.mix(dim)
            self.dims[dim] = (digits[0]._replace(size=made),)
        else:
            self.blend(dim)
            self.dims[dim] = resized(self.dims[dim], made)

    def frames(self, dim: int, size: int, step: int = 1, spacing: int = 1, padding: int = 0, count: int = 0) -> bool:
        """Make windows of a dimension: one dimension of windows, and the next of the ``size`` positions in each of them.

        Windows may overlap; a position is then held as often as it is read. False where the dimension is not one digit.

        Args:
            dim: whose values.
            size: values in a window.
            step: from window to window.
            spacing: from value to value in a window.
            padding: values before the first.
            count: windows.
        """
        if not digits_of(self.dims[dim]):
            self.dims[dim : dim + 1] = [plain(count), plain(size)]
            return True
        if self.single_digit(dim) is None and not self.absorb(dim):
            return False
        read = tuple(i * spacing - padding for i in range(size))
        self.resize(dim, Reach(size, step, read, read), count * size)
        return self.split(dim, count)

    def scan(self, dim: int, rows: Reach, size: int | None) -> None:
        """Read, of a list of positions row after row, some rows and all that is in them.

        Args:
            dim: holds one digit per axis, the outermost of them the rows.
            rows: which rows an entry reads: over the rows if the list stays, else over the entries of the new one.
            size: entries of the new list, which lie along the axis of the rows; None where the list stays.
        """
        outer, *others = digits_of(self.dims[dim])
        for digit in others:
            self._then(digit.axis, GLOBAL)
        if size is not None:
            self.dims[dim] = (outer,)
        self._then(outer.axis, rows)
        if size is not None:
            self.dims[dim] = (Digit(outer.axis, size, 1),)

    def blend(self, dim: int) -> None:
        """Read all values of the dimension into each of as many, which hold no positions."""
        size, axes = size_of(self.dims[dim]), tuple(sorted({digit.axis for digit in digits_of(self.dims[dim])}))
        self.drop(dim)
        self.dims[dim] = (Blend(size, axes),)

    def adopt(self, dim: int, axis: int) -> None:
        """Let a dimension without positions be that of an axis which the tensor does not hold: all of it reads the same."""
        self._then(axis, FIRST_UNIT)
        self.dims[dim] = (Digit(axis, size_of(self.dims[dim]), 1),)

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
        """Turn plain factors beside a dimension's only digit into positions (pixel shuffle by views); False if impossible.

        Axes of one position beside it are let go.
        """
        factors = self.dims[dim]
        digits = [factor for factor in factors if isinstance(factor, Digit)]
        large = [digit for digit in digits if digit.size > 1]
        if len(digits) > 1 and len(large) <= 1:
            digits = large or digits[:1]
            factors = tuple(factor for factor in factors if not isinstance(factor, Digit) or factor in digits)
        if len(digits) != 1 or any(isinstance(factor, Tokens) for factor in factors):
            return False
        digit = digits[0]
        at = factors.index(digit)
        before, after = size_of(factors[:at]), size_of(factors[at + 1 :])
        self.dims[dim] = (digit,)
        if after > 1:
            self.resize(dim, Reach(after, 1, (0,) * after, (0,) * after), digit.size * after)
        if before > 1:
            size = digit.size * after
            self.resize(dim, Reach(size, 0, tuple(range(size)), tuple(range(size))), before * size)
        return True
