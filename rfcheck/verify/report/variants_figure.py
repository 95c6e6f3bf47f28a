"""The differences of fixed variants to the original as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfcheck.input_size import crossed
from rfcheck.report.figure_style import BLUE, DARK, GREY, SMALL, TEXT, add_title, decorate, new_figure, plain_style, shortened
from rfcheck.verify.report.points import change_in_percent, points_with_interval

if TYPE_CHECKING:
    from rfcheck.verify.conclusions import Run, VariantResult
    from rfcheck.verify.records import Interval

_WIDTH = 6.4
_ROW, _AROUND = 0.48, 1.45
"""Inches of a row, and of what stands around the rows."""
_SEEDS = 0.22
"""How far the seeds lie below their interval, in rows."""

_INTERVAL: dict[str, Any] = {"color": BLUE, "linewidth": 2.0, "marker": "|", "markersize": 7}
_SQUARE: dict[str, Any] = {"marker": "s", "markersize": 5.5}
_SEED: dict[str, Any] = {"color": GREY, "linestyle": "none", "marker": "o", "markersize": 2.5}


@plain_style
def variants_figure(run: Run) -> Figure:
    """A row per changed model: the difference of its accuracy to that of the original with the 95% interval, and of each seed.

    A filled square means that the interval does not contain zero. What the change saves is below the name.

    Args:
        run: one with at least one variant besides the original.
    """
    original, *changed = run.judgement.variants
    figure = new_figure(_WIDTH, _AROUND + _ROW * len(changed))
    panel = figure.subplots()
    decorate(panel)
    panel.grid(visible=False, axis="y")
    panel.grid(axis="x", color="0.9", linewidth=0.6)
    add_title(figure, f"{run.name} at {crossed(run.recipe.input_size[1:])} px: fixes against the original")
    panel.axvline(0, color=DARK, linewidth=1.0, zorder=1.5)
    for row, result in enumerate(changed):
        if result.difference is not None:
            _draw_interval(panel, row, result.difference)
        if len(result.accuracies) > 1:
            _draw_seeds(panel, row, original, result)
    _set_rows(panel, original, changed)
    panel.set_xlabel(f"difference to the test accuracy of the original, {100 * original.mean.value:.1f}% (points)", fontsize=TEXT)
    figure.legend(handles=_handles(original), loc="outside lower left", ncols=3, fontsize=SMALL, frameon=False)
    return figure


def _draw_interval(panel: Axes, row: int, difference: Interval) -> None:
    ends = [100 * difference.low, 100 * difference.high]
    panel.plot(ends, [row, row], label="95% interval", **_INTERVAL)
    excludes_zero = difference.low > 0 or difference.high < 0
    face = BLUE if excludes_zero else "white"
    panel.plot([100 * difference.value], [row], color=BLUE, markerfacecolor=face, label="difference", **_SQUARE)


def _draw_seeds(panel: Axes, row: int, original: VariantResult, result: VariantResult) -> None:
    differences = [100 * (own - other) for own, other in zip(result.accuracies, original.accuracies, strict=True)]
    panel.plot(differences, [row + _SEEDS] * len(differences), label="seeds", **_SEED)


def _set_rows(panel: Axes, original: VariantResult, changed: Sequence[VariantResult]) -> None:
    """Names and savings at the left, numbers at the right, the first row on top."""
    panel.set_ylim(len(changed) - 0.4, -0.5)
    names = [f"{shortened(result.variant.name)}\n{_savings(original, result)}" for result in changed]
    panel.set_yticks(range(len(changed)), names, fontsize=SMALL)
    place: dict[str, Any] = {"xycoords": panel.get_yaxis_transform(), "textcoords": "offset points", "annotation_clip": False}
    for row, result in enumerate(changed):
        if result.difference is not None:
            text = points_with_interval(result.difference).replace("-", "\N{MINUS SIGN}")
            panel.annotate(text, (1, row), (6, 0), fontsize=SMALL, va="center", **place)


def _savings(original: VariantResult, result: VariantResult) -> str:
    """What the change does to the cost: "FLOPs -50%, time -31%"."""
    flops = change_in_percent(original.variant.flops, result.variant.flops)
    time = change_in_percent(original.seconds_per_image, result.seconds_per_image)
    changes = ", ".join(f"{name} {text}" for name, text in (("FLOPs", flops), ("time", time)) if text)
    return changes.replace("-", "\N{MINUS SIGN}")


def _handles(original: VariantResult) -> list[Line2D]:
    handles = [
        Line2D([], [], markeredgecolor=BLUE, markerfacecolor=BLUE, label="95% interval excludes zero", **{**_INTERVAL, **_SQUARE}),
        Line2D([], [], markeredgecolor=BLUE, markerfacecolor="white", label="contains zero", **{**_INTERVAL, **_SQUARE}),
    ]
    return handles if len(original.accuracies) == 1 else [*handles, Line2D([], [], label="single seeds", **_SEED)]
