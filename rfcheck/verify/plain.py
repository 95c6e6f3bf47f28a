"""Numbers and intervals as the JSON files of a run hold them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfcheck.verify.records import Interval


def known(value: float | None) -> float | None:
    """A number that JSON can hold; None for NaN and infinity, which measurements have where outputs were not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def interval_to_dict(interval: Interval | None) -> dict[str, float | None] | None:
    """A measured value with its 95% interval; None stays None."""
    return None if interval is None else {"value": known(interval.value), "low": known(interval.low), "high": known(interval.high)}
