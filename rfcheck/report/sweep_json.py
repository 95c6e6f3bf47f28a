"""Sweeps over resolutions as JSON, version 1: a structure of its own, so that internals may change without breaking readers.

Quantities of a resolution at which the forward pass fails are null, and so are unknown ones; "inf" stands for unbounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import rfcheck
from rfcheck.report.json_v1 import extents_to_list
from rfcheck.report.result import Failure

if TYPE_CHECKING:
    from rfcheck.sweeping import ModelSweep, SweepPoint

VERSION = 1


def sweeps_to_dict(sweeps: Sequence[ModelSweep], failures: Sequence[Failure]) -> dict[str, Any]:
    """All models of one command."""
    return {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "sweeps": [_sweep(swept) for swept in sweeps],
        "failures": [{"target": failure.target, "message": failure.message} for failure in failures],
    }


def _sweep(swept: ModelSweep) -> dict[str, Any]:
    return {
        "target": swept.target,
        "path": swept.path,
        "line": swept.line,
        "channels": swept.channels,
        "points": [_point(point) for point in swept.points],
    }


def _point(point: SweepPoint) -> dict[str, Any]:
    return {
        "resolution": point.resolution,
        "failure": point.failure,
        "in_range": point.in_range,
        "judged": point.judged,
        "productive": point.productive,
        "unknown": point.unknown,
        "productive_share": point.productive_share,
        "tail": point.tail,
        "border_min": point.border_min,
        "border_position": point.border_position,
        "live_taps": point.live_taps,
        "flops": point.flops,
        "activation_bytes": point.activation_bytes,
        "resolution_range": {"lowest": extents_to_list(point.lowest), "highest": extents_to_list(point.highest)},
    }
