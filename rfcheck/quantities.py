"""Numbers as people write them, with decimal suffixes."""

from __future__ import annotations

import math

_SUFFIXES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def parse_number(text: str) -> float:
    """A number with an optional decimal suffix: "0.5", "2e8", "200M"; NaN where the text is none."""
    factor = _SUFFIXES.get(text[-1:], 1.0)
    try:
        return float(text[:-1] if factor > 1 else text) * factor
    except ValueError:
        return math.nan


def parse_limit(text: str) -> float:
    """A number, or "off" for a limit that nothing exceeds; NaN where the text is neither."""
    return math.inf if text == "off" else parse_number(text)
