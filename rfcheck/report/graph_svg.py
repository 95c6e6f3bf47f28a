"""The folded graph as a picture, SVG, laid out without a further program."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.report.folding import Block, Folded, Unit, fold
from rfcheck.report.graph_labels import block_label, box_lines, legend, look_of, tags, title
from rfcheck.report.graph_layout import Layout, Route, lay_out
from rfcheck.report.xml_text import xml_text

if TYPE_CHECKING:
    import networkx as nx

_LETTER = 7.0
"""Width of a letter at 11 px, at most: 0.602 em in the common monospaced fonts, rounded up to whole pixels by some renderers."""
_LINE = 14
_INSIDE = 8
"""Distance of text from the edge of its box."""
_BOX = 3 * _LINE + 10
_ROW_GAP, _COLUMN_GAP = 34, 26
_LANE = 7
_MARGIN = 16
_BEND = 6
_EDGE, _GATE = "#808080", "#009E73"
_FONT = 'font-family="\'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="11"'


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where rows, columns and lanes are, in pixels."""

    layout: Layout
    box_width: float
    left: float
    top: float

    def x(self, box: int) -> float:
        """Left edge of a box."""
        return self.column(self.layout.columns[box])

    def y(self, box: int) -> float:
        """Top edge of a box."""
        return self.top + self.layout.rows[box] * (_BOX + _ROW_GAP)

    def column(self, column: int) -> float:
        """Left edge of a column."""
        return self.left + column * (self.box_width + _COLUMN_GAP)

    def lane(self, lane: int) -> float:
        """Middle of a lane."""
        return self.left - _INSIDE - (lane + 1) * _LANE

    @property
    def width(self) -> float:
        """Width of the whole."""
        return self.column(max(self.layout.columns)) + self.box_width + _MARGIN

    @property
    def height(self) -> float:
        """Height of the whole."""
        return self.top + (max(self.layout.rows) + 1) * (_BOX + _ROW_GAP) - _ROW_GAP + _MARGIN


@dataclass(frozen=True, slots=True)
class _Frame:
    """A rectangle around a repeated block, in pixels, and its name."""

    left: float
    right: float
    top: float
    bottom: float
    label: str


def graph_svg(graph: nx.DiGraph) -> str:
    """A picture of a graph, from the input at the top down.

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    folded = fold(graph)
    layout = lay_out(
        len(folded.units),
        [(source, target) for source, target, _ in folded.edges],
        aside={place for place, unit in enumerate(folded.units) if graph.nodes[unit.name]["role"] == "gate"},
    )
    lines = [_head_and_tags(graph, unit) for unit in folded.units]
    box_width = max(_text_width(line) for texts in lines for line in texts) + 2 * _INSIDE
    looks = legend(graph, folded)
    head = _LINE * (len(looks) + 2) + _MARGIN
    sheet = _Sheet(layout, box_width, _MARGIN + _INSIDE + (layout.lanes + 1) * _LANE, head + _ROW_GAP)
    frames = [frame for block in folded.blocks if (frame := _frame(graph, block, folded, sheet)) is not None]
    width = max(sheet.width, _text_width(title(graph)) + 2 * _MARGIN)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{sheet.height:.0f}"'
            f' viewBox="0 0 {width:.0f} {sheet.height:.0f}" {_FONT}>',
            f"<title>{xml_text(title(graph))}</title>",
            '<rect width="100%" height="100%" fill="#FFFFFF"/>',
            *_heading(graph, folded),
            *(_rectangle(frame) for frame in frames),
            *(_edge(route, gate, sheet) for route, (_, _, gate) in zip(layout.routes, folded.edges, strict=True)),
            *(part for frame in frames for part in _frame_label(frame)),
            *(part for place, unit in enumerate(folded.units) for part in _box(graph, unit, place, sheet)),
            "</svg>\n",
        )
    )


def _head_and_tags(graph: nx.DiGraph, unit: Unit) -> tuple[str, str, str]:
    name, operators, numbers = box_lines(graph, unit)
    marks = tags(graph, unit)
    return (f"{name}  {marks}" if marks else name), operators, numbers


def _text_width(text: str) -> float:
    """Width of a text in a monospaced font; East Asian letters are two wide."""
    return _LETTER * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _heading(graph: nx.DiGraph, folded: Folded) -> Iterator[str]:
    """The title, what the colours mean, and what the frames and lines mean."""
    yield _text(_MARGIN, _MARGIN + _LINE - 3, title(graph), 'font-weight="bold"')
    for row, look in enumerate(legend(graph, folded), 2):
        y = _MARGIN + row * _LINE
        dash = ' stroke-dasharray="4 2"' if look.dashed else ""
        yield f'<rect x="{_MARGIN}" y="{y - 9}" width="18" height="10" rx="2" fill="{look.fill}" stroke="{look.line}"{dash}/>'
        yield _text(_MARGIN + 26, y, look.meaning)


def _box(graph: nx.DiGraph, unit: Unit, place: int, sheet: _Sheet) -> Iterator[str]:
    x, y, look = sheet.x(place), sheet.y(place), look_of(graph, unit)
    name, operators, numbers = box_lines(graph, unit)
    marks = tags(graph, unit)
    width = 2.4 if "b_min" in marks else 1.2
    dash = ' stroke-dasharray="4 2"' if look.dashed else ""
    yield "<g>"
    yield f"<title>{xml_text(', '.join(name for repetition in unit.repetitions for name in repetition))}</title>"
    yield (
        f'<rect x="{x:.1f}" y="{y}" width="{sheet.box_width:.1f}" height="{_BOX}" rx="4"'
        f' fill="{look.fill}" stroke="{look.line}" stroke-width="{width}"{dash}/>'
    )
    yield _text(x + _INSIDE, y + _LINE, name, 'font-weight="bold"')
    if marks:
        yield _text(x + sheet.box_width - _INSIDE, y + _LINE, marks, f'text-anchor="end" font-weight="bold" fill="{look.line}"')
    yield _text(x + _INSIDE, y + 2 * _LINE, operators)
    yield _text(x + _INSIDE, y + 3 * _LINE, numbers)
    yield "</g>"


def _text(x: float, y: float, text: str, how: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{" " if how else ""}{how}>{xml_text(text)}</text>'


def _frame(graph: nx.DiGraph, block: Block, folded: Folded, sheet: _Sheet) -> _Frame | None:
    """The frame around a repeated block; none around a single box, or where another box would be inside."""
    rows = [sheet.layout.rows[unit] for unit in block.units]
    columns = [sheet.layout.columns[unit] for unit in block.units]
    inside = {
        unit
        for unit in range(len(folded.units))
        if min(rows) <= sheet.layout.rows[unit] <= max(rows) and min(columns) <= sheet.layout.columns[unit] <= max(columns)
    }
    if len(block.units) == 1 or inside != set(block.units):
        return None
    lanes = [r.lane for r in sheet.layout.routes if r.lane is not None and r.source in inside and r.target in inside]
    around = 7 + 3 * sum(inside > set(other.units) and len(other.units) > 1 for other in folded.blocks)
    left = (sheet.lane(max(lanes)) if lanes else sheet.column(min(columns))) - around
    right = sheet.column(max(columns)) + sheet.box_width + around
    ends = min(map(sheet.y, block.units)) - around, max(map(sheet.y, block.units)) + _BOX + around
    return _Frame(left, right, *ends, block_label(graph, block))


def _rectangle(frame: _Frame) -> str:
    width, height = frame.right - frame.left, frame.bottom - frame.top
    return (
        f'<rect x="{frame.left:.1f}" y="{frame.top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"'
        ' fill="#F7F7F7" stroke="#595959" stroke-dasharray="2 2"/>'
    )


def _frame_label(frame: _Frame) -> Iterator[str]:
    """The frame's name above it, on white, as edges may run there."""
    width = _text_width(frame.label) + 2
    yield f'<rect x="{frame.left:.1f}" y="{frame.top - _LINE:.1f}" width="{width:.1f}" height="{_LINE - 1}" fill="#FFFFFF"/>'
    yield _text(frame.left + 1, frame.top - 4, frame.label)


def _edge(route: Route, gate: bool, sheet: _Sheet) -> str:
    start = sheet.x(route.source) + sheet.box_width / 2, sheet.y(route.source) + _BOX
    end = sheet.x(route.target) + sheet.box_width / 2, float(sheet.y(route.target))
    if route.lane is not None:
        path = _around(start, end, sheet.lane(route.lane))
    elif route.column is not None:
        middle = sheet.column(route.column) + sheet.box_width / 2
        path = _smooth((start, (middle, start[1] + _ROW_GAP), (middle, end[1] - _ROW_GAP), end))
    else:
        path = _smooth((start, end))
    colour, how = (_GATE, ' stroke-dasharray="4 3"') if gate else (_EDGE, "")
    x, y = end
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.2"{how}/>'
        f'<path d="M{x:.1f} {y:.1f}l-3.5 -6h7z" fill="{colour}"/>'
    )


def _smooth(points: Iterable[tuple[float, float]]) -> str:
    """Through the points from the top down, straight where two lie above each other."""
    (x, y), *others = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in others:
        middle = (y + next_y) / 2
        parts.append(
            f"V{next_y:.1f}" if x == next_x else f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}"
        )
        x, y = next_x, next_y
    return "".join(parts)


def _around(start: tuple[float, float], end: tuple[float, float], lane: float) -> str:
    """Out to a lane on the left, down it, and back in, with rounded corners."""
    (x, y), (to_x, to_y) = start, end
    out, back = y + _BEND + 2, to_y - _BEND - 8
    return (
        f"M{x:.1f} {y:.1f}V{out - _BEND:.1f}Q{x:.1f} {out:.1f} {x - _BEND:.1f} {out:.1f}"
        f"H{lane + _BEND:.1f}Q{lane:.1f} {out:.1f} {lane:.1f} {out + _BEND:.1f}"
        f"V{back - _BEND:.1f}Q{lane:.1f} {back:.1f} {lane + _BEND:.1f} {back:.1f}"
        f"H{to_x - _BEND:.1f}Q{to_x:.1f} {back:.1f} {to_x:.1f} {back + _BEND:.1f}V{to_y:.1f}"
    )
