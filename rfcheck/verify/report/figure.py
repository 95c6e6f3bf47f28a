"""The figure of a verification: probes and saturation over the layers, and below them the receptive fields against the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from rfcheck.input_size import crossed
from rfcheck.report.figure_style import (
    DARK,
    GREEN,
    RED,
    SMALL,
    TEXT,
    add_title,
    decorate,
    new_figure,
    plain_style,
)
from rfcheck.report.layer_axis import LETTER, LayerBar, draw_bars, figure_width, name_bars, names_height, set_layer_axis
from rfcheck.report.receptive_field_panel import axes_alike, draw_receptive_fields, receptive_field_legend, runs

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Layer
    from rfcheck.verify.conclusions import MeasuredLayer, Run

_CURVES, _RECEPTIVE, _AROUND = 2.8, 1.8, 1.8
"""Inches of the panel of probes and saturation, of one of receptive fields, and of what stands around them."""

_PROBE: dict[str, Any] = {"color": GREEN, "linewidth": 1.8, "marker": "o"}
_SATURATION: dict[str, Any] = {"color": RED, "linewidth": 1.2, "marker": "D", "linestyle": (0, (4, 1.5))}
_MODEL: dict[str, Any] = {"color": DARK, "linewidth": 1.1, "linestyle": (0, (1, 1.5))}
_SKIPPED: dict[str, Any] = {"color": GREEN, "marker": "o", "markerfacecolor": "white", "linestyle": "none"}
_TAIL: dict[str, Any] = {"facecolor": "0.55", "alpha": 0.22, "linewidth": 0}


@plain_style
def run_figure(run: Run) -> Figure:
    """The measured layers in execution order: probes with their 95% interval, and saturation; r_in_min and r_in_max against I.

    The predicted border layer is a black bar, the predicted tail is shaded, a broken bar marks the layer from which no later probe
    improves, and a dotted line the accuracy of the model itself. Probes of skipped layers are open circles. With several seeds a
    band shows the lowest and highest saturation of them. Image axes along which the layers see differently have a panel each.

    Args:
        run: what was measured.

    Source: Richter 2022, sections 8.5 and 9.3 (figure 52).
    """
    judgement = run.judgement
    layers = [measured.layer for measured in judgement.layers]
    names = [layer.name for layer in layers]
    size = run.recipe.input_size[1:]
    spatial = _without_head(layers)
    alike = axes_alike(spatial, len(size)) if spatial else []
    heights = [_CURVES, *[_RECEPTIVE] * len(alike)]
    figure = new_figure(figure_width(len(names)), sum(heights) + _AROUND + names_height(names))
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    add_title(figure, f"{run.name} at {crossed(size)} px: {judgement.status}")
    bars = _bars(run, names)
    for panel in panels:
        _prepare(panel, layers, bars)
    _draw_curves(panels[0], run)
    for axes, panel in zip(alike, panels[1:], strict=True):
        draw_receptive_fields(panel, spatial, axes, size)
    name_bars(panels[0], bars, len(names))
    set_layer_axis(panels[-1], names, "measured")
    figure.align_ylabels(panels)
    handles = _handles(run) + (receptive_field_legend(spatial) if spatial else [])
    figure.legend(handles=handles, loc="outside lower left", ncols=_columns(handles, figure), fontsize=SMALL, frameon=False)
    return figure


def _without_head(layers: Sequence[Layer]) -> list[Layer]:
    """The layers up to the last that is not in the head, whose receptive fields are unbounded."""
    last = max((place for place, layer in enumerate(layers, 1) if layer.role != "head"), default=0)
    return list(layers[:last])


def _bars(run: Run, names: Sequence[str]) -> list[LayerBar]:
    """The border layer and the plateau, as far as there are any; where they are the same layer, the black bar says so."""
    border, plateau = run.judgement.variants[0].variant.border, run.judgement.plateau
    place = {name: place for place, name in enumerate(names, 1)}
    bars = []
    if border in place:
        symbol = "$b_{min}$ and plateau:" if border == plateau else "$b_{min}$"
        bars.append(LayerBar(symbol, border, place[border], "black", "-", 2.6))
    if plateau in place and plateau != border:
        bars.append(LayerBar("plateau from", plateau, place[plateau], GREEN, (0, (3, 1, 1, 1)), 2.0))
    return bars


def _prepare(panel: Axes, layers: Sequence[Layer], bars: Sequence[LayerBar]) -> None:
    decorate(panel)
    for first, last in runs(layers, lambda layer: layer.in_tail):
        panel.axvspan(first - 0.5, last + 0.5, zorder=0, **_TAIL)
    draw_bars(panel, bars)


def _draw_curves(panel: Axes, run: Run) -> None:
    measured = run.judgement.layers
    places = range(1, len(measured) + 1)
    size = 3.6 if len(measured) <= 60 else 1.8
    lows, highs = _saturation_ranges(run)
    panel.fill_between(places, lows, highs, color=RED, alpha=0.2, linewidth=0, label="saturation, range over the seeds")
    panel.plot(places, [100 * one.saturation for one in measured], markersize=size, label="saturation", **_SATURATION)
    low, high = [100 * one.accuracy.low for one in measured], [100 * one.accuracy.high for one in measured]
    panel.fill_between(places, low, high, color=GREEN, alpha=0.22, linewidth=0, label="probe, 95% interval")
    panel.plot(places, [100 * one.accuracy.value for one in measured], markersize=size, label="probe", **_PROBE)
    skipped = [(place, 100 * one.accuracy.value) for place, one in zip(places, measured, strict=True) if one.skipped]
    if skipped:
        panel.plot(*zip(*skipped, strict=True), markersize=size * 1.2, label="skipped", zorder=3, **_SKIPPED)
    panel.axhline(100 * run.judgement.variants[0].mean.value, label="model", zorder=1.5, **_MODEL)
    panel.set_ylim(0, 102)
    panel.yaxis.set_major_locator(MultipleLocator(20))
    panel.set_ylabel("accuracy, saturation (%)", fontsize=TEXT)


def _saturation_ranges(run: Run) -> tuple[list[float], list[float]]:
    """Lowest and highest saturation of every layer over the seeds of the original, in percent; nan where none is known."""
    by_layer: dict[str, list[float]] = {measured.layer.name: [] for measured in run.judgement.layers}
    for measurement in run.measurements:
        if measurement.variant == run.judgement.variants[0].variant.name:
            for one in measurement.saturation.get("train", ()):
                if one.layer in by_layer and not math.isnan(one.saturation):
                    by_layer[one.layer].append(100 * one.saturation)
    values = list(by_layer.values())
    return [min(v, default=math.nan) for v in values], [max(v, default=math.nan) for v in values]


def _handles(run: Run) -> list[Line2D | Patch]:
    measured: Sequence[MeasuredLayer] = run.judgement.layers
    handles: list[Line2D | Patch] = [
        Line2D([], [], markersize=4, label="probe, 95% interval", **_PROBE),
        Line2D([], [], markersize=4, label=f"saturation{', range over seeds' * (run.recipe.seeds > 1)}", **_SATURATION),
        Line2D([], [], label="accuracy of the model", **_MODEL),
    ]
    if any(one.skipped for one in measured):
        handles.append(Line2D([], [], markersize=5, label="skipped layer", **_SKIPPED))
    if any(one.layer.in_tail for one in measured):
        handles.append(Patch(label="predicted tail", **_TAIL))
    return handles


def _columns(handles: Sequence[Line2D | Patch], figure: Figure) -> int:
    """As many columns as the longest label leaves room for."""
    longest = max(len(str(handle.get_label())) for handle in handles) * LETTER + 0.6
    return max(1, int(figure.get_figwidth() / longest))
