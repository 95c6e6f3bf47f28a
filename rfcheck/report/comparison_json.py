"""The JSON report of a comparison, version 1; receptive fields as in the JSON report of an analysis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import rfcheck
from rfcheck.linting.finding import Finding
from rfcheck.report.comparison import Comparison, LayerChange, Pair
from rfcheck.report.versions import Analyzed, ModelChange, Versions, failing

VERSION = 1


def versions_to_dict(versions: Versions, fail_on: str) -> dict[str, Any]:
    """A whole comparison.

    Args:
        versions: what was compared.
        fail_on: mildest severity of a new finding that makes the second version worse, or "never".
    """
    return {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "changed": not versions.is_empty,
        "worse": bool(failing(versions, fail_on)),
        "models": [_model(model) for model in versions.models],
        "models_removed": [_alone(result) for result in versions.removed],
        "models_added": [_alone(result) for result in versions.added],
    }


def _alone(result: Analyzed) -> dict[str, Any]:
    return {"target": result.target, "findings": _findings(result.analysis.findings)}


def _model(model: ModelChange) -> dict[str, Any]:
    network = model.after.analysis.network
    return {
        "before": model.before.target,
        "after": model.after.target,
        "input": {"channels": network.channels, "size": list(network.input_size)},
        **comparison_to_dict(model.comparison),
    }


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """One comparison as plain data."""
    totals = comparison.totals
    return {
        "totals": {name: _pair(getattr(totals, name)) for name in totals.__slots__},
        "border_min": _pair(comparison.border_min),
        "border_max": _pair(comparison.border_max),
        "layers": {
            "added": [layer.name for layer in comparison.added],
            "removed": [layer.name for layer in comparison.removed],
            "changed": [_layer(change) for change in comparison.changed],
        },
        "findings": {
            "fixed": _findings(comparison.gone),
            "new": _findings(comparison.new),
            "kept": _findings(comparison.kept),
        },
    }


def _layer(change: LayerChange) -> dict[str, Any]:
    return {"name": change.after.name, "changes": {name: _pair(change.values(name)) for name in change.fields}}


def _pair(pair: Pair[Any]) -> dict[str, Any]:
    return {"before": _plain(pair.before), "after": _plain(pair.after)}


def _plain(value: Any) -> Any:
    """Tuples as lists, unbounded numbers as "inf"."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value


def _findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [{"code": f.code, "name": f.name, "severity": f.severity, "message": f.message, "layer": f.layer} for f in findings]
