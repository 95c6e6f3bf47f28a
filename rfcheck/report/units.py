"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable


def short(number: float, unit: str = "") -> str:
    """A count with a decimal prefix: 37.5M, 1.81G."""
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= size:
            digits = 2 if abs(number) < 10 * size else 1 if abs(number) < 100 * size else 0
            return f"{number / size:.{digits}f} {prefix}{unit}".rstrip()
    return f"{number:g} {unit}".rstrip()


def extents(values: Iterable[float] | None) -> str:
    """Per-axis extents: one number where all axes agree, else joined by "x"; "?" if unknown, "inf" if unbounded."""
    if values is None:
        return "?"
    texts = ["inf" if math.isinf(v) else f"{v:g}" for v in values]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


def percent(before: float, after: float) -> str:
    """A change as a share of what was; nothing where nothing changed or there was nothing to change."""
    if before == after or not before:
        return ""
    change = 100 * (after / before - 1)
    if abs(change) < 0.05:
        return "+<0.1%" if change > 0 else "-<0.1%"
    return f"{change:+.1f}%"
