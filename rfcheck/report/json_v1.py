"""The JSON report, version 1: structures of its own, so that internals may change without breaking readers.

Receptive fields are lists with one number per image axis; "inf" stands for unbounded, null for unknown.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import rfcheck
from rfcheck.analysis.cost import Cost
from rfcheck.analysis.layers import Extents, Layer
from rfcheck.linting.finding import Finding
from rfcheck.linting.suppression import Suppression
from rfcheck.printable import printable_json
from rfcheck.report.snapshot import Snapshot, snapshot_of
from rfcheck.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfcheck.analysed import Analysis
    from rfcheck.report.result import Result, Run
    from rfcheck.report.view import View

VERSION = 1


def render(run: Run, view: View) -> str:
    """A whole run as JSON text."""
    del view
    return f"{dump(run_to_dict(run))}\n"


def run_to_dict(run: Run) -> dict[str, Any]:
    """A whole run."""
    return {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "results": [_result(result) for result in run.results],
        "failures": [{"target": failure.target, "message": failure.message} for failure in run.failures],
        "summary": run.count(),
    }


def _result(result: Result) -> dict[str, Any]:
    best_fixes = result.snapshot.best_fixes
    return {
        "target": result.target,
        "path": result.path,
        "line": result.line,
        **_facts(result.snapshot),
        "findings": [_finding(finding, best_fixes) for finding in result.findings],
        "suppressed": [{**_finding(one.finding, best_fixes), "suppressed_by": _suppression(one.by)} for one in result.suppressed],
        "known": [_finding(finding, best_fixes) for finding in result.known],
    }


def analysis_to_dict(analysis: Analysis) -> dict[str, Any]:
    """One analysis."""
    snapshot = snapshot_of(analysis)
    return {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        **_facts(snapshot),
        "findings": [_finding(finding, snapshot.best_fixes) for finding in analysis.findings],
    }


def dump(value: dict[str, Any]) -> str:
    """JSON text that any parser reads."""
    return printable_json(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def _facts(snapshot: Snapshot) -> dict[str, Any]:
    low, high = snapshot.resolution_range
    return {
        "model": snapshot.model,
        "input": {"channels": snapshot.channels, "size": list(snapshot.input_size)},
        "traced_with": snapshot.traced_with,
        "assumptions": list(snapshot.assumptions),
        "border_min": snapshot.border_min,
        "border_max": snapshot.border_max,
        "tail": list(snapshot.tail),
        "resolution_range": {"lowest": extents_to_list(low), "highest": extents_to_list(high)},
        "cost": _cost(snapshot.cost),
        "tail_cost": _cost(snapshot.tail_cost),
        "flops_by_operator": dict(snapshot.flops_by_operator),
        "layers": [_layer(layer) for layer in snapshot.layers],
    }


def _cost(cost: Cost) -> dict[str, int]:
    return {"flops": cost.flops, "params": cost.params, "activation_bytes": cost.activation_bytes}


def _finding(finding: Finding, best_fixes: Mapping[str, str]) -> dict[str, Any]:
    return {**finding_to_dict(finding), "best_fix": best_fixes.get(finding.code)}


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """One finding, with the code that it points at."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        "layer": finding.layer,
        "location": _span(finding.chain[0]) if finding.chain else None,
        "made_by": [_span(span) for span in finding.chain[1:]],
        "fixes": list(finding.fixes),
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _suppression(suppression: Suppression) -> dict[str, Any]:
    return {"path": suppression.path, "line": suppression.line, "reason": suppression.reason or None}


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "role": layer.role,
        "module_type": layer.module_type,
        "kernel": _sizes(layer.kernel),
        "stride": _sizes(layer.stride),
        "dilation": _sizes(layer.dilation),
        "padding": _sizes(layer.padding),
        "groups": layer.groups,
        "in_channels": layer.in_channels,
        "out_channels": layer.out_channels,
        "in_size": list(layer.in_size),
        "out_size": list(layer.out_size),
        "jump": extents_to_list(layer.jump),
        "r_min": extents_to_list(layer.r_min),
        "r_max": extents_to_list(layer.r_max),
        "r_in_min": extents_to_list(layer.r_in_min),
        "r_in_max": extents_to_list(layer.r_in_max),
        "live_taps": layer.live_taps,
        "flops": layer.flops,
        "params": layer.params,
        "judged": layer.judged,
        "productive": layer.productive,
        "in_tail": layer.in_tail,
        "source": None if layer.source is None else {"path": layer.source[0], "line": layer.source[1]},
    }


def _sizes(values: tuple[int, ...] | None) -> list[int] | None:
    return None if values is None else list(values)


def extents_to_list(values: Extents | None) -> list[float | str] | None:
    """Receptive fields as JSON holds them."""
    return None if values is None else ["inf" if math.isinf(value) else value for value in values]
