"""Functions that the expressions of rule files may call: how numbers and lists are written in messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

_PREFIXES = ((1e18, " E"), (1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, ""))
_FEWEST_DIGITS, _MOST_DIGITS = 3, 17  # a float has no more


def against(value: float, limit: float) -> str:
    """A value and the limit that it exceeds, with as many digits as it takes to tell them apart: "1.81 G (limit 1 G)"."""
    pairs = ((_written(value, digits), _written(limit, digits)) for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1))
    written, bound = next((pair for pair in pairs if pair[0] != pair[1]), (repr(value), repr(limit)))
    return f"{written} (limit {bound})"


def listed(parts: Iterable[str]) -> str:
    """Texts side by side, the empty ones left out."""
    return ", ".join(part for part in parts if part)


def _written(number: float, digits: int) -> str:
    rounded = float(f"{number:.{digits}g}")
    size, prefix = next(((s, p) for s, p in _PREFIXES if s <= abs(rounded) < math.inf), (1.0, ""))
    return f"{rounded / size:.{digits}g}{prefix}"


FUNCTIONS: dict[str, Callable[..., Any]] = {"against": against, "listed": listed}
"""By the names that rule files use."""
