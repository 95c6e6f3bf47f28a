"""What the measurement says of each finding of the linter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rfcheck.linting.finding import Finding
from rfcheck.verify.conclusions import Status
from rfcheck.verify.verdict.evidence import Evidence, Opinion, meaning, no_gain, promise_kept
from rfcheck.verify.verdict.sentences import gain_sentence
from rfcheck.verify.verdict.tail import judge_tail

_NOT_MEASURED = {
    "RF103": "layers behind the largest paths' border are not predicted to be idle, so there is nothing to refute",
    "RF104": "training at one resolution does not show what a larger receptive field would bring",
    "RF105": "probes do not tell along which axis a layer adds context",
    "RF401": "a budget is compared with costs, which training does not change",
    "RF501": "training at one resolution does not show what the head does at another",
    "RF901": "training does not show what an operator reads",
    "RF902": "comments are not trained",
    "RF903": "what does not depend on the image has no share in what is measured",
}
"""Findings that training cannot judge, by code, with the reason."""


def opinions(findings: Sequence[Finding], evidence: Evidence) -> tuple[Opinion, ...]:
    """What the evidence says of each finding, in their order."""
    return tuple(_opinion(finding, evidence) for finding in findings)


def _opinion(finding: Finding, evidence: Evidence) -> Opinion:
    if finding.code in _NOT_MEASURED:
        return Opinion("inconclusive", _NOT_MEASURED[finding.code], measured=False)
    if evidence.unlearned:
        return Opinion("inconclusive", evidence.unlearned, measured=False)
    return _JUDGES.get(finding.code, _by_variant)(finding, evidence)


def _by_probe(finding: Finding, evidence: Evidence) -> Opinion:
    """RF102: by the probe of the layer against the best of those that it reads."""
    layer = finding.layer or ""
    if layer not in evidence.probes.names:
        return Opinion("inconclusive", f"{layer} has no probe", measured=False)
    gain = evidence.probes.gain_over(evidence.probes.known(evidence.flow.reads.get(layer, ())), layer)
    if gain is None:
        return Opinion("inconclusive", f"no layer that {layer} reads has a probe", measured=False)
    status = no_gain(gain.difference, evidence.relevant_gain)
    return Opinion(status, f"{gain_sentence(gain)}, {meaning(status, evidence.relevant_gain)}")


def _by_variant(finding: Finding, evidence: Evidence) -> Opinion:
    """By the models that its fixes make: each does what it promises, or not."""
    if not finding.fixes:
        return Opinion("inconclusive", "training does not measure this", measured=False)
    trained = evidence.trained(finding.fixes)
    if not trained:
        wanted = ",".join(finding.fixes)
        return Opinion("inconclusive", f"none of its fixes was trained; --fixes {wanted} would measure it", measured=False)
    kept = {promise_kept(one, evidence.relevant_gain) for one in trained}
    status: Status = "confirmed" if "confirmed" in kept else "refuted" if "refuted" in kept else "inconclusive"
    return Opinion(status, "; ".join(evidence.changes(finding.fixes)))


_JUDGES: dict[str, Callable[[Finding, Evidence], Opinion]] = {"RF101": judge_tail, "RF102": _by_probe}
"""How findings are judged, by code; all others by their trained fixes."""
