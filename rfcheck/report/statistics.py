"""How often each rule found something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rfcheck
from rfcheck.linting.finding import SEVERITIES
from rfcheck.report.json_v1 import VERSION
from rfcheck.report.result import summary

if TYPE_CHECKING:
    from rfcheck.report.result import Run
    from rfcheck.report.view import View


def render(run: Run, view: View) -> str:
    """A line per rule, "3  RF102 unproductive-layer [warning]", most frequent first; then the summary.

    Args:
        run: what was found; what is suppressed or in the baseline does not count.
        view: ``quiet`` leaves out the summary.
    """
    counts = _count(run)
    width = len(str(max((row["count"] for row in counts), default=0)))
    lines = [f"{row['count']:>{width}}  {row['code']} {row['name']} [{row['severity']}]" for row in counts]
    if not view.quiet:
        lines.append(summary(run))
    return "".join(f"{line}\n" for line in lines)


def statistics_to_dict(run: Run) -> dict[str, Any]:
    """The same as plain data, for JSON."""
    return {"version": VERSION, "rfcheck": rfcheck.__version__, "statistics": _count(run)}


def _count(run: Run) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for _, finding in run.findings():
        row = rows.setdefault(finding.code, {"count": 0, "code": finding.code, "name": finding.name, "severity": "info"})
        row["count"] += 1
        row["severity"] = max(row["severity"], finding.severity, key=SEVERITIES.index)
    return sorted(rows.values(), key=lambda row: (-row["count"], row["code"]))
