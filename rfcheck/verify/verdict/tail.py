"""Whether the tail that was predicted is one: RF101."""

from __future__ import annotations

from rfcheck.linting.finding import Finding
from rfcheck.report.result import plural
from rfcheck.verify.conclusions import Gain, Status
from rfcheck.verify.verdict.evidence import Evidence, Opinion, meaning, no_gain, promise_kept
from rfcheck.verify.verdict.sentences import best_sentence, gain_sentence, percent, with_interval

_CUT_AFTER = ("truncate",)
_CUT_BEFORE = ("truncate-before",)
_TOGETHER: dict[tuple[Status, Status], Status] = {
    ("confirmed", "refuted"): "inconclusive",
    ("refuted", "confirmed"): "inconclusive",
    ("inconclusive", "confirmed"): "confirmed",
    ("inconclusive", "refuted"): "refuted",
}


def judge_tail(finding: Finding, evidence: Evidence) -> Opinion:
    """Judge the prediction that the layers of the tail add nothing.

    The probes decide: by how much the best one behind the border layer exceeds that of the border layer. A model that was
    trained without these layers decides too, where it is clear; where it contradicts the probes, nothing is concluded. The cut
    before the border layer and the tail pattern in the saturation are named beside them.

    Args:
        finding: of RF101.
        evidence: what was measured.
    """
    gain = evidence.after_border
    status: Status = "inconclusive" if gain is None else no_gain(gain.difference, evidence.relevant_gain)
    cuts = evidence.trained(_CUT_AFTER)
    cut: Status = promise_kept(cuts[0], evidence.relevant_gain) if cuts else "inconclusive"
    together = _TOGETHER.get((status, cut), status)
    contradicts = {status, cut} == {"confirmed", "refuted"}
    parts = [
        _behind(finding, evidence, status),
        _before(evidence),
        *evidence.changes((*_CUT_AFTER, *_CUT_BEFORE)),
        "the probes and the trained cut contradict each other" if contradicts else "",
        _saturation(evidence),
    ]
    return Opinion(together, "; ".join(part for part in parts if part), measured=gain is not None or bool(cuts))


def _behind(finding: Finding, evidence: Evidence, status: Status) -> str:
    gain = evidence.after_border
    if gain is None:
        border = evidence.border or finding.layer
        if border not in evidence.probes.names:
            return f"the border layer {border} has no probe"
        return f"no layer behind the border layer {border} has a probe"
    return f"{_after(gain, evidence.border or finding.layer)}, {meaning(status, evidence.relevant_gain)}"


def _after(gain: Gain, border: str | None) -> str:
    if gain.reference == border:
        return best_sentence(gain)
    beside = f" on that of {gain.reference}, which is joined with it"
    return f"the best probe behind the border layer {border}, that of {gain.best}, gains {with_interval(gain.difference, beside)}"


def _before(evidence: Evidence) -> str:
    gain = evidence.before_border
    if gain is None:
        return ""
    return f"before the border layer, {gain_sentence(gain)}"


def _saturation(evidence: Evidence) -> str:
    pattern = evidence.tail_pattern
    if pattern is None:
        return "the saturation shows no tail pattern"
    inside = len(set(pattern.layers) & set(evidence.tail))
    where = f"{plural(len(pattern.layers), 'layer')} from {pattern.layers[0]} on, {inside} of them in the tail"
    return f"the saturation shows a tail pattern of {where} ({percent(pattern.mean)} against {percent(pattern.rest)} in the rest)"
