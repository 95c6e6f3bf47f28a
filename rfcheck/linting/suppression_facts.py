"""The facts that rules of the scope "suppression" see: one comment, and what it is good for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rfcheck.linting.suppression import Suppression

VARIABLES = frozenset({"suppression", "limits"})
"""Names that such a rule may read."""

ATTRIBUTES = frozenset({"path", "line", "codes", "reason", "is_file", "problem", "unknown", "unused"})
"""Names that such a rule may read from the fact ``suppression``."""


def facts_about(suppression: Suppression, unknown: Sequence[str], unused: Sequence[str]) -> dict[str, Any]:
    """One comment as a map of plain data.

    Args:
        suppression: the comment.
        unknown: its entries that no rule is called.
        unused: its entries that silence nothing although their rules ran; an empty text is that for all rules.
    """
    return {
        "path": suppression.path,
        "line": suppression.line,
        "codes": list(suppression.codes),
        "reason": suppression.reason,
        "is_file": suppression.is_file,
        "problem": suppression.problem,
        "unknown": list(unknown),
        "unused": list(unused),
    }
