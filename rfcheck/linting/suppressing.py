"""Findings and comments in, what is left to report out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from rfcheck.linting.finding import Finding
from rfcheck.linting.suppression import Suppression, names_rule
from rfcheck.span import Span

Use = tuple[Suppression, str]
"""A comment, and which of its `entries` silenced something."""


@dataclass(frozen=True, slots=True)
class Silenced:
    """Findings, sorted by whether a comment silences them.

    Attributes:
        kept: to be reported.
        suppressed: silenced, each with the comment that does it.
        used: every comment that silences one of them, not only the closest.
    """

    kept: tuple[Finding, ...]
    suppressed: tuple[tuple[Finding, Suppression], ...]
    used: frozenset[Use]


def silence(findings: Iterable[Finding], suppressions: Iterable[Suppression]) -> Silenced:
    """Sort findings by whether a comment silences them.

    A comment silences a finding if it names its rule and covers any of the code that made the layer: the call itself, or one that
    led to it. ``ignore-file`` is no exception, it is a comment at each line of its file: a file silences the layers that it makes,
    whoever uses them, and those that it has made by others.

    Args:
        findings: of one model.
        suppressions: from all files that the findings' chains pass through.

    Returns:
        Both kinds in the order given; of several comments, the one at the innermost call with the shortest code is named.
    """
    by_file: dict[str, list[Suppression]] = {}
    for suppression in suppressions:
        by_file.setdefault(_identity(suppression.path), []).append(suppression)
    kept: list[Finding] = []
    suppressed: list[tuple[Finding, Suppression]] = []
    used: set[Use] = set()
    for finding in findings:
        uses = _uses(finding, by_file) if by_file else []
        used.update(uses)
        if uses:
            suppressed.append((finding, uses[0][0]))
        else:
            kept.append(finding)
    return Silenced(tuple(kept), tuple(suppressed), frozenset(used))


def merged(parts: Sequence[Silenced]) -> Silenced:
    """Several such results as one."""
    return Silenced(
        kept=tuple(finding for part in parts for finding in part.kept),
        suppressed=tuple(pair for part in parts for pair in part.suppressed),
        used=frozenset(use for part in parts for use in part.used),
    )


def not_fully_used(suppressions: Iterable[Suppression], used: Set[Use]) -> list[Suppression]:
    """The comments with an entry that silences nothing, and those with a problem: all that a rule may say something about."""
    return [s for s in suppressions if s.problem or any((s, entry) not in used for entry in s.entries)]


def files_of(findings: Iterable[Finding]) -> list[str]:
    """The files that the chains of findings pass through: where comments may silence them."""
    return list(dict.fromkeys(span.path for finding in findings for span in finding.chain))


def _uses(finding: Finding, by_file: dict[str, list[Suppression]]) -> list[Use]:
    """What silences a finding, closest first."""
    return [use for span in finding.chain for use in _uses_at(finding, span, by_file.get(_identity(span.path), ()))]


def _uses_at(finding: Finding, span: Span, suppressions: Sequence[Suppression]) -> list[Use]:
    covering = sorted((s for s in suppressions if s.covers(span)), key=lambda s: (s.is_file, s.last_line - s.first_line))
    return [(s, entry) for s in covering for entry in s.entries if names_rule(entry, finding.code, finding.name)]


def _identity(path: str) -> str:
    """One text for one file, however it is named."""
    return os.path.normcase(os.path.realpath(path))
