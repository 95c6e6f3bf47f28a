"""Shares as percent and as percentage points, with their intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rfcheck.verify.verdict.sentences import digits_of, signed

if TYPE_CHECKING:
    from rfcheck.verify.records import Interval

UNKNOWN = "?"


def percent(share: float) -> str:
    """A share in percent, without the sign for it: "84.6"; "?" for NaN."""
    return UNKNOWN if math.isnan(share) else f"{100 * share:.1f}"


def percent_with_interval(interval: Interval) -> str:
    """A share in percent with its interval, without the sign for it: "84.6 [82.2, 86.8]"."""
    if math.isnan(interval.value):
        return UNKNOWN
    return f"{percent(interval.value)} [{percent(interval.low)}, {percent(interval.high)}]"


def points_with_interval(interval: Interval) -> str:
    """A difference of shares in percentage points with its interval: "+1.2 [-0.3, +2.7]"; digits as of `digits_of`."""
    if math.isnan(interval.value):
        return UNKNOWN
    digits = digits_of(interval)
    value, low, high = (signed(difference, digits) for difference in (interval.value, interval.low, interval.high))
    return f"{value} [{low}, {high}]"


def p_value(value: float | None) -> str:
    """A p-value with three digits behind the point, smaller ones as "<0.001"; nothing for None."""
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def change_in_percent(before: float, after: float) -> str:
    """A change as a share of what was: "-50%"; nothing where nothing changed or it cannot be told."""
    if not (before > 0 and math.isfinite(after)):
        return ""
    text = f"{100 * (after / before - 1):+.0f}%"
    return "" if text in ("+0%", "-0%") else text


def duration(seconds: float) -> str:
    """A time with three significant digits in the largest unit that leaves a whole part: "250 µs", "1.20 ms"."""
    if math.isnan(seconds):
        return UNKNOWN
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds / 1e-6)} µs"


def _three_digits(value: float) -> str:
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}"
