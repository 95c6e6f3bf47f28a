"""Where findings point, as files and lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.span import Span, shown_path

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.report.result import Result


def span_of(result: Result, finding: Finding) -> Span | None:
    """The code that a finding points at, else the definition of the model; None where no file is known."""
    if finding.chain:
        return finding.chain[0]
    return Span(shown_path(result.path), result.line or 1) if result.path else None


def place_of(result: Result, finding: Finding) -> str:
    """Where a finding points; the target where no line is known."""
    if finding.chain:
        return finding.chain[0].place
    return f"{result.path}:{result.line}" if result.path and result.line is not None else result.target


def slashed(path: str) -> str:
    """A path with forward slashes and no leading "./", as services that show code want it."""
    return Path(path).as_posix()
