"""Numbers, intervals and findings as the JSON report holds them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.span import Span
    from rfcheck.verify.records import Interval


def known(value: float | None) -> float | None:
    """A number that JSON can hold; None for NaN and infinity, which measurements have where outputs were not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def interval_to_dict(interval: Interval | None) -> dict[str, float | None] | None:
    """A measured value with its 95% interval; None stays None."""
    return None if interval is None else {"value": known(interval.value), "low": known(interval.low), "high": known(interval.high)}


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """One finding, with the code that it points at."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        "layer": finding.layer,
        "location": _span(finding.chain[0]) if finding.chain else None,
        "made_by": [_span(span) for span in finding.chain[1:]],
        "fixes": list(finding.fixes),
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
