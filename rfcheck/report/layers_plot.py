"""The layers of a network as a figure: what each sees against the image, where the borders lie, and what each costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rfcheck.analysis.layers import Layer
from rfcheck.input_size import crossed
from rfcheck.report.figure_style import (
    GREY,
    ORANGE,
    RED,
    SMALL,
    TEXT,
    add_title,
    decorate,
    figure_bytes,
    new_figure,
    plain_style,
    round_count,
)
from rfcheck.report.layer_axis import LETTER, LayerBar, draw_bars, figure_width, name_bars, names_height, set_layer_axis
from rfcheck.report.receptive_field_panel import axes_alike, draw_receptive_fields, receptive_field_legend, runs

_RECEPTIVE, _COST, _AROUND = 2.7, 0.95, 1.5
"""Inches of a panel of receptive fields, of that of FLOPs, and of what stands around them."""
_KEY = 0.6
"""Inches of an entry of the legend beside its text."""
_TAIL: dict[str, Any] = {"color": RED, "alpha": 0.1, "linewidth": 0}
_BESIDE: dict[str, Any] = {"facecolor": ORANGE, "alpha": 0.3, "linewidth": 0, "hatch": "...", "edgecolor": "white"}


def layers_picture(
    layers: Sequence[Layer],
    ending: str,
    *,
    name: str,
    input_size: tuple[int, ...],
    border_min: str | None,
    border_max: str | None,
    tail_share: float,
) -> bytes:
    """The figure as a file; the same layers give the same bytes.

    Args:
        layers: as for `layers_figure`, like all others but ``ending``.
        ending: "png", "svg" or "pdf".
        name: how the model is called.
        input_size: I, in pixels per image axis.
        border_min: name of b_min.
        border_max: name of b_max.
        tail_share: the tail's share of all FLOPs, from 0 to 1.
    """
    figure = layers_figure(
        layers, name=name, input_size=input_size, border_min=border_min, border_max=border_max, tail_share=tail_share
    )
    return figure_bytes(figure, ending)


@plain_style
def layers_figure(
    layers: Sequence[Layer],
    *,
    name: str,
    input_size: tuple[int, ...],
    border_min: str | None,
    border_max: str | None,
    tail_share: float,
) -> Figure:
    """The judged layers in execution order: r_min and r_max of their inputs on a logarithmic scale against I, and their FLOPs.

    b_min and b_max are vertical bars. The tail is shaded, and so are the other unproductive layers, in another colour. Image axes
    along which the layers see differently have a panel each. An unbounded receptive field is at the top edge, an unknown one is a
    gap; the legend says so.

    Args:
        layers: all layers of a network, in execution order.
        name: how the model is called.
        input_size: I, in pixels per image axis.
        border_min: name of b_min; None if there is no tail.
        border_max: name of b_max; None if there is none.
        tail_share: the tail's share of all FLOPs, from 0 to 1.

    Source: Richter 2022, sections 9.3 and 10.2 (figures 59 and 60).
    """
    judged = [layer for layer in layers if layer.judged]
    alike = axes_alike(judged, len(input_size))
    names = [layer.name for layer in judged]
    borders = _borders(names, border_min, border_max)
    heights = [_RECEPTIVE] * len(alike) + [_COST]
    figure = new_figure(figure_width(len(names)), sum(heights) + _AROUND + names_height(names))
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    add_title(figure, f"{name} at {crossed(input_size)} px")
    for panel in panels:
        decorate(panel)
        for belongs, how in ((_is_in_tail, _TAIL), (_is_beside_tail, _BESIDE)):
            for first, last in runs(judged, belongs):
                panel.axvspan(first - 0.5, last + 0.5, zorder=0, **how)
    for axes, panel in zip(alike, panels, strict=False):
        draw_receptive_fields(panel, judged, axes, input_size)
        draw_bars(panel, borders)
    name_bars(panels[0], borders, len(names))
    _draw_flops(panels[-1], judged, tail_share)
    set_layer_axis(panels[-1], names, "judged")
    figure.align_ylabels(panels)
    _add_legend(figure, judged)
    return figure


def _is_in_tail(layer: Layer) -> bool:
    return layer.in_tail


def _is_beside_tail(layer: Layer) -> bool:
    """Whether a layer is unproductive and something productive follows it."""
    return layer.productive is False and not layer.in_tail


def _borders(names: Sequence[str], border_min: str | None, border_max: str | None) -> list[LayerBar]:
    """b_min and b_max as far as there are any; one border where they are the same layer."""
    place = {name: place for place, name in enumerate(names, 1)}
    if border_min is not None and border_min == border_max:
        return [LayerBar("$b_{min}$ = $b_{max}$", border_min, place[border_min], RED, "-")]
    known = (("$b_{min}$", border_min, RED, "-"), ("$b_{max}$", border_max, GREY, (0, (2, 1.2))))
    return [LayerBar(symbol, name, place[name], colour, line) for symbol, name, colour, line in known if name is not None]


def _draw_flops(panel: Axes, judged: Sequence[Layer], tail_share: float) -> None:
    colours = [RED if _is_in_tail(layer) else ORANGE if _is_beside_tail(layer) else "0.55" for layer in judged]
    width = 0.8 if len(judged) <= 100 else 1.0
    panel.bar(range(1, len(judged) + 1), [layer.flops for layer in judged], color=colours, width=width)
    panel.set_ylabel("FLOPs", fontsize=TEXT)
    panel.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: round_count(value)))
    panel.set_ylim(bottom=0, top=None if any(layer.flops for layer in judged) else 1)
    has_tail = any(layer.in_tail for layer in judged)
    text, colour = (f"tail: {tail_share:.1%} of all FLOPs", RED) if has_tail else ("no tail", GREY)
    panel.text(1, 1.02, text, transform=panel.transAxes, fontsize=SMALL, color=colour, ha="right", va="bottom")


def _add_legend(figure: Figure, judged: Sequence[Layer]) -> None:
    handles = receptive_field_legend(judged)
    if any(map(_is_in_tail, judged)):
        handles.append(Patch(color=RED, alpha=0.25, linewidth=0, label="tail"))
    if any(map(_is_beside_tail, judged)):
        handles.append(Patch(label="unproductive, not in the tail", **_BESIDE))
    needed = sum(_KEY + LETTER * len(str(handle.get_label())) for handle in handles)
    columns = len(handles) if needed < figure.get_figwidth() else 3
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, fontsize=SMALL, frameon=False)
