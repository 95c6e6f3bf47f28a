"""What a rule found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rfcheck.span import Span

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""From the mildest to the gravest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a model at one input size.

    Attributes:
        code: of the rule, "RF101".
        name: of the rule, "unproductive-tail".
        severity: "error", "warning" or "info".
        message: one sentence.
        layer: name of the layer that it points at; None where it is about the whole model.
        fixes: names of the fixes that the rule proposes.
        chain: the code that made the layer: the call itself, then the call that led to it, and so on outwards; for a finding about
            the whole model its definition. Empty where unknown.
        extent: a number that is larger the worse it is, such as the layers of a tail; None where the rule names none.
    """

    code: str
    name: str
    severity: Severity
    message: str
    layer: str | None
    fixes: tuple[str, ...] = ()
    chain: tuple[Span, ...] = ()
    extent: float | None = None

    @property
    def location(self) -> tuple[str, int] | None:
        """File and line that it points at; None where unknown."""
        return (self.chain[0].path, self.chain[0].line) if self.chain else None


NEVER = "never"
"""The threshold that no finding reaches."""


def at_least(severity: str, threshold: str) -> bool:
    """Whether a severity is as grave as a threshold, which is a severity or NEVER."""
    if threshold == NEVER:
        return False
    order: tuple[str, ...] = SEVERITIES
    return order.index(severity) >= order.index(threshold)
