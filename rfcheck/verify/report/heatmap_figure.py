"""Heatmaps of probes at every position of feature maps as a figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfcheck.input_size import crossed
from rfcheck.report.figure_style import SMALL, TEXT, add_title, new_figure, plain_style, shortened

if TYPE_CHECKING:
    from matplotlib.image import AxesImage

    from rfcheck.verify.conclusions import Run
    from rfcheck.verify.records import Heatmap

_MAP = 2.0
"""Inches of a map."""
_COLUMNS = 4
_MOST_WRITTEN = 8
"""Positions per axis at most for values to be written into them."""
_TICKS = 4
_COLOURS = "cividis"
"""Even in lightness, and the same to colour-blind readers."""


@plain_style
def heatmap_figure(run: Run) -> Figure:
    """A map per layer of the accuracy of its probes relative to that of the model, with one scale of colours for all maps.

    Args:
        run: one with at least one heatmap.

    Source: Richter 2022, section 9.3 (figure 54).
    """
    maps = run.heatmaps
    columns = min(len(maps), _COLUMNS)
    rows = math.ceil(len(maps) / columns)
    figure = new_figure(max(1.3 + columns * _MAP, 4.2), 0.5 + rows * (_MAP + 0.2))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(maps) :]:
        panel.remove()
    low, high = _limits(maps)
    images = [_draw(panel, heatmap, low, high) for panel, heatmap in zip(panels, maps, strict=False)]
    add_title(figure, f"{run.name} at {crossed(run.recipe.input_size[1:])} px: probes at every position")
    bar = figure.colorbar(images[0], ax=list(panels[: len(maps)]), shrink=0.85, aspect=24)
    bar.set_label("accuracy relative to the model", fontsize=TEXT)
    bar.ax.tick_params(labelsize=SMALL)
    return figure


def _limits(maps: tuple[Heatmap, ...]) -> tuple[float, float]:
    """Ends of the scale: the lowest and highest known value, the model's own accuracy between them."""
    values = np.concatenate([np.ravel(heatmap.relative) for heatmap in maps])
    known = values[np.isfinite(values)]
    return float(known.min(initial=1.0)), float(known.max(initial=1.0))


def _draw(panel: Axes, heatmap: Heatmap, low: float, high: float) -> AxesImage:
    values = np.asarray(heatmap.relative, dtype=float)
    image = panel.imshow(values, cmap=_COLOURS, vmin=low, vmax=max(high, low + 1e-3), interpolation="nearest")
    panel.set_title(shortened(heatmap.layer), fontsize=SMALL).set_parse_math(False)
    rows, columns = values.shape
    panel.set_yticks(range(0, rows, -(-rows // _TICKS)))
    panel.set_xticks(range(0, columns, -(-columns // _TICKS)))
    panel.tick_params(labelsize=SMALL - 1, width=0.6, length=3)
    if max(values.shape) <= _MOST_WRITTEN:
        _write_values(panel, image, values)
    return image


def _write_values(panel: Axes, image: AxesImage, values: np.ndarray) -> None:
    """The value of every position, light on dark and dark on light."""
    size = min(SMALL, 0.34 * 72 * _MAP / max(values.shape))
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = mpl.colormaps[_COLOURS](image.norm(value))
        is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
        text = "?" if math.isnan(value) else f"{value:.2f}"
        panel.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if is_dark else "black")
