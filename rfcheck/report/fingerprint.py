"""What identifies a finding from one run to the next, when lines have moved and numbers have changed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.linting.baseline_file import target_in

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.linting.suppression import Suppression
    from rfcheck.report.result import Result, Run

VERSION = "v1"
"""Of the way in which fingerprints are made."""


@dataclass(frozen=True, slots=True)
class Identified:
    """One finding of a run, reported or not, with its fingerprint.

    Attributes:
        result: the model that it is about.
        finding: the finding.
        fingerprint: 64 hexadecimal digits, unique in the run.
        suppression: the comment that silences it; None if none does.
        known: whether the baseline holds it already.
    """

    result: Result
    finding: Finding
    fingerprint: str
    suppression: Suppression | None = None
    known: bool = False

    @property
    def reported(self) -> bool:
        """Whether neither a comment nor the baseline holds it back."""
        return self.suppression is None and not self.known


def identified(run: Run) -> Iterator[Identified]:
    """Every finding of a run: of each model those reported, then those suppressed, then those in the baseline.

    A fingerprint depends on the target, the input size, the rule and the layer, and on how many findings before it agree in these;
    not on the line, the message or the severity, nor on how the path of the target is written.
    """
    seen: Counter[tuple[object, ...]] = Counter()
    for result in run.results:
        model = (target_in(Path.cwd(), result.target, result.path), result.snapshot.channels, result.snapshot.input_size)
        for finding in result.findings:
            yield Identified(result, finding, _fingerprint(model, finding, seen))
        for one in result.suppressed:
            yield Identified(result, one.finding, _fingerprint(model, one.finding, seen), suppression=one.by)
        for finding in result.known:
            yield Identified(result, finding, _fingerprint(model, finding, seen), known=True)


def digest(*parts: object) -> str:
    """A hash of plain values: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _fingerprint(model: tuple[object, ...], finding: Finding, seen: Counter[tuple[object, ...]]) -> str:
    what = (*model, finding.code, finding.layer)
    seen[what] += 1
    return digest(*what, seen[what])
