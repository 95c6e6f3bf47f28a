"""An analysis in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rfcheck.analysis.layers import Layer
from rfcheck.input_size import crossed
from rfcheck.report.tables import status
from rfcheck.report.units import extents, short

if TYPE_CHECKING:
    from rfcheck.api import Analysis

_COLOURS = {"tail": "#c0392b", "unproductive": "#b9770e"}


def analysis_to_html(analysis: Analysis) -> str:
    """A heading, the findings, and a table of the layers."""
    findings = "".join(f"<li><b>{escape(f.code)}</b> {escape(f.severity)}: {escape(f.message)}</li>" for f in analysis.findings)
    rows = "".join(_row(layer) for layer in analysis.layers)
    size = crossed((analysis.network.channels, *analysis.input_size))
    cost = f"{short(analysis.params)} parameters, {short(analysis.flops, 'FLOPs')}"
    columns = "".join(
        f"<th>{name}</th>" for name in ("layer", "kind", "kernel", "out", "r_in_min", "r_max", "params", "FLOPs", "status")
    )
    return (
        f"<div><b>{escape(analysis.name)}</b> at {size}: {cost}<ul>{findings}</ul>"
        f"<details><summary>{len(analysis.layers)} layers</summary><table><tr>{columns}</tr>{rows}</table></details></div>"
    )


def _row(layer: Layer) -> str:
    word = status(layer)
    cells = [
        layer.name,
        layer.kind,
        crossed(layer.kernel or ()),
        crossed(layer.out_size),
        extents(layer.r_in_min),
        extents(layer.r_max),
        short(layer.params),
        short(layer.flops),
        word,
    ]
    style = f' style="color: {_COLOURS[word]}"' if word in _COLOURS else ""
    return f"<tr{style}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
