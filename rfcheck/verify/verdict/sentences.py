"""Numbers in the words of a report."""

from __future__ import annotations

from collections.abc import Sequence

from rfcheck.verify.conclusions import Gain
from rfcheck.verify.records import Interval

_MOST_DIGITS = 6


def percent(share: float) -> str:
    """A share as "84.6%"."""
    return f"{share:.1%}"


def points(difference: float) -> str:
    """A difference of accuracies as "+1.2 points"."""
    return f"{signed(difference)} points"


def with_interval(difference: Interval, beside: str = "") -> str:
    """A difference of accuracies with its interval: "+1.2 points (95%: -0.3 to +2.7)"; digits as of `digits_of`.

    Args:
        difference: between -1 and 1.
        beside: stands before the interval: "+1.2 points on that of conv1 (95%: -0.3 to +2.7)".
    """
    digits = digits_of(difference)
    value, low, high = (signed(end, digits) for end in (difference.value, difference.low, difference.high))
    return f"{value} points{beside} (95%: {low} to {high})"


def gain_sentence(gain: Gain) -> str:
    """How a probe compares with one before it."""
    return f"the probe of {gain.best} gains {with_interval(gain.difference, f' on that of {gain.reference}')}"


def best_sentence(gain: Gain) -> str:
    """How the best of several probes compares with one before them."""
    return f"the best probe behind {gain.reference}, that of {gain.best}, gains {with_interval(gain.difference, ' on it')}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names side by side; of many only the first, and how many there are beside them."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def signed(difference: float, digits: int = 1) -> str:
    """A difference of accuracies in points, with a sign; what rounds to zero has none, so that no sign is claimed unseen."""
    rounded = round(100 * difference, digits)
    return f"{rounded:+.{digits}f}" if rounded else "0.0"


def digits_of(difference: Interval) -> int:
    """Digits behind the point of a difference: one, and more where an end of an interval without zero would read as zero."""
    if difference.low <= 0 <= difference.high:
        return 1
    ends = (difference.low, difference.high)
    return next((digits for digits in range(1, _MOST_DIGITS) if all(signed(end, digits) != "0.0" for end in ends)), 1)
