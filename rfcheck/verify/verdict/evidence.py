"""Everything that a finding of the linter can be judged by."""

from __future__ import annotations

from dataclasses import dataclass

from rfcheck.fixes.variants import is_among
from rfcheck.verify.conclusions import Gain, Status, TailPattern, VariantResult
from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.flow import Flow
from rfcheck.verify.verdict.probed import Probed
from rfcheck.verify.verdict.sentences import best_sentence, points, with_interval

IMPROVING = ("remove-stem", "move-downsampling")
"""Fixes that promise accuracy; the others promise the same accuracy at less cost."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one model and its variants.

    Attributes:
        probes: of the judged layers.
        flow: which layers each reads.
        border: b_min; None without a tail.
        tail: names of the tail's layers.
        before_border: gain of the tail over what the border layer reads.
        after_border: gain of the rest of the tail over the border layer.
        tail_pattern: in the saturation.
        results: of the changed models.
        relevant_gain: smallest difference of accuracies that counts.
        unlearned: why nothing can be concluded, as the model did not learn; empty if it did.
    """

    probes: Probed
    flow: Flow
    border: str | None
    tail: tuple[str, ...]
    before_border: Gain | None
    after_border: Gain | None
    tail_pattern: TailPattern | None
    results: tuple[VariantResult, ...]
    relevant_gain: float
    unlearned: str = ""

    def trained(self, fixes: tuple[str, ...]) -> tuple[VariantResult, ...]:
        """The changed models that one of the fixes made, with a difference to the original."""
        return tuple(one for one in self.results if one.difference and is_among(one.variant.name, fixes))

    def changes(self, fixes: tuple[str, ...]) -> list[str]:
        """How the accuracies of these models differ from that of the original, a phrase each."""
        told = ((one.variant.name, one.difference) for one in self.trained(fixes))
        return [f"{name}, trained, changes the accuracy by {with_interval(change)}" for name, change in told if change]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the evidence says of one finding.

    Attributes:
        status: "confirmed", "refuted" or "inconclusive".
        evidence: one sentence.
        measured: whether anything was measured that bears on it.
    """

    status: Status
    evidence: str
    measured: bool = True


def improves(difference: Interval, relevant_gain: float) -> bool:
    """Whether a difference of accuracies is above zero beyond doubt, and large enough to count."""
    return difference.low > 0 and difference.value >= relevant_gain


def no_gain(difference: Interval, relevant_gain: float) -> Status:
    """What a difference of accuracies says of a layer that is predicted to gain nothing.

    Confirmed where a gain that counts is ruled out, refuted where the gain counts and is above zero beyond doubt: the same by which
    a plateau ends, so that the two never contradict each other.
    """
    if difference.high < relevant_gain:
        return "confirmed"
    return "refuted" if improves(difference, relevant_gain) else "inconclusive"


def meaning(status: Status, relevant_gain: float) -> str:
    """What the interval of a gain means, as the end of a sentence."""
    relevant = points(relevant_gain).removeprefix("+")
    if status == "confirmed":
        return f"which rules out the {relevant} that count"
    if status == "refuted":
        return f"which is beyond doubt a gain, and reaches the {relevant} that count"
    return f"which leaves open whether it gains the {relevant} that count"


def plateau_sentence(gain: Gain, relevant_gain: float) -> str:
    """What the best probe behind the plateau gains, and what that means."""
    return f"{best_sentence(gain)}, {meaning(no_gain(gain.difference, relevant_gain), relevant_gain)}"


def promise_kept(result: VariantResult, relevant_gain: float) -> Status:
    """Whether a trained fix does what it promises: more accuracy, or no loss that counts."""
    if is_among(result.variant.name, IMPROVING):
        return "confirmed" if result.change == "better" else "refuted" if result.change == "worse" else "inconclusive"
    change = result.difference
    if change is None:
        return "inconclusive"
    if change.low > -relevant_gain:
        return "confirmed"
    return "refuted" if change.high < 0 and change.value <= -relevant_gain else "inconclusive"
