"""Which findings of one model are those of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rfcheck.linting.finding import Finding


@dataclass(frozen=True, slots=True)
class FindingMatches:
    """Findings of two models, each group in the order of its model.

    Attributes:
        gone: those that only the first model has.
        new: those that only the second model has.
        kept: those that both have, as of the second model.
    """

    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    kept: tuple[Finding, ...]


def match_findings(
    before: Sequence[Finding], after: Sequence[Finding], common: Collection[str], model_wide: Collection[str]
) -> FindingMatches:
    """Find out which findings of one model are those of another.

    A finding is in both models if both have one by the same rule on a layer of the same name. A rule about the whole model has at
    most one finding, which is the same wherever it points. Findings on layers that only one model has are counted, rule by rule:
    as many as both models have are kept (the layers may have been renamed), the last of the model that has more are gone or new.

    Args:
        before: of the first model.
        after: of the second model.
        common: names of the layers that both models have.
        model_wide: codes of the rules about the whole model.
    """

    def place(finding: Finding) -> tuple[str, str | None]:
        layer = finding.layer
        return (finding.code, None if finding.code in model_wide or layer is None or layer not in common else layer)

    available: dict[tuple[str, str | None], list[Finding]] = defaultdict(list)
    for finding in before:
        available[place(finding)].append(finding)
    kept: list[Finding] = []
    new: list[Finding] = []
    for finding in after:
        same = available[place(finding)]
        if same:
            same.pop(0)
            kept.append(finding)
        else:
            new.append(finding)
    left = {id(finding) for findings in available.values() for finding in findings}
    return FindingMatches(tuple(f for f in before if id(f) in left), tuple(new), tuple(kept))
