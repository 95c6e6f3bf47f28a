"""Names of fixes and of their variants: several of one fix have a number behind its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"-\d+$")


def fix_of(name: str) -> str:
    """The fix that a variant is made by: "truncate-before" for "truncate-before-2"."""
    return _NUMBER.sub("", name)


def is_variant_of(name: str, fix: str) -> bool:
    """Whether a fix, or a variant of it, is called so: "truncate-before" is no variant of "truncate"."""
    return fix_of(name) == fix


def is_among(name: str, fixes: Iterable[str]) -> bool:
    """Whether a fix is one of some, or a variant of one."""
    return any(is_variant_of(name, fix) for fix in fixes)
