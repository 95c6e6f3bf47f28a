"""Where the boxes of a graph go, and which way its edges take: rows by depth, a column per branch, lanes beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

BOX = -1
Taken = dict[tuple[int, int], int]
"""By row and column, the source of the edge that runs through a place, or BOX."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge.

    Attributes:
        source: index of a box.
        target: index of a box farther down.
        column: column that it runs down between the rows of the two; None if it needs none.
        lane: lane beside the columns that it runs down instead, 0 next to them; None if it needs none.
    """

    source: int
    target: int
    column: int | None = None
    lane: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Places on a grid.

    Attributes:
        rows: per box, its row from the top: the number of edges on the longest path to it.
        columns: per box, its column from the left.
        routes: per edge, its way.
        lanes: how many lanes there are.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    routes: tuple[Route, ...]
    lanes: int


def lay_out(count: int, edges: Sequence[tuple[int, int]], aside: Collection[int] = ()) -> Layout:
    """Lay out a directed graph whose edges lead from smaller to larger indices.

    No two boxes share a place, and no edge runs through a box: it leads to the next row, down a column that is free there, or down
    a lane. Edges of one source share a lane; those that would cover each other do not.

    Args:
        count: number of boxes.
        edges: pairs of indices.
        aside: boxes that leave the column of what they read to others, such as those that make the weights of a gate.
    """
    sources: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        sources[target].append(source)
    rows: list[int] = []
    for box in range(count):
        rows.append(max((rows[source] + 1 for source in sources[box]), default=0))
    columns, taken = _columns(rows, sources, set(aside))
    routes = [_route(source, target, rows, columns, taken) for source, target in edges]
    lane_of = _lanes([route for route in routes if route.lane is not None], rows)
    placed = tuple(route if route.lane is None else replace(route, lane=lane_of[route.source]) for route in routes)
    return Layout(tuple(rows), tuple(columns), placed, max(lane_of.values(), default=-1) + 1)


def _columns(rows: Sequence[int], sources: Sequence[Sequence[int]], aside: Collection[int]) -> tuple[list[int], Taken]:
    """The column of every box, that of a box it reads if the way there is free, else one to the right; and what is taken then."""
    columns: list[int] = []
    taken: Taken = {}
    has_heir: set[int] = set()
    for box, read in enumerate(sources):
        row = rows[box]
        parent = min(
            (
                source
                for source in read
                if source not in has_heir
                and (box not in aside or source in aside)
                and not any((between, columns[source]) in taken for between in range(rows[source] + 1, row + 1))
            ),
            key=lambda source: columns[source],
            default=None,
        )
        if parent is None:
            column = min((columns[source] + 1 for source in read), default=0)
            while (row, column) in taken:
                column += 1
        else:
            column = columns[parent]
            has_heir.add(parent)
            taken.update({(between, column): parent for between in range(rows[parent] + 1, row)})
        taken[row, column] = BOX
        columns.append(column)
    return columns, taken


def _route(source: int, target: int, rows: Sequence[int], columns: Sequence[int], taken: Taken) -> Route:
    """To the next row, or down a column that is free or taken by the same source, else by a lane, whose number comes later."""
    between = range(rows[source] + 1, rows[target])
    if not between:
        return Route(source, target)
    for column in (columns[source], columns[target]):
        places = [(row, column) for row in between]
        if all(taken.get(place, source) == source for place in places):
            taken.update(dict.fromkeys(places, source))
            return Route(source, target, column=column)
    return Route(source, target, lane=0)


def _lanes(routes: Sequence[Route], rows: Sequence[int]) -> dict[int, int]:
    """A lane for each source; the shortest ways are next to the columns."""
    ends: dict[int, int] = {}
    for route in routes:
        ends[route.source] = max(ends.get(route.source, 0), rows[route.target])
    lanes: list[list[tuple[int, int]]] = []
    lane_of: dict[int, int] = {}
    for source, end in sorted(ends.items(), key=lambda item: (item[1] - rows[item[0]], item[0])):
        start = rows[source]
        free = (
            n for n, used in enumerate(lanes) if all(end <= other_start or other_end <= start for other_start, other_end in used)
        )
        lane = next(free, len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((start, end))
        lane_of[source] = lane
    return lane_of
