"""What to say of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """A question with the names that are near, or else another hint.

    Args:
        name: as it was given.
        known: the names that exist.
        otherwise: the hint where none is near.
    """
    near = difflib.get_close_matches(name, list(known), 3, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
