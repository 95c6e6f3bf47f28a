"""Which of several fixes serves an aim best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rfcheck.fixes.fix import Fix
from rfcheck.fixes.outcome import Outcome

Aim = Literal["efficiency", "accuracy"]
AIMS: tuple[Aim, ...] = ("efficiency", "accuracy")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The fix that serves an aim best, and why.

    Attributes:
        fix: None where no fix serves the aim.
        reason: what makes it the best, or why there is none.
    """

    fix: Fix | None
    reason: str


def recommend(fixes: Sequence[Fix], aim: Aim, max_flops: float | None = None) -> Recommendation:
    """The best fix for an aim.

    Args:
        fixes: what applies to a model.
        aim: "efficiency": least FLOPs with no tail, or with the smallest where none is without; "accuracy": most productive layers,
            of these the smallest tail and the least FLOPs.
        max_flops: multiply-accumulates that the changed model may have; None for any number.
    """
    allowed = [fix for fix in fixes if max_flops is None or fix.predicted.after.flops <= max_flops]
    if not allowed:
        return Recommendation(None, "no fix applies" if not fixes else "every fix is over --max-flops")
    if aim == "efficiency":
        return _most_efficient(allowed)
    best = min(allowed, key=lambda fix: (-_after(fix).productive_layers, _after(fix).tail_layers, _after(fix).flops))
    if _after(best).productive_layers <= best.predicted.before.productive_layers:
        return Recommendation(None, f"no fix{_within(max_flops)} makes more layers productive")
    return Recommendation(best, f"most productive layers ({_after(best).productive_layers}){_within(max_flops)}")


def _most_efficient(fixes: Sequence[Fix]) -> Recommendation:
    best = min(fixes, key=lambda fix: (_after(fix).tail_layers, _after(fix).flops))
    if not _after(best).tail_layers:
        return Recommendation(best, "least FLOPs with no tail")
    before = best.predicted.before
    if _after(best).tail_layers >= before.tail_layers and _after(best).flops >= before.flops:
        return Recommendation(None, "no fix makes the tail smaller or the network cheaper")
    return Recommendation(best, f"the smallest tail ({_after(best).tail_layers}), at the least FLOPs")


def _after(fix: Fix) -> Outcome:
    return fix.predicted.after


def _within(max_flops: float | None) -> str:
    return "" if max_flops is None else " within --max-flops"
