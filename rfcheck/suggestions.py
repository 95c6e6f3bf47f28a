"""What to say of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], otherwise: str, most: int = 1) -> str:
    """A question with the names that are near, or else another hint.

    Args:
        name: as it was given.
        known: the names that exist.
        otherwise: the hint where none is near.
        most: how many near names to give, the nearest first; where several may be given, they may be less near.
    """
    near = difflib.get_close_matches(name, list(known), most, 0.6 if most == 1 else 0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
