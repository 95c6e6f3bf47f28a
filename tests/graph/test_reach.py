"""The algebra of periodic interval maps, held against maps written out position by position, as sets."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcheck.graph.reach import (
    FIRST_UNIT,
    GLOBAL,
    IDENTITY,
    NOTHING,
    Reach,
    compose,
    covers,
    from_table,
    hull,
    lift,
    shortest,
    transposed,
    window,
)

POSITIONS = range(-12, 24)
EMPTY = (math.inf, -math.inf)
untimed = settings(deadline=None)
RATES = st.tuples(st.integers(1, 4), st.integers(-4, 4))


def read_by(reach: Reach, position: int) -> set[int]:
    """The positions that one output position reads."""
    assert not reach.is_global
    cycle, phase = divmod(position, reach.period)
    if reach.first[phase] > reach.last[phase]:
        return set()
    moved = cycle * reach.advance
    return set(range(int(reach.first[phase]) + moved, int(reach.last[phase]) + moved + 1, reach.step))


def span(positions: set[int]) -> tuple[float, float]:
    return (min(positions), max(positions)) if positions else EMPTY


def spans(reach: Reach, positions: range = POSITIONS) -> list[tuple[float, float]]:
    return [span(read_by(reach, position)) for position in positions]


@st.composite
def reaches(draw: st.DrawFn, rate: tuple[int, int] | None = None) -> Reach:
    """Maps of all kinds but the global one: up- and down-sampling, mirrored, dilated, with phases that read nothing."""
    period, advance = rate or draw(RATES)
    step = draw(st.integers(1, 3))
    phase = st.tuples(st.integers(-5, 5), st.integers(0, 4)).map(lambda ends: (ends[0], ends[0] + step * ends[1]))
    phases = draw(st.lists(phase | st.just(EMPTY), min_size=period, max_size=period))
    return Reach(period, advance, tuple(low for low, _ in phases), tuple(high for _, high in phases), step)


@st.composite
def reaches_of_one_rate(draw: st.DrawFn, count: int) -> list[Reach]:
    """Maps that move on by the same number of positions, though their patterns may differ in length."""
    period, advance = draw(RATES)
    times = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    return [draw(reaches((period * n, advance * n))) for n in times]


def repeated(reach: Reach, times: int) -> Reach:
    """The same map, written with a period that is several times as long."""
    moved = [
        (low + c * reach.advance, high + c * reach.advance) for c in range(times) for low, high in zip(*reach[2:4], strict=True)
    ]
    return Reach(reach.period * times, reach.advance * times, *(tuple(ends) for ends in zip(*moved, strict=True)), reach.step)


@untimed
@given(reaches(), reaches())
def test_compose_spans_all_that_is_read_through_the_inner_map(outer, inner):
    through = [set().union(*(read_by(inner, tap) for tap in read_by(outer, position))) for position in POSITIONS]
    assert spans(compose(outer, inner)) == [span(positions) for positions in through]


@untimed
@given(reaches())
def test_identity_is_neutral_and_global_absorbs(reach):
    assert spans(compose(reach, IDENTITY)) == spans(compose(IDENTITY, reach)) == spans(reach)
    assert compose(reach, GLOBAL) == compose(GLOBAL, reach) == (GLOBAL if reach.extent else NOTHING)  # all of nothing is nothing
    assert hull([reach, GLOBAL], 8) == GLOBAL
    assert covers(GLOBAL, reach)
    assert not covers(reach, GLOBAL)


def test_a_chain_of_convolutions_follows_the_recurrence():
    chain = IDENTITY
    extent, jump = 1, 1
    for kernel, stride, dilation, padding in [(7, 2, 1, 3), (3, 2, 1, 1), (3, 1, 2, 2), (1, 2, 1, 0), (4, 1, 1, 1)]:
        chain = compose(window(kernel, stride, dilation, padding), chain)
        extent, jump = extent + (kernel - 1) * dilation * jump, jump * stride
        assert (chain.extent, chain.jump) == (extent, jump)


@untimed
@given(reaches_of_one_rate(3))
def test_hull_spans_the_union(maps):
    union = [set().union(*(read_by(reach, position) for reach in maps)) for position in POSITIONS]
    assert spans(hull(maps, size=3)) == [span(read) for read in union]


@untimed
@given(st.lists(reaches(), min_size=2, max_size=3), st.integers(1, 12))
def test_hull_at_different_rates_spans_the_union_on_the_axis(maps, size):
    union = [set().union(*(read_by(reach, position) for reach in maps)) for position in range(size)]
    assert spans(hull(maps, size), range(size)) == [span(read) for read in union]


@untimed
@given(st.lists(st.integers(-5, 5) | st.none(), min_size=4, max_size=9), st.integers(1, 3), st.integers(1, 2), st.integers(-9, 9))
def test_a_map_that_is_written_out_is_exact_on_its_axis(table, kernel, stride, advance):
    empty = [place is None for place in table]
    first, last = ([end if e else place for place, e in zip(table, empty, strict=True)] for end in EMPTY)
    inner = Reach(len(table), advance, tuple(first), tuple(last), finite=True)
    size = max((len(table) - kernel) // stride + 1, 1)
    read = [{place for place in table[q * stride : q * stride + kernel] if place is not None} for q in range(size)]
    composed = compose(window(kernel, stride), inner, size)
    assert spans(composed, range(size)) == [span(places) for places in read]
    assert spans(hull([composed, composed], size), range(size)) == [span(places) for places in read]


@untimed
@given(reaches_of_one_rate(2))
def test_covers_finds_the_shift_that_contains_every_phase(maps):
    wide, narrow = maps
    pairs = list(zip(spans(wide, range(48)), spans(narrow, range(48)), strict=True))
    shifts = [t for t in range(-60, 61) if all(w[0] <= n[0] + t and n[1] + t <= w[1] for w, n in pairs)]
    assert covers(wide, narrow) == bool(shifts)


@untimed
@given(reaches())
def test_a_map_covers_itself_shifted_but_no_map_at_another_rate(reach):
    shifted = reach._replace(first=tuple(low + 7 for low in reach.first), last=tuple(high + 7 for high in reach.last))
    assert covers(reach, shifted)
    assert covers(shifted, reach)
    assert not covers(reach, reach._replace(advance=reach.advance + 1))


@untimed
@given(reaches(), st.integers(1, 4))
def test_shortest_keeps_the_map_and_finds_the_smallest_period(reach, times):
    short = shortest(repeated(reach, times))
    assert spans(short) == spans(reach)
    assert short.step == reach.step
    everywhere = range(-48, 48)
    table = dict(zip(everywhere, spans(reach, everywhere), strict=True))

    def repeats_after(period: int) -> bool:
        moved, rest = divmod(reach.advance * period, reach.period)
        return rest == 0 and all(table[q + period] == (table[q][0] + moved, table[q][1] + moved) for q in range(-24, 24))

    assert short.period == min(period for period in range(1, reach.period + 1) if repeats_after(period))


@untimed
@given(reaches(), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_lift_of_an_inner_digit_enumerates_the_mixed_radix_positions(reach, spacing, size_in, size_out):
    expected = []
    for position in POSITIONS:
        rest, offset = divmod(position, spacing)
        outer, digit = divmod(rest, size_out)
        taps = [tap for tap in read_by(reach, digit) if 0 <= tap < size_in]
        expected.append(span({(outer * size_in + tap) * spacing + offset for tap in taps}))
    assert spans(lift(reach, spacing, size_in, size_out, outermost=False)) == expected


@untimed
@given(reaches(), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_lift_of_the_outermost_digit_runs_past_its_ends(reach, spacing, size_in, size_out):
    expected = []
    for position in POSITIONS:
        digit, offset = divmod(position, spacing)
        expected.append({tap * spacing + offset for tap in read_by(reach, digit)})
    lifted = lift(reach, spacing, size_in, size_out, outermost=True)
    assert [read_by(lifted, position) for position in POSITIONS] == expected


@untimed
@given(kernel=st.integers(1, 6), stride=st.integers(1, 4), dilation=st.integers(1, 3), padding=st.integers(0, 4))
def test_window_and_transposed_are_each_others_transpose(kernel, stride, dilation, padding):
    down = window(kernel, stride, dilation, padding)
    up = transposed(kernel, stride, dilation, padding)
    taps = [{q * stride - padding + tap * dilation for tap in range(kernel)} for q in range(-30, 40)]
    assert [read_by(down, q) for q in range(-30, 40)] == taps
    writers = [{q for q, written in zip(range(-30, 40), taps, strict=True) if position in written} for position in POSITIONS]
    assert spans(up) == [span(positions) for positions in writers]


def test_from_table_repeats_what_it_is_given():
    reach = from_table([0, 0, 1, 3, 3, 4], [0, 1, 1, 3, 4, 4], 6)
    assert reach == Reach(3, 3, (0, 0, 1), (0, 1, 1))
    assert spans(reach, range(7)) == [(0, 0), (0, 1), (1, 1), (3, 3), (3, 4), (4, 4), (6, 6)]


@pytest.mark.parametrize(
    ("reach", "extent", "jump"),
    [
        (IDENTITY, 1, 1),
        (GLOBAL, math.inf, 0),
        (FIRST_UNIT, 1, 0),
        (window(3, 2, 2, 1), 5, 2),
        (transposed(4, 2, 1, 1), 2, 0.5),
        (transposed(3, 2, 1, 1), 2, 0.5),
        (transposed(1, 3, 1, 0), 1, 1 / 3),
        (Reach(1, -1, (9,), (9,)), 1, 1),
        (Reach(2, 3, (0, 4), (2, 4)), 3, 1.5),
        (Reach(1, 2, (math.inf,), (-math.inf,)), 0, 2),
    ],
)
def test_extent_and_jump(reach, extent, jump):
    assert (reach.extent, reach.jump) == (extent, jump)
    assert reach.is_global == (extent == math.inf)
