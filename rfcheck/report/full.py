"""The full text report: findings with a picture of the layers, for people at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from rfcheck.input_size import crossed
from rfcheck.linting.finding import Finding
from rfcheck.report.fix_line import best_option
from rfcheck.report.picture import layer_bars
from rfcheck.report.result import Result, Run, plural, summary
from rfcheck.report.units import extents, short

if TYPE_CHECKING:
    from rfcheck.api import Analysis

SEVERITY_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_STATE_STYLES = {"productive": "green", "unproductive": "yellow", "tail": "red", "unknown": "magenta", "border": "bold"}
_MARGIN = "  "


def print_full(run: Run, console: Console) -> None:
    """Print findings of every model, then a summary.

    Args:
        run: what was analysed.
        console: where to print; its width wraps the text.
    """
    for result in run.results:
        _print_result(result, console)
    if run.results or not run.failures:
        console.print(summary(run), style="bold", markup=False, highlight=False)


def _print_result(result: Result, console: Console) -> None:
    analysis = result.analysis
    heading = Text(result.target, style="bold")
    heading.append(f" at {crossed((analysis.network.channels, *analysis.input_size))}", style="not bold")
    console.print(heading)
    for line in describe(analysis):
        _print_wrapped(line, console, indent=_MARGIN)
    console.print()
    for _, group in groupby(sorted(analysis.findings, key=lambda f: f.code), key=lambda f: f.code):
        _print_findings(list(group), analysis, console)


def describe(analysis: Analysis) -> list[str]:
    """A few lines on the network as a whole."""
    judged = plural(len(analysis.network.border.judged), "judged layer")
    layers = f"{judged}, {len(analysis.unproductive)} unproductive, {len(analysis.tail)} of them in the tail"
    compute = f"{short(analysis.params)} parameters, {short(analysis.flops, 'FLOPs')}"
    lines = [f"{layers}; {compute}, {short(analysis.activation_bytes, 'B')} activations"]
    low, high = analysis.resolution_range
    lines.append(f"no unproductive layer from {extents(low)} px on; the last map sees up to {extents(high)} px")
    if analysis.traced_with != "meta":
        how = "FakeTensors" if analysis.traced_with == "fake" else "a real forward pass on zeros"
        lines.append(f"traced with {how}, as the forward does not run on meta tensors")
    lines.extend(f"assumed: {text}" for text in analysis.assumptions)
    return lines


def _print_findings(findings: Sequence[Finding], analysis: Analysis, console: Console) -> None:
    """All findings of one rule, the best fix for them, and one picture that points at all their layers."""
    for finding in findings:
        title = Text(_MARGIN)
        title.append(f"{finding.code}", style=SEVERITY_STYLES[finding.severity])
        title.append(f" {finding.name} ")
        title.append(f"[{finding.severity}]", style=SEVERITY_STYLES[finding.severity])
        if finding.layer:
            title.append(f" {finding.layer}", style="bold")
        console.print(title, soft_wrap=True)
        _print_wrapped(finding.message, console, indent=_MARGIN * 2)
    if findings[0].fixes and (best := best_option(analysis.fixes, findings[0].fixes)) is not None:
        _print_wrapped(f"fix: {best}", console, indent=_MARGIN * 2)
    _print_picture([f.layer for f in findings if f.layer], analysis, console)
    console.print()


def _print_picture(marked: Sequence[str], analysis: Analysis, console: Console) -> None:
    label = _MARGIN * 2 + "r/I "
    cells = layer_bars(analysis.layers, analysis.input_size, marked, min(console.width, 120) - len(label) - 1)
    if not cells:
        return
    bars = Text(label)
    for cell in cells:
        bars.append(cell.char, style=_STATE_STYLES[cell.state])
    console.print(bars, soft_wrap=True)
    if any(cell.marked for cell in cells):
        console.print((" " * len(label) + "".join("^" if cell.marked else " " for cell in cells)).rstrip(), soft_wrap=True)


def _print_wrapped(text: str, console: Console, indent: str) -> None:
    width = max(min(console.width, 120), 40)
    wrapped = textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    console.print(wrapped, markup=False, highlight=False, soft_wrap=True)
