"""The figures of a verification as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.report.figure_style import figure_bytes
from rfcheck.verify.report.figure import run_figure
from rfcheck.verify.report.heatmap_figure import heatmap_figure
from rfcheck.verify.report.variants_figure import variants_figure

if TYPE_CHECKING:
    from rfcheck.verify.conclusions import Run


def pictures(run: Run) -> dict[str, bytes]:
    """PNG files by name: "report", "variants" where fixes were trained, "heatmaps" where any were asked for.

    The same run gives the same bytes.
    """
    figures = {"report": run_figure(run)}
    if len(run.judgement.variants) > 1:
        figures["variants"] = variants_figure(run)
    if run.heatmaps:
        figures["heatmaps"] = heatmap_figure(run)
    return {name: figure_bytes(figure, "png") for name, figure in figures.items()}
