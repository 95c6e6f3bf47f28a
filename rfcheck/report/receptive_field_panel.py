"""The panel of a figure that shows what the input of each layer sees, which decides, on a logarithmic scale against I."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rfcheck.analysis.layers import Extents, Layer
from rfcheck.report.figure_style import BLUE, DARK, ORANGE, SMALL, TEXT, round_count

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_NEAR = 0.09
"""Least distance of two names on a vertical axis, as a share of the panel's height."""
_DASHED = (0, (5, 2))
_WIDE: dict[str, Any] = {"color": ORANGE, "linewidth": 2.6, "marker": "s"}
_THIN: dict[str, Any] = {"color": BLUE, "linewidth": 1.2, "marker": "o"}
_IMAGE: dict[str, Any] = {"color": DARK, "linewidth": 1.1, "linestyle": _DASHED}
_UNKNOWN: dict[str, Any] = {"facecolor": "none", "edgecolor": "0.75", "hatch": "////", "linewidth": 0}


def axes_alike(layers: Sequence[Layer], axes: int) -> list[tuple[int, ...]]:
    """The image axes, those along which all layers see the same together.

    Args:
        layers: what a figure shows.
        axes: number of image axes.
    """
    seen: dict[tuple[tuple[float | None, float | None], ...], list[int]] = {}
    for axis in range(axes):
        seen.setdefault(tuple((_along(layer.r_in_min, axis), _along(layer.r_in_max, axis)) for layer in layers), []).append(axis)
    return [tuple(group) for group in seen.values()]


def draw_receptive_fields(panel: Axes, layers: Sequence[Layer], axes: tuple[int, ...], input_size: tuple[int, ...]) -> None:
    """r_in_min and r_in_max of the layers at the places 1, 2, ..., along image axes that are alike, and I of each of these axes.

    An unbounded receptive field is at the top edge, marked; an unknown one is a hatched gap.
    """
    places = range(1, len(layers) + 1)
    lows = [_along(layer.r_in_min, axes[0]) for layer in layers]
    highs = [_along(layer.r_in_max, axes[0]) for layer in layers]
    bottom, top = _limits(lows + highs, [input_size[axis] for axis in axes])
    low, high = ([math.nan if r is None else min(r, top) for r in values] for values in (lows, highs))
    size = 3.5 if len(layers) <= 60 else 1.5
    panel.fill_between(places, low, high, color="0.5", alpha=0.15, linewidth=0)
    panel.plot(places, high, markersize=size * 1.6, **_WIDE)
    panel.plot(places, low, markersize=size, **_THIN)
    for values, colour in ((high, ORANGE), (low, BLUE)):
        for place in (place for place, r in zip(places, values, strict=True) if r == top):
            panel.plot(place, top, color=colour, marker="^", markersize=size * 2, clip_on=False)
    for first, last in runs(layers, _is_unknown):
        panel.axvspan(first - 0.5, last + 0.5, zorder=0, **_UNKNOWN)
    _scale(panel, bottom, top)
    names = _AXES.get(len(input_size)) or tuple(f"axis {axis}" for axis in range(len(input_size)))
    along = "" if len(axes) == len(input_size) else ", " + " and ".join(names[axis] for axis in axes)
    panel.set_ylabel(f"receptive field\nof the input{along} (px)", fontsize=TEXT)
    _draw_image(panel, {names[axis]: input_size[axis] for axis in axes})


def receptive_field_legend(layers: Sequence[Layer]) -> list[Line2D | Patch]:
    """What the lines mean, and the marks of unbounded and unknown receptive fields where there are any."""
    handles: list[Line2D | Patch] = [
        Line2D([], [], markersize=5, label="$r_{in,max}$", **_WIDE),
        Line2D([], [], markersize=3.5, label="$r_{in,min}$, which decides", **_THIN),
        Line2D([], [], label="image extent $I$", **_IMAGE),
    ]
    if any(_is_unbounded(layer) for layer in layers):
        handles.append(Line2D([], [], color=DARK, linestyle="none", marker="^", markersize=6, label="unbounded: at the top edge"))
    if any(_is_unknown(layer) for layer in layers):
        handles.append(Patch(label="unknown: a gap", **_UNKNOWN))
    return handles


def runs(layers: Sequence[Layer], belongs: Callable[[Layer], bool]) -> list[tuple[int, int]]:
    """First and last place, from 1, of neighbouring layers that belong together."""
    groups = [(key, [place for place, _ in group]) for key, group in groupby(enumerate(layers, 1), lambda item: belongs(item[1]))]
    return [(places[0], places[-1]) for key, places in groups if key]


def _along(extents: Extents | None, axis: int) -> float | None:
    return None if extents is None else float(extents[axis])


def _is_unknown(layer: Layer) -> bool:
    return layer.r_in_min is None or layer.r_in_max is None


def _is_unbounded(layer: Layer) -> bool:
    return any(math.isinf(r) for extents in (layer.r_in_min, layer.r_in_max) if extents is not None for r in extents)


def _limits(values: Sequence[float | None], sizes: Sequence[int]) -> tuple[float, float]:
    """Lower and upper edge; farther from the values if some are unbounded, so that these stand apart."""
    known = [r for r in values if r is not None]
    finite = [r for r in known if not math.isinf(r)] + [float(size) for size in sizes]
    return min(finite) / 1.25, max(finite) * (1.4 if all(map(math.isfinite, known)) else 2.5)


def _scale(panel: Axes, bottom: float, top: float) -> None:
    panel.set_yscale("log", base=2)
    panel.set_ylim(bottom, top)
    panel.yaxis.set_major_locator(LogLocator(base=2, numticks=10))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1e5 else round_count(value)))


def _draw_image(panel: Axes, extents: dict[str, int]) -> None:
    """A line at I, or one per axis; those too close to be named apart share a name."""
    low, high = (math.log(limit) for limit in panel.get_ylim())
    rows: list[list[int]] = []
    for extent in sorted(set(extents.values())):
        panel.axhline(extent, zorder=1.5, **_IMAGE)
        if rows and math.log(extent / rows[-1][-1]) < _NEAR * (high - low):
            rows[-1].append(extent)
        else:
            rows.append([extent])
    how: dict[str, Any] = {"xycoords": panel.get_yaxis_transform(), "textcoords": "offset points", "va": "center"}
    for row in rows:
        text = f"$I$ = {'/'.join(map(str, row))}"
        if len(set(extents.values())) > 1:
            text += "\n" + "/".join(name for extent in row for name, own in extents.items() if own == extent)
        middle = math.exp(sum(map(math.log, row)) / len(row))
        panel.annotate(text, (1, middle), (4, 0), fontsize=SMALL, color=DARK, annotation_clip=False, **how)
