"""What one run of the linter produced: the input of every report format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.linting.finding import SEVERITIES, Finding, at_least
from rfcheck.linting.suppression import Suppression

if TYPE_CHECKING:
    from rfcheck.report.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a comment in the code silences."""

    finding: Finding
    by: Suppression


@dataclass(frozen=True, slots=True)
class Result:
    """One model at one input size.

    Attributes:
        target: as reports name it, "model.py:Net".
        path: file that defines it; None outside the user's files.
        line: line of the definition.
        snapshot: facts.
        findings: what is reported.
        suppressed: what comments silence.
        known: what the baseline holds already.
        fail_on: the mildest severity of a finding that makes the run fail, or "never".
    """

    target: str
    path: str | None
    line: int | None
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    known: tuple[Finding, ...] = ()
    fail_on: str = "warning"


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

    def findings(self) -> Iterator[tuple[Result, Finding]]:
        """Every finding that is reported, with the model that it is about."""
        return ((result, finding) for result in self.results for finding in result.findings)

    @property
    def fails(self) -> bool:
        """Whether a finding is grave enough to fail."""
        return any(at_least(finding.severity, result.fail_on) for result, finding in self.findings())

    def count(self) -> dict[str, int]:
        """Findings per severity, gravest first."""
        found = [finding.severity for _, finding in self.findings()]
        return {severity: found.count(severity) for severity in reversed(SEVERITIES)}


def plural(count: int, noun: str) -> str:
    """A count with its noun: one finding, two findings."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def summary(run: Run) -> str:
    """One line on the whole run."""
    counts = run.count()
    models = plural(len(run.results), "model")
    silenced = (
        (sum(len(result.suppressed) for result in run.results), "suppressed"),
        (sum(len(result.known) for result in run.results), "in the baseline"),
    )
    more = "".join(f", {count} {how}" for count, how in silenced if count)
    more += f", {plural(len(run.failures), 'target')} failed" if run.failures else ""
    total = sum(counts.values())
    if not total:
        return f"No findings in {models}{more}."
    parts = ", ".join(plural(n, s) if s != "info" else f"{n} info" for s, n in counts.items() if n)
    return f"Found {plural(total, 'finding')} in {models}: {parts}{more}."
