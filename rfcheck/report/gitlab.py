"""The code quality report that GitLab shows in merge requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rfcheck.report.fingerprint import Identified, digest, identified
from rfcheck.report.place import file_of, repository_path, span_of
from rfcheck.report.wording import fix_of, reason_of, statement

if TYPE_CHECKING:
    from rfcheck.report.result import Failure, Run
    from rfcheck.report.view import View

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(run: Run, view: View) -> str:
    """A JSON array with an issue per finding and per target that failed."""
    del view
    issues = [_issue(one) for one in identified(run) if one.reported]
    issues += [_failure(failure) for failure in run.failures]
    return f"{json.dumps(issues, indent=2, ensure_ascii=False)}\n"


def _issue(one: Identified) -> dict[str, Any]:
    span = span_of(one.result, one.finding)
    fix = fix_of(one.result, one.finding)
    text = statement(one.result, one.finding)
    return {
        "description": text if fix is None else f"{text}. Fix: {fix}",
        "check_name": f"{one.finding.code} {one.finding.name}",
        "fingerprint": one.fingerprint,
        "severity": _SEVERITIES[one.finding.severity],
        "location": _location(one.result.target, 1)
        if span is None
        else _location(repository_path(span.path), span.line, span.end_line),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    file = file_of(failure)
    return {
        "description": f"rfcheck cannot analyse {failure.target}: {reason_of(failure)}",
        "check_name": "analysis failed",
        "fingerprint": digest("failure", failure.target, failure.message),
        "severity": "blocker",
        "location": _location(failure.target if file is None else repository_path(file), 1),
    }


def _location(path: str, begin: int, end: int | None = None) -> dict[str, Any]:
    return {"path": path, "lines": {"begin": begin} if end is None else {"begin": begin, "end": end}}
