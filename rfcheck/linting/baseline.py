"""Known findings: counted per model, input size, rule and layer, so that code may move without making them new."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rfcheck.linting.finding import Finding

_SAME = 1 + 1e-9
"""Up to this factor two extents are the same: machines round differently."""


class Model(NamedTuple):
    """One model at one input size.

    Attributes:
        target: its name in the baseline, as `target_in` makes it: "models/net.py:Net".
        input: channels and extents.
    """

    target: str
    input: tuple[int, ...]


class Entry(NamedTuple):
    """What findings have in common that the baseline does not tell apart.

    Attributes:
        model: the model that they are about.
        code: of their rule.
        layer: that they point at; empty where they are about the whole model.
    """

    model: Model
    code: str
    layer: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings.

    Attributes:
        counts: how many there are of each kind, at least one.
        extents: the largest extent of those of a kind; kinds without one have none.
    """

    counts: Mapping[Entry, int] = field(default_factory=dict)
    extents: Mapping[Entry, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stale:
    """An entry of which fewer findings were found than it counts."""

    entry: Entry
    known: int
    found: int


@dataclass(frozen=True, slots=True)
class Examined:
    """What a run found about one model.

    Attributes:
        model: which one.
        findings: about it, none if there are none.
        ran: whether the rule of a code was among those that ran.
    """

    model: Model
    findings: Sequence[Finding]
    ran: Callable[[str], bool]


def split(baseline: Baseline, model: Model, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings of a model that are new, and those that are known.

    Of more than are known of one kind the last ones are new, and so is what has become larger than any of its kind was.
    """
    new: list[Finding] = []
    known: list[Finding] = []
    seen: Counter[Entry] = Counter()
    for finding in findings:
        entry = _entry(model, finding)
        has_grown = finding.extent is not None and finding.extent > baseline.extents.get(entry, math.inf) * _SAME
        seen[entry] += not has_grown
        (known if not has_grown and seen[entry] <= baseline.counts.get(entry, 0) else new).append(finding)
    return new, known


def stale_entries(baseline: Baseline, run: Sequence[Examined]) -> list[Stale]:
    """What the baseline knows and a run did not find, of the models and rules that it covered.

    Args:
        baseline: the known findings.
        run: what was found; a model may come several times.
    """
    counts = _counts(run)
    return [
        Stale(entry, known, counts.get(entry, 0))
        for entry, known in sorted(baseline.counts.items())
        if counts.get(entry, 0) < known and _covers(run, entry)
    ]


def updated(baseline: Baseline, run: Sequence[Examined]) -> Baseline:
    """The baseline after a run: what it found, and what the baseline knows of models and rules that it did not cover.

    A project has one baseline, and most runs look at a part of it; writing the baseline from such a run must not make the rest
    new. So entries of a model that does not exist any more stay: write the baseline to a new file to be rid of them.

    Args:
        baseline: the known findings so far.
        run: what was found; a model may come several times.
    """
    kept = {entry: count for entry, count in baseline.counts.items() if not _covers(run, entry)}
    extents = {entry: extent for entry, extent in baseline.extents.items() if entry in kept}
    return Baseline({**kept, **_counts(run)}, {**extents, **_extents(run)})


def _covers(run: Sequence[Examined], entry: Entry) -> bool:
    return any(one.model == entry.model and one.ran(entry.code) for one in run)


def _counts(run: Sequence[Examined]) -> dict[Entry, int]:
    """Findings of each kind; where a model was analysed several times, the most."""
    counts: dict[Entry, int] = {}
    for one in run:
        for entry, count in Counter(_entry(one.model, finding) for finding in one.findings).items():
            counts[entry] = max(count, counts.get(entry, 0))
    return counts


def _extents(run: Sequence[Examined]) -> dict[Entry, float]:
    """The largest extent of each kind."""
    extents: dict[Entry, float] = {}
    for one in run:
        for finding in one.findings:
            if finding.extent is not None:
                entry = _entry(one.model, finding)
                extents[entry] = max(finding.extent, extents.get(entry, -math.inf))
    return extents


def _entry(model: Model, finding: Finding) -> Entry:
    return Entry(model, finding.code, finding.layer or "")
