"""What all verdicts together say of the predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rfcheck.linting.finding import Finding
from rfcheck.report.result import plural
from rfcheck.verify.conclusions import Gain, Status
from rfcheck.verify.verdict.evidence import Evidence, Opinion, no_gain, plateau_sentence
from rfcheck.verify.verdict.sentences import listed

_STATUSES: tuple[Status, ...] = ("confirmed", "refuted", "inconclusive")


def conclude(
    judged: Sequence[tuple[Finding, Opinion]], evidence: Evidence, stop: Gain | None, min_layers: float, subject: str
) -> tuple[Status, str]:
    """The status of the whole, and one sentence on why.

    Refuted if any finding is. Confirmed if none is and at least one is confirmed; where a predicted tail was measured, that must be
    it, for single layers within do not decide about a tail. Without a finding that could be measured, the
    prediction is that there is no tail: confirmed if the probes improve, and stop doing so fewer layers before the last than make a
    tail. Where they stop earlier it is not refuted, for the task may need fewer layers than the image has room for.

    Args:
        judged: the findings of the linter with what the evidence says of each.
        evidence: what was measured.
        stop: the plateau, and what the best probe behind it gains; None where all probes improve, or there are fewer than two.
        min_layers: fewest layers of a tail.
        subject: the model at its input size.
    """
    if evidence.unlearned:
        return "inconclusive", f"{subject}: {evidence.unlearned}"
    measured = [(finding, opinion) for finding, opinion in judged if opinion.measured]
    if not measured:
        status, why = _no_tail(evidence, stop, min_layers)
        if any(finding.code == "RF101" for finding, _ in judged):
            status, why = "inconclusive", "the predicted tail could not be measured"
        return status, f"{subject}: {why}"
    statuses = Counter(opinion.status for _, opinion in measured)
    deciding = {opinion.status for finding, opinion in measured if finding.code == "RF101"} or set(statuses)
    status = "refuted" if statuses["refuted"] else "confirmed" if "confirmed" in deciding else "inconclusive"
    parts = [_counted(one, measured) for one in _STATUSES if statuses[one]]
    return status, "; ".join(
        [f"{subject}: measured predictions: {', '.join(parts)}", *evidence.changes(("truncate", "truncate-before"))]
    )


def _counted(status: Status, measured: Sequence[tuple[Finding, Opinion]]) -> str:
    codes = [finding.code for finding, opinion in measured if opinion.status == status]
    return f"{len(codes)} {status} ({listed(list(dict.fromkeys(codes)))})"


def _no_tail(evidence: Evidence, stop: Gain | None, min_layers: float) -> tuple[Status, str]:
    names = evidence.probes.names
    predicted = "no tail was predicted"
    if evidence.tail:
        predicted = f"the predicted tail of {plural(len(evidence.tail), 'layer')} is not among the findings"
    if len(names) < 2:
        return "inconclusive", f"{predicted}, and {'a single probe cannot show a gain' if names else 'no layer has a probe'}"
    if stop is None:
        return "confirmed", f"{predicted}, and the probes improve up to the last layer, {names[-1]}"
    idle = evidence.probes.after(stop.reference)
    if len(idle) < len(names) - 1 and len(idle) < min_layers:
        behind = f"{plural(len(idle), 'layer')} before the last one, which is too few for a tail"
        return "confirmed", f"{predicted}, and the probes improve up to {stop.reference}, {behind}"
    shown = plateau_sentence(stop, evidence.relevant_gain)
    if no_gain(stop.difference, evidence.relevant_gain) == "confirmed":
        shown += ": the task may need fewer layers than the image has room for"
    return "inconclusive", f"{predicted}, but {shown}"
