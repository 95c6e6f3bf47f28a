"""Whether a model learned its task at all."""

from __future__ import annotations

from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.sentences import percent


def why_unlearned(accuracy: Interval, chance: float) -> str:
    """Why nothing can be concluded from a model whose accuracy may be that of guessing; empty if it is beyond doubt better.

    Args:
        accuracy: of the model on the test images.
        chance: that of guessing.
    """
    if accuracy.low > chance:
        return ""
    interval = f"{percent(accuracy.value)} (95%: {percent(accuracy.low)} to {percent(accuracy.high)})"
    return f"the model did not learn: its accuracy of {interval} is no better than the {percent(chance)} of guessing; train longer"
