"""The full text report: findings with a picture of the layers, for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from rfcheck.input_size import input_text
from rfcheck.linting.finding import Finding
from rfcheck.report.description import describe
from rfcheck.report.next_steps import next_steps
from rfcheck.report.picture import layer_bars
from rfcheck.report.result import Result, Run, Suppressed, summary
from rfcheck.report.snapshot import Snapshot
from rfcheck.report.source_excerpt import print_source
from rfcheck.report.tables import print_tables
from rfcheck.report.terminal import console_for, print_wrapped, text_of
from rfcheck.report.view import View
from rfcheck.span import Span

SEVERITY_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_STATE_STYLES = {"productive": "green", "unproductive": "yellow", "tail": "red", "unknown": "magenta", "border": "bold"}
_MARGIN = "  "


def render(run: Run, view: View) -> str:
    """Findings of every model with the code that they point at, then a summary.

    Args:
        run: what was analysed.
        view: ``width`` wraps the text.
    """
    console = console_for(view)
    for result in run.results:
        _print_result(result, view, console)
    console.print(summary(run), style="bold", markup=False, highlight=False, soft_wrap=True)
    if not view.quiet:
        for line in next_steps(run):
            short = line if len(line) <= console.width else line.partition("  #")[0]
            console.print(short, style="dim", markup=False, highlight=False, soft_wrap=True)
    print_tables(run, view, console)
    return text_of(console)


def _print_result(result: Result, view: View, console: Console) -> None:
    snapshot = result.snapshot
    heading = Text(result.target, style="bold")
    heading.append(f" at {input_text(snapshot.channels, snapshot.input_size)}", style="not bold")
    console.print(heading, soft_wrap=True)
    for line in describe(snapshot):
        print_wrapped(line, console, indent=_MARGIN)
    console.print()
    for _, group in groupby(result.findings, key=lambda f: f.code):
        _print_findings(list(group), snapshot, console)
    if view.show_suppressed and result.suppressed:
        _print_suppressed(result.suppressed, console)


def _print_findings(findings: Sequence[Finding], snapshot: Snapshot, console: Console) -> None:
    """All findings of one rule, the code they point at, the best fix, and one picture that points at all their layers."""
    shown: set[Span] = set()
    for chain, group in groupby(findings, key=lambda finding: finding.chain):
        for finding in group:
            _print_title(finding, console)
            print_wrapped(finding.message, console, indent=_MARGIN * 2)
        if chain:
            print_source(chain, console, _MARGIN * 2, with_code=chain[0] not in shown)
            shown.add(chain[0])
    best = snapshot.best_fixes.get(findings[0].code)
    if best is not None:
        print_wrapped(f"fix: {best}", console, indent=_MARGIN * 2)
    layers = [finding.layer for finding in findings if finding.layer]
    if layers:
        _print_picture(layers, snapshot, console)
    console.print()


def _print_title(finding: Finding, console: Console) -> None:
    title = Text(_MARGIN)
    title.append(f"{finding.code}", style=SEVERITY_STYLES[finding.severity])
    title.append(f" {finding.name} ")
    title.append(f"[{finding.severity}]", style=SEVERITY_STYLES[finding.severity])
    if finding.layer:
        title.append(f" {finding.layer}", style="bold")
    console.print(title, soft_wrap=True)


def _print_suppressed(suppressed: Sequence[Suppressed], console: Console) -> None:
    console.print(f"{_MARGIN}suppressed", style="bold", highlight=False)
    for one in suppressed:
        layer = f" {one.finding.layer}" if one.finding.layer else ""
        reason = f": {one.by.reason}" if one.by.reason else ""
        text = f"{one.finding.code} {one.finding.name}{layer}, in {one.by.path}:{one.by.line}{reason}"
        print_wrapped(text, console, indent=_MARGIN * 2)
    console.print()


def _print_picture(marked: Sequence[str], snapshot: Snapshot, console: Console) -> None:
    label = _MARGIN * 2 + "r/I "
    cells = layer_bars(snapshot.layers, snapshot.input_size, marked, min(console.width, 120) - len(label) - 1)
    if not cells:
        return
    bars = Text(label)
    for cell in cells:
        bars.append(cell.char, style=_STATE_STYLES[cell.state])
    console.print(bars, soft_wrap=True)
    if any(cell.marked for cell in cells):
        console.print((" " * len(label) + "".join("^" if cell.marked else " " for cell in cells)).rstrip(), soft_wrap=True)
