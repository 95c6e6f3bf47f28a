"""A sweep over resolutions as a figure: what is in use, what it costs, and where the border lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, MultipleLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from rfcheck.report.figure_style import (
    BLUE,
    DARK,
    GREEN,
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
    shortened,
)
from rfcheck.sweeping import ModelSweep, SweepPoint, feasible_spans

_WIDTH, _HEIGHT = 6.4, 5.8
_MOST_NAMES = 8
_LABEL = 0.095
"""Least distance of two labels on a vertical axis, as a share of the bottom panel's height."""
_DIGIT = 0.025
"""Room of one digit on the horizontal axis, as a share of a panel's width."""
_VISIBLE = 0.01
"""Least share of a panel's width at which a shaded range is seen."""
_ROOM = 1.15
"""Height of the bottom panel per distance between its lowest and highest point."""


def sweep_picture(swept: ModelSweep, ending: str) -> bytes:
    """The figure as a file.

    Args:
        swept: what to draw.
        ending: "png", "svg" or "pdf".
    """
    return figure_bytes(sweep_figure(swept), ending)


@plain_style
def sweep_figure(swept: ModelSweep) -> Figure:
    """Three panels over the resolution: shares in use, FLOPs on a logarithmic scale, and the place of b_min.

    The feasible range is shaded in all of them; a cross marks a resolution at which the forward pass fails. Nothing outside the
    figure is touched, pyplot and its settings included.
    """
    points = sorted(swept.points, key=lambda point: point.resolution)
    figure = new_figure(_WIDTH, _HEIGHT)
    panels = top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(1, 0.85, 1.1))
    add_title(figure, swept.target)
    _set_horizontal(bottom, [point.resolution for point in points])
    for panel in panels:
        decorate(panel)
    _draw_shares(top, points)
    _draw_flops(middle, points)
    _draw_border(bottom, points)
    for panel in panels:
        _shade(panel, points)
        _cross_failures(panel, points)
    top.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.11), ncols=3, fontsize=SMALL, frameon=False, borderaxespad=0)
    figure.align_ylabels(panels)
    return figure


def _set_horizontal(panel: Axes, resolutions: Sequence[int]) -> None:
    """Scale, limits with a margin, and ticks at the resolutions where they have room, else at round numbers of pixels.

    The scale is the one, linear or logarithmic, on which the closest two resolutions are farther apart.
    """
    low, high = resolutions[0], resolutions[-1]
    panel.set_xlabel("resolution $I$ (px)", fontsize=TEXT)
    if low == high:
        panel.set_xlim(low * 0.75 - 1, high * 1.25 + 1)
        panel.set_xticks([low])
        return
    room = _DIGIT * len(str(high))
    closest = _closest([float(r) for r in resolutions])
    closest_log = _closest([math.log2(r) for r in resolutions])
    if closest_log > closest:
        margin = (high / low) ** 0.04
        panel.set_xscale("log", base=2)
        panel.set_xlim(low / margin, high * margin)
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        panel.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    if max(closest, closest_log) >= room:
        panel.xaxis.set_major_locator(FixedLocator(list(resolutions)))
    elif closest_log <= closest:
        steps = (2**n for n in range(31))
        panel.xaxis.set_major_locator(MultipleLocator(next(step for step in steps if step >= room * (high - low))))


def _closest(places: Sequence[float]) -> float:
    """Least distance of neighbours, as a share of the whole extent."""
    return min(b - a for a, b in pairwise(places)) / (places[-1] - places[0])


def _draw_line(
    panel: Axes, points: Sequence[SweepPoint], value: Callable[[SweepPoint], float | None], colour: str, **how: str
) -> list[float]:
    """A line with a gap where there is no value; returns the values, nan for none."""
    heights = [math.nan if (height := value(point)) is None else height for point in points]
    resolutions = [point.resolution for point in points]
    size = (3.5 if len(points) <= 60 else 1.5) * (1.5 if how.get("marker") == "s" else 1.0)
    panel.plot(resolutions, heights, color=colour, linewidth=1.4, markersize=size, **{"marker": "o", **how})  # type: ignore[arg-type]
    return heights


def _draw_shares(panel: Axes, points: Sequence[SweepPoint]) -> None:
    _draw_line(panel, points, lambda point: _percent(point.live_taps), ORANGE, label="live taps", linestyle="--", marker="s")
    _draw_line(panel, points, lambda point: _percent(point.productive_share), BLUE, label="productive layers")
    panel.set_ylim(-4, 104)
    panel.yaxis.set_major_locator(MultipleLocator(25))
    panel.set_ylabel("share in use (%)", fontsize=TEXT)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _draw_flops(panel: Axes, points: Sequence[SweepPoint]) -> None:
    heights = _draw_line(panel, points, lambda point: point.flops or None, DARK)
    panel.set_ylabel("FLOPs", fontsize=TEXT)
    known = [height for height in heights if not math.isnan(height)]
    if not known:
        panel.set_yticks([])
        return
    panel.set_yscale("log")
    panel.set_ylim(min(known) / 1.6, max(known) * 1.6)
    has_decades = max(known) / min(known) > 300
    panel.yaxis.set_major_locator(LogLocator(subs=(1.0,) if has_decades else (1.0, 2.0, 5.0)))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: round_count(value)))


def _draw_border(panel: Axes, points: Sequence[SweepPoint]) -> None:
    """Place of b_min among the judged layers; "no tail" stands apart, above the last of them."""
    places = {point.border_position: point.border_min or "" for point in points if point.border_position is not None}
    low, high = min(places, default=1), max(places, default=1)
    beyond = high + max(1.0, _LABEL * _ROOM * 1.3 * (high - low))
    heights = _draw_line(panel, points, lambda p: None if p.failure is not None else p.border_position or beyond, DARK)
    top = beyond if beyond in heights else float(high)
    span = max(top - low, 1.0)
    margin = (_ROOM - 1) / 2 * span
    panel.set_ylim(low - margin, top + margin)
    panel.set_ylabel("border layer $b_{min}$", fontsize=TEXT)
    names = {float(place): shortened(name) for place, name in places.items()}
    if len(names) > _MOST_NAMES:
        ticks = MaxNLocator(5, integer=True).tick_values(low, high)
        names = {float(tick): f"layer {tick:g}" for tick in ticks if low <= tick <= high}
    if beyond in heights:
        names[beyond] = "no tail"
    kept = _apart(list(names), _LABEL * _ROOM * span)
    panel.set_yticks(kept, [names[place] for place in kept])


def _apart(places: Sequence[float], distance: float) -> list[float]:
    """As many of the places as keep the distance, from the highest down."""
    kept: list[float] = []
    for place in sorted(places, reverse=True):
        if not kept or kept[-1] - place >= distance:
            kept.append(place)
    return kept[::-1]


def _shade(panel: Axes, points: Sequence[SweepPoint]) -> None:
    """The feasible range as far as the panel shows it, with its name above."""
    left, right = panel.get_xlim()
    spans = feasible_spans(points)
    for low, high in spans:
        if low < right and high > left:
            panel.axvspan(max(low, left), min(high, right), color=GREEN, alpha=0.12, linewidth=0, zorder=0)
    text, place = _range_label(points, spans, [_across(panel, span) for span in spans])
    align = "left" if place < 0.25 else "right" if place > 0.75 else "center"
    at = {"left": 0.0, "right": 1.0, "center": place}[align]
    colour = GREEN if spans else GREY
    panel.text(at, 1.02, text, transform=panel.transAxes, color=colour, fontsize=SMALL - 1, ha=align, va="bottom")


def _across(panel: Axes, span: tuple[float, float]) -> tuple[float, float]:
    """The ends of a span as shares of the panel's width; what it does not show is at its edges."""
    left, right = panel.get_xlim()
    to_share = panel.transData + panel.transAxes.inverted()
    start, end = (to_share.transform((min(max(x, left), right), panel.get_ylim()[1]))[0] for x in span)
    return float(start), float(end)


def _range_label(
    points: Sequence[SweepPoint], spans: Sequence[tuple[float, float]], across: Sequence[tuple[float, float]]
) -> tuple[str, float]:
    """What stands above the feasible range, and where: the share of the panel's width at which its middle is."""
    if not spans:
        analysed = [point for point in points if point.failure is None]
        is_unknown = bool(analysed) and all(point.in_range is None for point in analysed)
        return "feasible range unknown" if is_unknown else "no resolution here is in the feasible range", 1.0
    texts = [f"from {low:g} px" if math.isinf(high) else f"{low:g}–{high:g} px" for low, high in spans]
    text = f"feasible: {', '.join(texts)}"
    start, end = max(across, key=lambda ends: ends[1] - ends[0])
    if end - start < _VISIBLE:
        return (f"{text} →", 1.0) if start > 0.5 else (f"← {text}", 0.0)
    return text, (start + end) / 2


def _cross_failures(panel: Axes, points: Sequence[SweepPoint]) -> None:
    failed = [point.resolution for point in points if point.failure is not None]
    if failed:
        at = blended_transform_factory(panel.transData, panel.transAxes)
        how = {"color": RED, "linestyle": "none", "marker": "x", "label": "forward pass fails"}
        panel.plot(failed, [0.06] * len(failed), transform=at, markersize=4.5, **how)  # type: ignore[arg-type]
