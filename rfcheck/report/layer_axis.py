"""The horizontal axis of figures over layers: names under as many as there is room for, and bars at some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from rfcheck.report.figure_style import SMALL, TEXT, shortened

NARROWEST, WIDEST = 6.4, 13.0
"""Widths of a figure in inches."""

LETTER = 0.065
"""Inches of a letter of small text."""

_COLUMN = 0.17
"""Inches that a layer with a name under it needs."""
_MARGIN = 1.5
"""Inches beside the panels."""
_LEVEL = 0.15
"""Inches of names that are not upright."""
_ABOVE, _ROW = 7.0, 10.0
"""Points between a panel and the lowest name of a bar, and between two of them."""
_LONGEST_NAME = 40
_STEPS = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]


@dataclass(frozen=True, slots=True)
class LayerBar:
    """A layer marked by a vertical bar.

    Attributes:
        symbol: what the layer is, in matplotlib's notation for formulas.
        name: of the layer.
        place: from 1.
        colour: of the bar and its name.
        line: style of the bar.
        width: of the bar in points.
    """

    symbol: str
    name: str
    place: int
    colour: str
    line: Any
    width: float = 1.8


def figure_width(count: int) -> float:
    """Inches that a figure over so many layers needs."""
    return min(max(NARROWEST, _MARGIN + _COLUMN * count), WIDEST)


def shown_names(names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Places, from 1, and names of the layers that are named: all of them, or every second, fifth and so on."""
    most = int((WIDEST - _MARGIN) / _COLUMN)
    step = next(step for step in _STEPS if len(names) <= step * most)
    return list(range(1, len(names) + 1, step)), [shortened(name, _LONGEST_NAME) for name in names[::step]]


def names_height(names: Sequence[str]) -> float:
    """Inches that the names need below the lowest panel."""
    shown = shown_names(names)[1]
    return _LEVEL if _is_level(shown, len(names)) else max(map(len, shown), default=0) * LETTER


def set_layer_axis(panel: Axes, names: Sequence[str], kind: str) -> None:
    """Names under the lowest panel, upright where they are short of room.

    Args:
        panel: the lowest.
        names: of all layers, in execution order.
        kind: which layers they are: "judged" or "measured".
    """
    places, shown = shown_names(names)
    panel.set_xlim(0.3, max(len(names), 1) + 0.7)
    panel.set_xticks(places, shown, rotation=0 if _is_level(shown, len(names)) else 90, fontsize=SMALL - 1)
    for label in panel.get_xticklabels():
        label.set_parse_math(False)
    step = places[1] - places[0] if len(places) > 1 else 1
    which = "" if step == 1 else f", one in {step} named"
    panel.set_xlabel(f"{kind} layers in execution order{which}" if names else f"no {kind} layers", fontsize=TEXT)


def draw_bars(panel: Axes, bars: Sequence[LayerBar]) -> None:
    """The bars over the height of a panel."""
    for bar in bars:
        panel.axvline(bar.place, color=bar.colour, linewidth=bar.width, linestyle=bar.line, zorder=1.8)


def name_bars(panel: Axes, bars: Sequence[LayerBar], count: int) -> None:
    """The bars' symbols and names above a panel, a line each, on that side of the bar where there is room.

    Args:
        panel: the topmost.
        bars: what to name.
        count: number of layers in the panel.
    """
    how: dict[str, Any] = {"xycoords": panel.get_xaxis_transform(), "textcoords": "offset points", "va": "bottom"}
    for row, bar in enumerate(bars):
        text = f"{bar.symbol} " + shortened(bar.name, _LONGEST_NAME).replace("$", r"\$")
        room = (count - bar.place) / max(count, 1) * _panel_width(count)
        side = "left" if room > len(text) * LETTER else "right"
        offset = (0, _ABOVE + row * _ROW)
        label = panel.annotate(text, (bar.place, 1), offset, fontsize=SMALL, color=bar.colour, ha=side, **how)
        label.set_annotation_clip(False)


def _panel_width(count: int) -> float:
    """Inches of the panels of a figure over so many layers, about."""
    return figure_width(count) - _MARGIN


def _is_level(shown: Sequence[str], count: int) -> bool:
    """Whether names have room side by side."""
    return max(map(len, shown), default=0) * LETTER < 0.7 * _panel_width(count) / max(len(shown), 1)
