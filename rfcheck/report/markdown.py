"""Markdown for comments on pull requests and for the summaries of CI jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.report.description import describe
from rfcheck.report.markdown_text import code, code_cell, plain
from rfcheck.report.place import place_of
from rfcheck.report.result import summary
from rfcheck.report.wording import fix_of, reason_of, silenced_in, size_of

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.report.result import Result, Run
    from rfcheck.report.view import View

_HEAD = ["| severity | rule | layer | place | message |", "| --- | --- | --- | --- | --- |"]


def render(run: Run, view: View) -> str:
    """A heading and a summary, then a section per model with a table of its findings and the fixes, then what failed.

    Args:
        run: what was found.
        view: ``quiet`` leaves out the summary, the facts, and models without findings; ``show_suppressed`` adds what is suppressed.
    """
    blocks = [["## rfcheck"]] if view.quiet else [["## rfcheck"], [plain(summary(run))]]
    for result in run.results:
        if not view.quiet or result.findings:
            blocks += _section(result, view)
    if run.failures:
        failed = [f"- {code(failure.target)}: {plain(reason_of(failure))}" for failure in run.failures]
        blocks += [["### Could not be analysed"], failed]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _section(result: Result, view: View) -> list[list[str]]:
    blocks = [[f"### {code(result.target)} at {size_of(result.snapshot)}"]]
    if not view.quiet:
        blocks.append([plain("; ".join(describe(result.snapshot)))])
    if result.findings:
        blocks.append([*_HEAD, *(_row(result, finding) for finding in result.findings)])
    blocks.append([f"- {line}" for line in _fixes(result)])
    if view.show_suppressed:
        blocks.append([f"- {_silenced(one.finding)}, {plain(silenced_in(one))}" for one in result.suppressed])
    return [block for block in blocks if block]


def _row(result: Result, finding: Finding) -> str:
    rule = f"{plain(finding.code)} {plain(finding.name)}"
    layer = code_cell(finding.layer) if finding.layer else ""
    cells = (finding.severity, rule, layer, code_cell(place_of(result, finding)), plain(finding.message))
    return f"| {' | '.join(cells)} |"


def _fixes(result: Result) -> list[str]:
    """The best fix of each rule that has one, once."""
    best = {finding.code: fix_of(result, finding) for finding in result.findings}
    return [f"fix for {plain(rule)}: {plain(fix)}" for rule, fix in best.items() if fix is not None]


def _silenced(finding: Finding) -> str:
    layer = f" {code(finding.layer)}" if finding.layer else ""
    return f"{plain(finding.code)} {plain(finding.name)}{layer}"
