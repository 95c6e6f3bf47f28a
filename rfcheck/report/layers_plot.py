"""The layers of a network as a figure: what each sees against the image, where the borders lie, and what each costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rfcheck.analysis.layers import Layer
from rfcheck.input_size import crossed
from rfcheck.report.figure_style import (
    GREY,
    RED,
    SMALL,
    TEXT,
    decorate,
    figure_bytes,
    new_figure,
    plain_style,
    round_count,
    shortened,
)
from rfcheck.report.receptive_field_panel import axes_alike, draw_receptive_fields, receptive_field_legend, runs

_NARROWEST, _WIDEST = 6.4, 13.0
_COLUMN = 0.17
"""Inches that a layer with a name under it needs."""
_MARGIN = 1.5
"""Inches beside the panels."""
_RECEPTIVE, _COST, _AROUND = 2.7, 0.95, 1.5
"""Inches of a panel of receptive fields, of that of FLOPs, and of what stands around them."""
_LETTER = 0.065
"""Inches of a letter of small text."""
_ROW = 10.0
"""Points between two lines of small text."""
_LONGEST_NAME = 40
_KEY = 0.6
"""Inches of an entry of the legend beside its text."""
_STEPS: list[int] = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]


@dataclass(frozen=True, slots=True)
class _Border:
    """A border layer as a vertical bar: what it is called, where it is, and how it looks."""

    symbol: str
    name: str
    place: int
    colour: str
    line: Any


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
    """The judged layers in execution order: r_min and r_max of their outputs on a logarithmic scale against I, and their FLOPs.

    b_min and b_max are vertical bars, the tail is shaded. Image axes along which the layers see differently have a panel each. An
    unbounded receptive field is at the top edge, an unknown one is a gap; the legend says so.

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
    borders = _borders(judged, border_min, border_max)
    step = _naming_step(len(judged))
    named = [shortened(layer.name, _LONGEST_NAME) for layer in judged[::step]]
    width = min(max(_NARROWEST, _MARGIN + _COLUMN * len(judged)), _WIDEST)
    heights = [_RECEPTIVE] * len(alike) + [_COST]
    figure = new_figure(width, sum(heights) + _AROUND + _LETTER * max(map(len, named), default=0))
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    title = figure.suptitle(f"{name} at {crossed(input_size)} px", fontsize=TEXT + 1, x=0.02, ha="left")
    title.set_parse_math(False)
    for panel in panels:
        decorate(panel)
        for first, last in runs(judged, lambda layer: layer.in_tail):
            panel.axvspan(first - 0.5, last + 0.5, color=RED, alpha=0.1, linewidth=0, zorder=0)
    for axes, panel in zip(alike, panels, strict=False):
        draw_receptive_fields(panel, judged, axes, input_size)
        for border in borders:
            panel.axvline(border.place, color=border.colour, linewidth=1.8, linestyle=border.line, zorder=1.8)
    _name_borders(panels[0], borders, len(judged), width - _MARGIN)
    _draw_flops(panels[-1], judged, tail_share)
    _name_layers(panels[-1], named, len(judged), step, width - _MARGIN)
    figure.align_ylabels(panels)
    _add_legend(figure, judged)
    return figure


def _naming_step(count: int) -> int:
    """1 if all layers can be named, else every how many-th."""
    most = int((_WIDEST - _MARGIN) / _COLUMN)
    return next(step for step in _STEPS if count <= step * most)


def _borders(judged: Sequence[Layer], border_min: str | None, border_max: str | None) -> list[_Border]:
    """b_min and b_max as far as there are any; one border where they are the same layer."""
    place = {layer.name: place for place, layer in enumerate(judged, 1)}
    if border_min is not None and border_min == border_max:
        return [_Border("$b_{min}$ = $b_{max}$", border_min, place[border_min], RED, "-")]
    known = (("$b_{min}$", border_min, RED, "-"), ("$b_{max}$", border_max, GREY, (0, (2, 1.2))))
    return [_Border(symbol, name, place[name], colour, line) for symbol, name, colour, line in known if name is not None]


def _name_borders(panel: Axes, borders: Sequence[_Border], count: int, inches: float) -> None:
    """The borders' names above the panel, a line each, on that side of the bar where there is room.

    Args:
        panel: the topmost.
        borders: what to name.
        count: number of layers in the panel.
        inches: width of the panel, about.
    """
    how: dict[str, Any] = {"xycoords": panel.get_xaxis_transform(), "textcoords": "offset points", "va": "bottom"}
    for row, border in enumerate(borders):
        name = shortened(border.name, _LONGEST_NAME)
        text = f"{border.symbol} " + name.replace("$", r"\$")
        side = "left" if (count - border.place) / count * inches > len(text) * _LETTER else "right"
        above = 7 + row * _ROW
        label = panel.annotate(text, (border.place, 1), (0, above), fontsize=SMALL, color=border.colour, ha=side, **how)
        label.set_annotation_clip(False)


def _draw_flops(panel: Axes, judged: Sequence[Layer], tail_share: float) -> None:
    colours = [RED if layer.in_tail else "0.55" for layer in judged]
    width = 0.8 if len(judged) <= 100 else 1.0
    panel.bar(range(1, len(judged) + 1), [layer.flops for layer in judged], color=colours, width=width)
    panel.set_ylabel("FLOPs", fontsize=TEXT)
    panel.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: round_count(value)))
    panel.set_ylim(bottom=0, top=None if any(layer.flops for layer in judged) else 1)
    has_tail = any(layer.in_tail for layer in judged)
    text, colour = (f"tail: {tail_share:.1%} of all FLOPs", RED) if has_tail else ("no tail", GREY)
    panel.text(1, 1.02, text, transform=panel.transAxes, fontsize=SMALL, color=colour, ha="right", va="bottom")


def _name_layers(panel: Axes, names: Sequence[str], count: int, step: int, inches: float) -> None:
    """Names under the bars, upright where they are short."""
    is_short = max(map(len, names), default=0) * _LETTER < 0.7 * inches / max(len(names), 1)
    panel.set_xlim(0.3, max(count, 1) + 0.7)
    panel.set_xticks(range(1, count + 1, step), names, rotation=0 if is_short else 90, fontsize=SMALL - 1)
    for label in panel.get_xticklabels():
        label.set_parse_math(False)
    which = "" if step == 1 else f", one in {step} named"
    panel.set_xlabel(f"judged layers in execution order{which}" if count else "no judged layers", fontsize=TEXT)


def _add_legend(figure: Figure, judged: Sequence[Layer]) -> None:
    handles = receptive_field_legend(judged)
    if any(layer.in_tail for layer in judged):
        handles.append(Patch(color=RED, alpha=0.25, linewidth=0, label="tail"))
    needed = sum(_KEY + _LETTER * len(str(handle.get_label())) for handle in handles)
    columns = len(handles) if needed < figure.get_figwidth() else 3
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, fontsize=SMALL, frameon=False)
