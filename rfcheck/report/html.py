"""An analysis in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rfcheck.analysis.layers import Layer
from rfcheck.input_size import crossed, input_text
from rfcheck.linting.finding import Finding
from rfcheck.report.description import describe
from rfcheck.report.html_bars import bars_svg
from rfcheck.report.result import plural
from rfcheck.report.snapshot import snapshot_of
from rfcheck.report.tables import status
from rfcheck.report.units import extents, short
from rfcheck.report.xml_text import xml_text

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis

_GROUNDS = {
    "tail": "rgba(221, 85, 64, 0.2)",
    "unproductive": "rgba(217, 147, 15, 0.2)",
    "error": "rgba(221, 85, 64, 0.3)",
    "warning": "rgba(217, 147, 15, 0.3)",
    "info": "rgba(47, 143, 201, 0.3)",
}
"""Pale grounds under text in the notebook's own colour, light or dark."""

_COLUMNS = ("layer", "kind", "kernel", "out", "r_in_min", "r_max", "params", "FLOPs", "status")
_MOST = 3
"""Findings of one rule that are shown at once."""
_TEXT_COLUMNS = ("layer", "kind", "status")


def analysis_to_html(analysis: Analysis) -> str:
    """A heading, a few lines on the whole, the findings, the layers as bars, and a table of them to open.

    Well-formed, without scripts and style sheets, in the colours of the page that it is shown on.
    """
    snapshot = snapshot_of(analysis, with_fixes=False)
    size = input_text(snapshot.channels, snapshot.input_size)
    lines = "".join(f"<div>{xml_text(line)}</div>" for line in describe(snapshot))
    by_code: dict[str, list[Finding]] = {}
    for finding in analysis.findings:
        by_code.setdefault(finding.code, []).append(finding)
    findings = "".join(_findings(group) for group in by_code.values()) or "<li>no findings</li>"
    bars = bars_svg(snapshot.layers, snapshot.input_size, snapshot.border_min, snapshot.border_max)
    head = "".join(f'<th style="{_cell_style(name)}">{name}</th>' for name in _COLUMNS)
    rows = "".join(_row(layer) for layer in snapshot.layers)
    return (
        f"<div><b>{xml_text(analysis.name)}</b> at {size}{lines}"
        f'<ul style="margin: 0.5em 0; padding-left: 1.5em">{findings}</ul>{bars}'
        f"<details><summary>{plural(len(snapshot.layers), 'layer')}</summary>"
        f'<table style="border-collapse: collapse"><tr>{head}</tr>{rows}</table></details></div>'
    )


def _findings(group: Sequence[Finding]) -> str:
    """All findings of one rule; those after the first few are folded away."""
    first, rest = (group, ()) if len(group) <= _MOST else (group[:1], group[1:])
    shown = "".join(map(_finding, first))
    if not rest:
        return shown
    more = "".join(map(_finding, rest))
    return f"{shown}<li><details><summary>{len(rest)} more {xml_text(rest[0].code)}</summary><ul>{more}</ul></details></li>"


def _finding(finding: Finding) -> str:
    ground = f"background: {_GROUNDS[finding.severity]}; padding: 0 0.4em; border-radius: 0.3em"
    place = "" if finding.layer is None else f" <code>{xml_text(finding.layer)}</code>"
    return (
        f'<li><b>{xml_text(finding.code)}</b> {xml_text(finding.name)} <span style="{ground}">{finding.severity}</span>{place}'
        f"<br/>{xml_text(' '.join(finding.message.split()))}</li>"
    )


def _row(layer: Layer) -> str:
    word = status(layer)
    cells = (
        layer.name,
        layer.kind,
        crossed(layer.kernel or ()),
        crossed(layer.out_size),
        extents(layer.r_in_min),
        extents(layer.r_max),
        short(layer.params),
        short(layer.flops),
        word,
    )
    ground = f' style="background: {_GROUNDS[word]}"' if word in ("tail", "unproductive") else ""
    texts = (f'<td style="{_cell_style(name)}">{xml_text(cell)}</td>' for name, cell in zip(_COLUMNS, cells, strict=True))
    return f"<tr{ground}>{''.join(texts)}</tr>"


def _cell_style(column: str) -> str:
    return f"text-align: {'left' if column in _TEXT_COLUMNS else 'right'}; padding: 0 0.5em"
