"""Numbers in the words of a report."""

from __future__ import annotations

from collections.abc import Sequence

from rfcheck.verify.records import Gain, Interval


def percent(share: float) -> str:
    """A share as "84.6%"."""
    return f"{share:.1%}"


def points(difference: float) -> str:
    """A difference of accuracies as "+1.2 points"."""
    return f"{_signed(difference)} points"


def with_interval(difference: Interval, beside: str = "") -> str:
    """A difference of accuracies with its interval: "+1.2 points (95%: -0.3 to +2.7)".

    Args:
        difference: between -1 and 1.
        beside: stands before the interval: "+1.2 points on that of conv1 (95%: -0.3 to +2.7)".
    """
    return f"{points(difference.value)}{beside} (95%: {_signed(difference.low)} to {_signed(difference.high)})"


def gain_sentence(gain: Gain) -> str:
    """How a probe compares with one before it."""
    return f"the probe of {gain.best} gains {with_interval(gain.difference, f' on that of {gain.reference}')}"


def best_sentence(gain: Gain) -> str:
    """How the best of several probes compares with one before them."""
    return f"the best probe behind {gain.reference}, that of {gain.best}, gains {with_interval(gain.difference, ' on it')}"


def counted(number: int, noun: str) -> str:
    """A number of things: 1 layer, 2 layers."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names side by side; of many only the first, and how many there are beside them."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _signed(difference: float) -> str:
    rounded = round(100 * difference, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"
