"""Which inputs a unit reads, along one image axis: an algebra of periodic interval maps.

A convolution, a pooling, a slice, an interpolation, a window of attention: along one axis each of them says,
for every output position ``q``, which input positions it reads. All these maps repeat after a number of output positions
(``period``), moved on by a number of input positions (``advance``). A receptive field is the composition of such
maps back to the input pixels, and paths that meet form the hull of theirs. Everything is integer arithmetic, so
up-sampling, transposed convolutions and attention windows are exact for every unit, not only on average.

For a plain convolution with kernel k, stride s and padding p the map is ``period=1, advance=s, first=(-p,), last=(k-1-p,)``;
composed with what came before it this is the recurrence r_l = r_(l-1) + (k-1) j_(l-1) of Richter 2022, section 4.4, eq. 9.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Position = int | float  # float only for the infinities


_LONGEST_PERIOD = 64
"""A pattern that repeats within so many outputs is kept as one, however small the map is."""


class Reach(NamedTuple):
    """The input positions that each output position reads, along one axis.

    Output position ``q = c * period + phase`` reads the positions from ``first[phase] + c * advance`` to
    ``last[phase] + c * advance``, every ``step``-th of them. A phase that reads nothing has ``first = inf, last = -inf``;
    a map that reads everything has ``first = -inf, last = inf``.

    Attributes:
        period: output positions after which the pattern repeats.
        advance: input positions by which one period moves the pattern; negative for a mirrored axis.
        first: lowest position read, one entry per phase.
        last: highest position read, one entry per phase.
        step: distance between the positions read (the dilation); 1 when all between first and last are read.
        finite: whether the map is written out for outputs 0 to ``period - 1`` because it repeats nowhere; beyond them it goes on
            from its ends at its average rate.
    """

    period: int
    advance: int
    first: tuple[Position, ...]
    last: tuple[Position, ...]
    step: int = 1
    finite: bool = False

    @property
    def extent(self) -> Position:
        """Extent of the widest unit, in input positions: the receptive field r. ``inf`` where unbounded."""
        if self.period == 1:
            return max(self.last[0] - self.first[0] + 1, 0)
        return max(max(b - a + 1 for a, b in zip(self.first, self.last, strict=True)), 0)

    @property
    def jump(self) -> Position:
        """Input positions between neighbouring outputs; a fraction after up-sampling."""
        whole, rest = divmod(abs(self.advance), self.period)
        return whole if rest == 0 else abs(self.advance) / self.period

    @property
    def is_global(self) -> bool:
        """Whether every unit reads all positions."""
        return self.first[0] == -math.inf


IDENTITY = Reach(1, 1, (0,), (0,))
GLOBAL = Reach(1, 0, (-math.inf,), (math.inf,))
NOTHING = Reach(1, 0, (math.inf,), (-math.inf,))
FIRST_UNIT = Reach(1, 0, (0,), (0,))
"""Every output reads position 0: an axis that was reduced to one unit and is spread over positions again."""


def window(kernel: int, stride: int = 1, dilation: int = 1, padding: int = 0) -> Reach:
    """The map of a convolution or pooling: ``kernel`` taps, ``dilation`` apart, every ``stride`` positions."""
    return Reach(1, stride, (-padding,), ((kernel - 1) * dilation - padding,), dilation)


def transposed(kernel: int, stride: int, dilation: int, padding: int) -> Reach:
    """The map of a transposed convolution: input ``i`` and tap ``t`` meet in output ``i * stride - padding + t * dilation``."""
    first: list[Position] = []
    last: list[Position] = []
    for phase in range(stride):
        read = [
            (phase + padding - tap * dilation) // stride
            for tap in range(kernel)
            if (phase + padding - tap * dilation) % stride == 0
        ]
        first.append(min(read, default=math.inf))
        last.append(max(read, default=-math.inf))
    return shortest(Reach(stride, 1, tuple(first), tuple(last)))


def from_table(first: Sequence[int], last: Sequence[int], advance: int) -> Reach:
    """A map given output by output; ``advance`` is how far the whole table moves when it repeats."""
    return shortest(Reach(len(first), advance, tuple(first), tuple(last)))


@lru_cache(maxsize=4096)
def shortest(reach: Reach) -> Reach:
    """The same map with the smallest period that describes it."""
    period, advance, first, last, step, _ = reach
    if period == 1:
        return reach
    for candidate in _divisors(period):
        moved, rest = divmod(advance * candidate, period)
        if rest == 0 and all(
            first[q] == first[q - candidate] + moved and last[q] == last[q - candidate] + moved for q in range(candidate, period)
        ):
            return Reach(candidate, moved, first[:candidate], last[:candidate], step)
    return reach


@lru_cache(maxsize=4096)
def _average_move(reach: Reach, outputs: int) -> tuple[int, int]:
    """How far a finite map moves over some outputs on average, rounded down and up."""
    return outputs * reach.advance // reach.period, -(-outputs * reach.advance // reach.period)


def _divisors(number: int) -> list[int]:
    """The proper divisors, smallest first."""
    small = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return sorted({d for n in small for d in (n, number // n)} - {number})


@lru_cache(maxsize=4096)
def _is_monotone(reach: Reach) -> bool:
    """Whether neither end ever moves back as the output position grows, so that a range of outputs is spanned by its ends."""
    beyond = -math.inf if reach.finite else reach.advance
    ends = ((reach.first, reach.first[0] + beyond), (reach.last, reach.last[0] + beyond))
    return math.inf not in reach.first and all(
        values[q] <= (values[q + 1] if q + 1 < reach.period else after) for values, after in ends for q in range(reach.period)
    )


@lru_cache(maxsize=16384)
def compose(outer: Reach, inner: Reach, size: int = 0) -> Reach:
    """What ``outer`` reads through ``inner``: the positions before ``inner`` that reach each output of ``outer``.

    Args:
        outer: applied last.
        inner: applied first.
        size: number of outputs. Where one of the maps is finite, or the pattern would repeat only after more outputs than there
            are, the result is finite.
    """
    if inner == IDENTITY:
        return outer
    if inner.period == 1 and outer.period == 1:
        if outer.first[0] > outer.last[0] or inner.first[0] > inner.last[0]:
            return NOTHING
        if outer.is_global or inner.is_global:
            return GLOBAL
        jump = inner.advance
        ends = (outer.first[0] * jump, outer.last[0] * jump)
        return Reach(1, outer.advance * jump, (inner.first[0] + min(ends),), (inner.last[0] + max(ends),))
    if outer.is_global or inner.is_global:
        return GLOBAL if outer.extent and inner.extent else NOTHING
    if outer.finite or inner.finite:
        return _compose_finite(outer, inner, size)
    repeats = inner.period // math.gcd(inner.period, outer.advance) if outer.advance else 1
    period = outer.period * repeats
    if size and period > max(size, _LONGEST_PERIOD):
        return _compose_finite(outer, inner, size)
    first, last = _composed_spans(outer, inner, period)
    return shortest(Reach(period, outer.advance * repeats * inner.advance // inner.period, first, last))


def _compose_finite(outer: Reach, inner: Reach, size: int) -> Reach:
    """The composition written out output by output, as many as there are or as the finite map provides for."""
    if not size:
        size = outer.period if outer.finite else max(round(inner.period * outer.period / max(abs(outer.advance), 1)), 1)
    first, last = _composed_spans(outer, inner, size)
    advance = round(size * outer.advance * inner.advance / (outer.period * inner.period))
    return shortest(Reach(size, advance, first, last, finite=True))


def _composed_spans(outer: Reach, inner: Reach, count: int) -> tuple[tuple[Position, ...], tuple[Position, ...]]:
    """Lowest and highest position that each of the first outputs reads."""
    first: list[Position] = []
    last: list[Position] = []
    monotone = _is_monotone(inner)
    known: dict[tuple[Position, Position], tuple[Position, Position]] = {}
    for q in range(count):
        low, high = read_at(outer, q)
        if low > high:
            first.append(math.inf)
            last.append(-math.inf)
            continue
        ends = int(low), int(high)
        if ends not in known:
            spans = [read_at(inner, tap) for tap in (ends if monotone else _deciding_taps(*ends, outer.step, inner))]
            known[ends] = min(span[0] for span in spans), max(span[1] for span in spans)
        first.append(known[ends][0])
        last.append(known[ends][1])
    return tuple(first), tuple(last)


def _deciding_taps(low: int, high: int, step: int, inner: Reach) -> Iterable[int]:
    """The taps among which the lowest and the highest position are found: all, or those at the two ends."""
    edge = inner.period * step
    if inner.finite or high - low <= 2 * edge:
        return range(low, high + 1, step)
    return (*range(low, low + edge, step), *range(high, high - edge, -step))


def read_at(reach: Reach, position: int) -> tuple[Position, Position]:
    """First and last position that an output position reads; inf and -inf where it reads nothing."""
    if reach.finite:
        return _at_finite(reach, position)
    cycle, phase = divmod(position, reach.period)
    return reach.first[phase] + cycle * reach.advance, reach.last[phase] + cycle * reach.advance


def _at_finite(reach: Reach, position: int) -> tuple[Position, Position]:
    inside = min(max(position, 0), reach.period - 1)
    low, high = reach.first[inside], reach.last[inside]
    if inside == position:
        return low, high
    down, up = _average_move(reach, abs(position - inside))
    return (low - down, high - up) if position < 0 else (low + up, high + down)


def spans(reach: Reach, units: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last position that each of the first units reads, as arrays; inf and -inf for a unit that reads nothing."""
    import numpy as np

    read = [read_at(reach, unit) for unit in range(units)]
    ends = np.array(read, dtype=np.float64).reshape(units, 2)
    return ends[:, 0], ends[:, 1]


def hull(maps: Sequence[Reach], size: int) -> Reach:
    """The smallest map that covers all of ``maps``: what a unit sees that gathers from several paths.

    Args:
        maps: at least one map, all over the same output positions.
        size: number of output positions on the axis. Where the maps move at different rates their hull repeats nowhere, and
            is written out for positions 0 to ``size - 1``.
    """
    merged = maps[0]
    for other in maps[1:]:
        if other != merged:
            merged = _hull_of_two(merged, other, size)
    return merged


@lru_cache(maxsize=16384)
def _hull_of_two(one: Reach, two: Reach, size: int) -> Reach:
    if one.is_global or two.is_global:
        return GLOBAL
    finite = one.finite or two.finite or one.advance * two.period != two.advance * one.period
    finite = finite or math.lcm(one.period, two.period) > max(size, _LONGEST_PERIOD)
    if not finite:
        period = math.lcm(one.period, two.period)
        advance = one.advance * (period // one.period)
    else:
        period = max(size, 1)
        fastest = max(one, two, key=lambda reach: abs(reach.advance) / reach.period)
        advance = round(fastest.advance * period / fastest.period)
    spans = [(read_at(one, q), read_at(two, q)) for q in range(period)]
    first = tuple(min(a[0], b[0]) for a, b in spans)
    last = tuple(max(a[1], b[1]) for a, b in spans)
    return shortest(Reach(period, advance, first, last, finite=finite))


def covers(wide: Reach, narrow: Reach) -> bool:
    """Whether ``wide``, shifted, contains ``narrow`` in every phase: then no later layer can make ``narrow`` the larger."""
    if wide.is_global:
        return True
    if narrow.is_global or wide.advance * narrow.period != narrow.advance * wide.period:
        return False
    if wide.period == narrow.period == 1:
        return wide.extent >= narrow.extent
    finite = wide.finite or narrow.finite
    phases = max(wide.period, narrow.period) if finite else math.lcm(wide.period, narrow.period)
    spans = [(w, n) for w, n in ((read_at(wide, q), read_at(narrow, q)) for q in range(phases)) if n[0] <= n[1]]
    if any(w[0] > w[1] for w, _ in spans):
        return False
    least = max((w[0] - n[0] for w, n in spans), default=0)
    most = min((w[1] - n[1] for w, n in spans), default=0)
    return least <= most


def lift(reach: Reach, spacing: int, size_in: int, size_out: int, outermost: bool) -> Reach:
    """A map over one digit of the position, as a map over whole positions.

    Where an axis is split over several tensor dimensions (windows of attention, space-to-depth), a position is a number in
    mixed radix; an operator on one of the dimensions acts on one digit only.

    Args:
        reach: the map over the digit.
        spacing: positions between neighbouring values of the digit.
        size_in: values of the digit before the operator.
        size_out: values of the digit after it.
        outermost: whether the digit is the highest, so that the map may run past its ends instead of ending there.
    """
    if spacing == 1 and outermost:
        return reach
    digits = reach.period if outermost else size_out
    first: list[Position] = []
    last: list[Position] = []
    for digit in range(digits):
        low, high = read_at(reach, digit)
        if not outermost and low <= high:
            inside = [tap for tap in range(int(low), int(high) + 1, reach.step) if 0 <= tap < size_in]
            low, high = (inside[0], inside[-1]) if inside else (math.inf, -math.inf)
        for offset in range(spacing):
            empty = low > high
            first.append(math.inf if empty else low * spacing + offset)
            last.append(-math.inf if empty else high * spacing + offset)
    advance = (reach.advance if outermost else size_in) * spacing
    return shortest(Reach(digits * spacing, advance, tuple(first), tuple(last), reach.step * spacing, reach.finite))
