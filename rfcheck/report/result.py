"""What one run of the linter produced: the input of every report format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.linting.finding import SEVERITIES

if TYPE_CHECKING:
    from rfcheck.api import Analysis


@dataclass(frozen=True, slots=True)
class Result:
    """One model, analysed.

    Attributes:
        target: as reports name it, "model.py:Net".
        path: file that defines it; None outside the user's files.
        line: line of the definition.
        analysis: what was found.
    """

    target: str
    path: str | None
    line: int | None
    analysis: Analysis


@dataclass(frozen=True, slots=True)
class Failure:
    """One target that could not be analysed, with the reason."""

    target: str
    message: str


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one command analysed, in the order given."""

    results: tuple[Result, ...]
    failures: tuple[Failure, ...]

    def count(self) -> dict[str, int]:
        """Findings per severity, gravest first."""
        found = [f.severity for result in self.results for f in result.analysis.findings]
        return {severity: found.count(severity) for severity in reversed(SEVERITIES)}


def plural(count: int, noun: str) -> str:
    """A count with its noun: one finding, two findings."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def summary(run: Run) -> str:
    """One line on the whole run."""
    counts = run.count()
    models = plural(len(run.results), "model")
    failed = f", {plural(len(run.failures), 'target')} failed" if run.failures else ""
    total = sum(counts.values())
    if not total:
        return f"No findings in {models}{failed}."
    parts = ", ".join(plural(n, s) if s != "info" else f"{n} info" for s, n in counts.items() if n)
    return f"Found {plural(total, 'finding')} in {models}: {parts}{failed}."
