"""The JSON report, version 1: structures of its own, so that internals may change without breaking readers.

Receptive fields are lists with one number per image axis; "inf" stands for unbounded, null for unknown.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import rfcheck
from rfcheck.analysis.layers import Extents, Layer
from rfcheck.linting.finding import Finding
from rfcheck.report.fix_line import best_option

if TYPE_CHECKING:
    from rfcheck.api import Analysis
    from rfcheck.report.result import Result, Run

VERSION = 1


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
    return {"target": result.target, "path": result.path, "line": result.line, **_body(result.analysis)}


def analysis_to_dict(analysis: Analysis) -> dict[str, Any]:
    """One analysis."""
    return {"version": VERSION, "rfcheck": rfcheck.__version__, **_body(analysis)}


def dump(value: dict[str, Any]) -> str:
    """JSON text that any parser reads."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)


def _body(analysis: Analysis) -> dict[str, Any]:
    network = analysis.network
    low, high = analysis.resolution_range
    tail = network.tail_cost
    return {
        "model": analysis.name,
        "input": {"channels": network.channels, "size": list(analysis.input_size)},
        "traced_with": analysis.traced_with,
        "assumptions": list(analysis.assumptions),
        "border_min": network.border.b_min,
        "border_max": network.border.b_max,
        "tail": list(network.border.tail),
        "resolution_range": {"lowest": extents_to_list(low), "highest": extents_to_list(high)},
        "cost": {"flops": analysis.flops, "params": analysis.params, "activation_bytes": analysis.activation_bytes},
        "tail_cost": {"flops": tail.flops, "params": tail.params, "activation_bytes": tail.activation_bytes},
        "flops_by_operator": analysis.flops_by_operator(),
        "findings": [_finding(finding, analysis) for finding in analysis.findings],
        "layers": [_layer(layer) for layer in analysis.layers],
    }


def _finding(finding: Finding, analysis: Analysis) -> dict[str, Any]:
    location = None if finding.location is None else {"path": finding.location[0], "line": finding.location[1]}
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        "layer": finding.layer,
        "location": location,
        "fixes": list(finding.fixes),
        "best_fix": best_option(analysis.fixes, finding.fixes) if finding.fixes else None,
    }


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
