"""Whether a model learned its task at all."""

from __future__ import annotations

from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.sentences import percent


def why_unlearned(accuracy: Interval, chance: float, least: float) -> str:
    """Why nothing can be concluded from a model that has hardly learned its task; empty if it has.

    Args:
        accuracy: of the model on the test images.
        chance: that of guessing.
        least: share of the way from guessing to no error that the accuracy must have gone beyond doubt.
    """
    needed = chance + least * (1 - chance)
    if accuracy.low > needed:
        return ""
    interval = f"{percent(accuracy.value)} (95%: {percent(accuracy.low)} to {percent(accuracy.high)})"
    if accuracy.low <= chance:
        guess = f"no better than the {percent(chance)} of guessing"
        return f"the model did not learn: its accuracy of {interval} is {guess}; train longer"
    return (
        f"the model has hardly learned: its accuracy of {interval} is not beyond {percent(needed)}, where guessing gives "
        f"{percent(chance)}; train longer"
    )
