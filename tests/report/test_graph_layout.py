"""No two boxes share a place, and no edge runs through a box or over an edge of another source."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rfcheck.report.graph_layout import Layout, Route, lay_out


@st.composite
def graphs(draw):
    count = draw(st.integers(2, 14))
    edges = []
    for target in range(1, count):
        sources = draw(st.lists(st.integers(0, target - 1), min_size=1, max_size=3, unique=True))
        edges += [(source, target) for source in sources]
    return count, edges, draw(st.sets(st.integers(0, count - 1)))


def check(layout: Layout, count: int, edges: list[tuple[int, int]]) -> None:
    places = list(zip(layout.rows, layout.columns, strict=True))
    assert len(places) == len(set(places)) == count
    assert [(route.source, route.target) for route in layout.routes] == list(edges)
    cells: dict[tuple, int] = dict.fromkeys(places, -1)
    for route in layout.routes:
        top, bottom = layout.rows[route.source], layout.rows[route.target]
        assert top < bottom
        assert route.column is None or route.lane is None
        if route.column is None and route.lane is None:
            assert bottom == top + 1
        for row in range(top + 1, bottom):
            cell = (row, "lane", route.lane) if route.lane is not None else (row, route.column)
            assert cells.setdefault(cell, route.source) == route.source
        assert route.lane is None or 0 <= route.lane < layout.lanes


@given(graphs())
@settings(max_examples=200, deadline=None)
def test_random_graphs(graph):
    count, edges, aside = graph
    check(lay_out(count, edges, aside), count, edges)


def test_rows_are_the_longest_paths():
    assert lay_out(5, [(0, 1), (1, 2), (0, 3), (2, 4), (3, 4)]).rows == (0, 1, 2, 1, 3)


def test_a_chain_is_one_column():
    count = 500
    layout = lay_out(count, [(n, n + 1) for n in range(count - 1)])
    assert (set(layout.columns), layout.rows, layout.lanes) == ({0}, tuple(range(count)), 0)
    assert layout.routes == tuple(Route(n, n + 1) for n in range(count - 1))


def test_a_shortcut_without_a_layer_takes_a_lane():
    layout = lay_out(4, [(0, 1), (1, 2), (0, 3), (2, 3)])
    assert layout.columns == (0, 0, 0, 0)
    assert layout.routes == (Route(0, 1), Route(1, 2), Route(0, 3, lane=0), Route(2, 3))


def test_a_shortcut_with_a_layer_has_its_own_column():
    layout = lay_out(5, [(0, 1), (1, 2), (0, 3), (2, 4), (3, 4)])
    assert layout.columns == (0, 0, 0, 1, 0)
    assert layout.routes[-1] == Route(3, 4, column=1)


def test_a_gate_stands_aside():
    edges = [(0, 1), (1, 2), (2, 3), (1, 4), (3, 4)]
    layout = lay_out(5, edges, aside={2, 3})
    assert layout.columns == (0, 0, 1, 1, 0)
    assert layout.routes[3] == Route(1, 4, column=0)


def test_branches_stand_side_by_side():
    edges = [(0, n) for n in (1, 2, 3, 4)] + [(n, 5) for n in (1, 2, 3, 4)]
    layout = lay_out(6, edges)
    assert layout.rows == (0, 1, 1, 1, 1, 2)
    assert layout.columns == (0, 0, 1, 2, 3, 0)


def test_dense_connections_share_a_lane_per_source():
    count = 8
    edges = [(source, target) for target in range(1, count) for source in range(target)]
    layout = lay_out(count, edges)
    check(layout, count, edges)
    assert layout.lanes == count - 2  # the last two have nothing farther down to go to
    lanes = {(route.source, route.lane) for route in layout.routes if route.lane is not None}
    assert len({source for source, _ in lanes}) == len(lanes)


def test_short_ways_are_inside():
    edges = [(0, 1), (1, 2), (2, 3), (1, 3), (3, 4), (0, 4)]
    lanes = {route.source: route.lane for route in lay_out(5, edges).routes if route.lane is not None}
    assert lanes == {1: 0, 0: 1}


def test_one_box():
    assert lay_out(1, []) == Layout((0,), (0,), (), 0)
