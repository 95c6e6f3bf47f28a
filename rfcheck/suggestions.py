"""What to say of a name that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_LEAST = 2
"""Letters that a beginning or initials must have to tell anything."""


def did_you_mean(name: str, known: Iterable[str], otherwise: str, most: int = 1) -> str:
    """A question with the names that are near, or else another hint.

    Args:
        name: as it was given.
        known: the names that exist.
        otherwise: the hint where none is near.
        most: how many near names to give, the nearest first; where several may be given, they may be less near.
    """
    names = list(known)
    near = [*_short_for(name, names), *difflib.get_close_matches(name, names, most, 0.6 if most == 1 else 0.5)]
    return f"did you mean {' or '.join(list(dict.fromkeys(near))[:most])}?" if near else otherwise


def _short_for(name: str, known: Iterable[str]) -> list[str]:
    """The names that a name is the beginning of, or the initials: --res and --lr."""
    dashes = "-" * (len(name) - len(name.lstrip("-")))
    letters = name.lstrip("-")
    if len(letters) < _LEAST:
        return []
    found = [one for one in known if one.startswith(dashes) and one != name]
    begun = [one for one in found if one.startswith(name)]
    return begun or [one for one in found if "".join(word[:1] for word in re.split("[-_]", one.lstrip("-"))) == letters]
