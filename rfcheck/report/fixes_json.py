"""Fixes as JSON, version 1: structures of their own, so that internals may change without breaking readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import rfcheck
from rfcheck.fixes.recommending import Aim, Recommendation
from rfcheck.report.json_v1 import VERSION, extents_to_list

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.outcome import Outcome


def fixes_to_dict(analysis: Analysis, target: str, recommendations: Mapping[Aim, Recommendation]) -> dict[str, Any]:
    """The fixes of one model."""
    return {
        "target": target,
        "model": analysis.name,
        "input": {"channels": analysis.network.channels, "size": list(analysis.input_size)},
        "fixes": [_fix(fix) for fix in analysis.fixes],
        "skipped": [{"name": skipped.name, "reason": skipped.reason} for skipped in analysis.proposals.skipped],
        "recommended": {
            aim: {"fix": None if r.fix is None else r.fix.name, "reason": r.reason} for aim, r in recommendations.items()
        },
    }


def run_to_dict(models: list[dict[str, Any]]) -> dict[str, Any]:
    """A whole run."""
    return {"version": VERSION, "rfcheck": rfcheck.__version__, "models": models}


def applied_to_dict(target: str, code: str, before: Outcome, after: Outcome) -> dict[str, Any]:
    """Fixes that were carried out together."""
    predicted = {"before": _outcome(before), "after": _outcome(after)}
    return {"version": VERSION, "rfcheck": rfcheck.__version__, "target": target, "code": code, "predicted": predicted}


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "name": fix.name,
        "safe": fix.safe,
        "description": fix.description,
        "code": fix.code,
        "predicted": {"before": _outcome(fix.predicted.before), "after": _outcome(fix.predicted.after)},
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    low, high = outcome.resolution_range
    return {
        "tail_layers": outcome.tail_layers,
        "unproductive_layers": outcome.unproductive_layers,
        "productive_layers": outcome.productive_layers,
        "flops": outcome.flops,
        "params": outcome.params,
        "activation_bytes": outcome.activation_bytes,
        "r_max": extents_to_list(outcome.r_max),
        "resolution_range": {"lowest": extents_to_list(low), "highest": extents_to_list(high)},
    }
