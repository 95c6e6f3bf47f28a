"""One line per finding, for editors and scripts."""

from __future__ import annotations

from rfcheck.linting.finding import Finding
from rfcheck.report.result import Result, Run


def concise_lines(run: Run) -> list[str]:
    """``model.py:12: RF101 [warning] layer3.0.conv2: message``, models without a file by their target."""
    return [_line(result, finding) for result in run.results for finding in result.analysis.findings]


def _line(result: Result, finding: Finding) -> str:
    place = f"{result.path}:{result.line}" if result.path else result.target
    layer = f" {finding.layer}:" if finding.layer else ""
    return f"{place}: {finding.code} [{finding.severity}]{layer} {finding.message}"
