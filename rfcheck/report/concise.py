"""One line per finding, for editors and scripts."""

from __future__ import annotations

from rfcheck.linting.finding import Finding
from rfcheck.report.place import place_of
from rfcheck.report.result import Result, Run, Suppressed, summary
from rfcheck.report.view import View


def render(run: Run, view: View) -> str:
    """``model.py:12:9: RF101 [warning] Net: layer3.0.conv2: message``, models without a file by their target; then a summary."""
    lines: list[str] = []
    for result in run.results:
        lines += [_line(result, finding) for finding in result.findings]
        if view.show_suppressed:
            lines += [_suppressed(result, one) for one in result.suppressed]
    if not view.quiet:
        lines.append(summary(run))
    text = "".join(f"{line}\n" for line in lines)
    return text + _tables(run, view) if view.layers or view.explanations else text


def _tables(run: Run, view: View) -> str:
    from rfcheck.report.tables import print_tables
    from rfcheck.report.terminal import console_for, text_of

    console = console_for(view)
    print_tables(run, view, console)
    return text_of(console)


def _line(result: Result, finding: Finding) -> str:
    layer = f" {finding.layer}:" if finding.layer else ""
    model = result.snapshot.model
    return f"{place_of(result, finding)}: {finding.code} [{finding.severity}] {model}:{layer} {finding.message}"


def _suppressed(result: Result, one: Suppressed) -> str:
    reason = f": {one.by.reason}" if one.by.reason else ""
    return f"{_line(result, one.finding)} [suppressed in {one.by.path}:{one.by.line}{reason}]"
