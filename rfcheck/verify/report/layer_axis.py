"""The horizontal axis of figures over layers: their places from 1, with as many names as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

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
_STEPS = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]


def figure_width(count: int) -> float:
    """Inches that a figure over so many layers needs."""
    return min(max(NARROWEST, _MARGIN + _COLUMN * count), WIDEST)


def panel_width(count: int) -> float:
    """Inches of the panels of such a figure, about."""
    return figure_width(count) - _MARGIN


def shown_names(names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Places, from 1, and names of the layers that are named: all of them, or every second, fifth and so on."""
    most = int((WIDEST - _MARGIN) / _COLUMN)
    step = next(step for step in _STEPS if len(names) <= step * most)
    return list(range(1, len(names) + 1, step)), [shortened(name) for name in names[::step]]


def names_height(names: Sequence[str]) -> float:
    """Inches that the names need below the lowest panel."""
    shown = shown_names(names)[1]
    longest = max(map(len, shown), default=0) * LETTER
    return 0.15 if _is_level(shown, len(names)) else longest


def set_layer_axis(panel: Axes, names: Sequence[str]) -> None:
    """Names under the lowest panel, upright where they are short."""
    places, shown = shown_names(names)
    panel.set_xlim(0.3, max(len(names), 1) + 0.7)
    panel.set_xticks(places, shown, rotation=0 if _is_level(shown, len(names)) else 90, fontsize=SMALL - 1)
    for label in panel.get_xticklabels():
        label.set_parse_math(False)
    step = places[1] - places[0] if len(places) > 1 else 1
    which = "" if step == 1 else f", one in {step} named"
    panel.set_xlabel(f"measured layers in execution order{which}", fontsize=TEXT)


def _is_level(shown: Sequence[str], count: int) -> bool:
    return max(map(len, shown), default=0) * LETTER < 0.7 * panel_width(count) / max(len(shown), 1)
