"""What a rule found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
        location: file and line; None where unknown.
        fixes: names of the fixes that the rule proposes.
    """

    code: str
    name: str
    severity: Severity
    message: str
    layer: str | None
    location: tuple[str, int] | None = None
    fixes: tuple[str, ...] = ()


def at_least(severity: str, threshold: str) -> bool:
    """Whether a severity is as grave as a threshold."""
    order: tuple[str, ...] = SEVERITIES
    return order.index(severity) >= order.index(threshold)
