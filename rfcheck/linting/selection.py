"""Which rules run, by their codes alone."""

from __future__ import annotations

from rfcheck.config import Settings


def is_selected(code: str, settings: Settings) -> bool:
    """Whether the rule of a code is to run: the longest matching prefix in ``select`` or ``ignore`` decides, as in ruff."""
    chosen = max((len(p) for p in settings.select if code.startswith(p)), default=-1 if settings.select else 0)
    dropped = max((len(p) for p in settings.ignore if code.startswith(p)), default=-1)
    return chosen > dropped
