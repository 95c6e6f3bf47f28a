"""Workflow commands, which GitHub Actions shows as annotations of the changed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.report.place import file_of, repository_path, span_of
from rfcheck.report.wording import fix_of, reason_of, statement

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.report.result import Failure, Result, Run
    from rfcheck.report.view import View
    from rfcheck.span import Span

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(run: Run, view: View) -> str:
    """A command per finding and per target that failed; empty if there is nothing to say."""
    del view
    lines = [_annotation(result, finding) for result, finding in run.findings()]
    lines += [_failure(failure) for failure in run.failures]
    return "".join(f"{line}\n" for line in lines)


def _annotation(result: Result, finding: Finding) -> str:
    span = span_of(result, finding)
    properties = {} if span is None else _place(span)
    properties["title"] = f"rfcheck {finding.code} {finding.name}"
    fix = fix_of(result, finding)
    text = statement(result, finding) if fix is None else f"{statement(result, finding)}\nFix: {fix}"
    return _command(_COMMANDS[finding.severity], properties, text)


def _failure(failure: Failure) -> str:
    file = file_of(failure)
    properties = {} if file is None else {"file": repository_path(file)}
    properties["title"] = f"rfcheck cannot analyse {failure.target}"
    return _command("error", properties, reason_of(failure))


def _place(span: Span) -> dict[str, str]:
    """File, lines, and columns, which GitHub takes only on a single line."""
    properties = {"file": repository_path(span.path), "line": str(span.line), "endLine": str(span.last_line)}
    if span.last_line == span.line and span.column is not None:
        properties["col"] = str(span.column)
        if span.end_column is not None:
            properties["endColumn"] = str(span.end_column)
    return properties


def _command(name: str, properties: dict[str, str], text: str) -> str:
    shown = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items())
    return f"::{name} {shown}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
