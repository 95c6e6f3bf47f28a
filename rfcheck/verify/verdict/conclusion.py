"""What all verdicts together say of the predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rfcheck.linting.finding import Finding
from rfcheck.verify.records import Status
from rfcheck.verify.verdict.evidence import Evidence, Opinion
from rfcheck.verify.verdict.sentences import listed

_STATUSES: tuple[Status, ...] = ("confirmed", "refuted", "inconclusive")


def conclude(
    judged: Sequence[tuple[Finding, Opinion]], evidence: Evidence, idle: Sequence[str], min_layers: float, subject: str
) -> tuple[Status, str]:
    """The status of the whole, and one sentence on why.

    Refuted if any finding is, confirmed if at least one is and none refuted. Without a finding that could be measured, the
    prediction is that all layers are of use: confirmed if the probes improve up to the last layers. Where they stop early it is not
    refuted, for the task may need fewer layers than the image has room for.

    Args:
        judged: the findings of the linter with what the evidence says of each.
        evidence: what was measured.
        idle: judged layers behind the plateau.
        min_layers: number of idle layers from which on they count as many.
        subject: the model at its input size.
    """
    if evidence.unlearned:
        return "inconclusive", f"{subject}: {evidence.unlearned}"
    measured = [(finding, opinion) for finding, opinion in judged if opinion.measured]
    if not measured:
        return _without_findings(evidence, idle, min_layers, subject)
    statuses = Counter(opinion.status for _, opinion in measured)
    status: Status = "refuted" if statuses["refuted"] else "confirmed" if statuses["confirmed"] else "inconclusive"
    parts = [_counted(one, measured) for one in _STATUSES if statuses[one]]
    return status, "; ".join(
        [f"{subject}: measured predictions: {', '.join(parts)}", *evidence.changes(("truncate", "truncate-before"))]
    )


def _counted(status: Status, measured: Sequence[tuple[Finding, Opinion]]) -> str:
    codes = [finding.code for finding, opinion in measured if opinion.status == status]
    return f"{len(codes)} {status} ({listed(list(dict.fromkeys(codes)))})"


def _without_findings(evidence: Evidence, idle: Sequence[str], min_layers: float, subject: str) -> tuple[Status, str]:
    if evidence.border is not None:
        return "inconclusive", f"{subject}: the predicted tail could not be measured"
    if not evidence.probes.names:
        return "inconclusive", f"{subject}: no tail was predicted, and no layer has a probe"
    if len(idle) < min_layers:
        return "confirmed", f"{subject}: no tail was predicted, and the probes improve up to the last layers"
    return "inconclusive", (
        f"{subject}: no tail was predicted, but the probes show no gain in the last {len(idle)} layers, from {idle[0]} on: "
        "the task may need fewer layers than the image has room for"
    )
