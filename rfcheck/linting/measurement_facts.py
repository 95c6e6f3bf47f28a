"""The facts that rules of the scope "measurement" see: what training and measuring a model showed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

VARIABLES = frozenset({"model", "tail_pattern", "saturation", "plateau", "verdict", "limits"})
"""Names that such a rule may read; one that reads ``verdict`` is judged for every finding of the linter."""

ATTRIBUTES = frozenset(
    {"name", "layers", "mean", "rest", "width_factor", "layer", "border", "distance", "behind", "idle", "code", "status"}
    | {"evidence", "measured"}
)
"""Names that such a rule may read from facts, besides its own limits."""


def tail_pattern_fact(layers: Sequence[str], mean: float, rest: float) -> dict[str, Any]:
    """The tail pattern: its layers, their mean saturation, and that of all other layers."""
    return {"layers": list(layers), "mean": mean, "rest": rest}


def saturation_fact(mean: float, width_factor: float) -> dict[str, Any]:
    """The mean saturation, and the factor of all widths that would bring it to the middle of the range."""
    return {"mean": mean, "width_factor": width_factor}


def plateau_fact(layer: str, border: str | None, distance: int, idle: int, evidence: str) -> dict[str, Any]:
    """Where probes stop improving.

    Args:
        layer: the first from which no later probe is better; the last measured one where all of them still improve.
        border: b_min; None where no tail was predicted.
        distance: judged layers from the border to this layer; negative if it comes before the border.
        idle: judged layers behind this one.
        evidence: what the best probe among these gains; empty where there is none.
    """
    return {
        "layer": layer,
        "border": border or "",
        "distance": abs(distance),
        "behind": distance > 0,
        "idle": idle,
        "evidence": evidence,
    }


def verdict_fact(code: str, name: str, layer: str | None, status: str, evidence: str, *, measured: bool) -> dict[str, Any]:
    """What the measurement says of one finding.

    Args:
        code: of the finding's rule.
        name: of the finding's rule.
        layer: that the finding points at.
        status: "confirmed", "refuted" or "inconclusive".
        evidence: one sentence.
        measured: whether the run measured anything that bears on it.
    """
    return {"code": code, "name": name, "layer": layer or "", "status": status, "evidence": evidence, "measured": measured}
