"""The SARIF 2.1.0 log, for code scanning services and editors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import rfcheck
from rfcheck.report.fingerprint import VERSION, Identified, identified
from rfcheck.report.json_v1 import dump
from rfcheck.report.place import repository_path, span_of
from rfcheck.report.sarif_rules import LEVELS, descriptors
from rfcheck.report.wording import fix_of, reason_of, statement
from rfcheck.span import Span

if TYPE_CHECKING:
    from rfcheck.linting.suppression import Suppression
    from rfcheck.report.result import Failure, Run
    from rfcheck.report.view import View

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
"""What relative paths start from: the root of the repository, else the folder that rfcheck was called in."""


def render(run: Run, view: View) -> str:
    """A whole run as one SARIF log.

    Args:
        run: what was found; suppressed findings and those of the baseline are in the log, as suppressed.
        view: ``rule_folders`` are searched for the pages of rules.

    Raises:
        RuleError: if a folder or a file of rules is not valid.
    """
    found = list(identified(run))
    rules = descriptors([one.finding for one in found], view.rule_folders)
    index = {rule["id"]: i for i, rule in enumerate(rules)}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "rfcheck", "version": rfcheck.__version__, "rules": rules}},
                "invocations": [_invocation(run.failures)],
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, index) for one in found],
            }
        ],
    }
    return f"{dump(log)}\n"


def _invocation(failures: tuple[Failure, ...]) -> dict[str, Any]:
    notifications = [
        {
            "level": "error",
            "message": {"text": f"{failure.target}: {reason_of(failure)}"},
            "locations": [{"logicalLocations": [_logical(failure.target)]}],
        }
        for failure in failures
    ]
    return {"executionSuccessful": not failures, "toolExecutionNotifications": notifications}


def _result(one: Identified, index: dict[str, int]) -> dict[str, Any]:
    result, finding = one.result, one.finding
    fix = fix_of(result, finding)
    text = statement(result, finding)
    span = span_of(result, finding)
    location = {
        "logicalLocations": [_logical(finding.layer or result.target)],
        "physicalLocation": _without_file(result.target) if span is None else _physical(span),
    }
    related = [
        {"id": i, "message": {"text": "the call that led to it"}, "physicalLocation": _physical(caller)}
        for i, caller in enumerate(finding.chain[1:])
    ]
    return {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": LEVELS[finding.severity],
        "message": {"text": text if fix is None else f"{text}\nFix: {fix}"},
        "locations": [location],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {f"rfcheckFinding/{VERSION}": one.fingerprint},
        "suppressions": _suppressions(one),
        "properties": {
            "target": result.target,
            "inputSize": [result.snapshot.channels, *result.snapshot.input_size],
            "fixes": list(finding.fixes),
        },
    }


def _suppressions(one: Identified) -> list[dict[str, Any]]:
    if one.known:
        return [{"kind": "external", "status": "accepted"}]
    return [] if one.suppression is None else [_in_source(one.suppression)]


def _in_source(comment: Suppression) -> dict[str, Any]:
    place = Span(comment.path, comment.line, comment.column)
    reason = {"justification": comment.reason} if comment.reason else {}
    return {"kind": "inSource", "status": "accepted", **reason, "location": {"physicalLocation": _physical(place)}}


def _logical(name: str) -> dict[str, str]:
    return {"fullyQualifiedName": name, "kind": "module"}


def _physical(span: Span) -> dict[str, Any]:
    columns = {"startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column}
    region = {"startLine": span.line, **{key: value for key, value in columns.items() if value is not None}}
    return {"artifactLocation": _artifact(span.path), "region": region}


def _without_file(target: str) -> dict[str, Any]:
    """The place of a model that no file defines: code scanning refuses a whole log for one result without a place."""
    return {"artifactLocation": {"uri": quote(os.fsencode(target), safe=""), "uriBaseId": ROOT}, "region": {"startLine": 1}}


def _artifact(path: str) -> dict[str, str]:
    shown = repository_path(path)
    if Path(shown).is_absolute():
        return {"uri": Path(shown).as_uri()}
    return {"uri": quote(os.fsencode(shown)), "uriBaseId": ROOT}
