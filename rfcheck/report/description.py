"""A few lines on a network as a whole, as reports for people show them."""

from __future__ import annotations

from rfcheck.report.result import plural
from rfcheck.report.snapshot import Snapshot
from rfcheck.report.units import extents, short


def describe(snapshot: Snapshot) -> list[str]:
    """Layers and cost, the range of resolutions, how the forward was traced unless as usual, and what was assumed; a line each."""
    judged = plural(snapshot.judged, "judged layer")
    layers = f"{judged}, {snapshot.unproductive} unproductive, {len(snapshot.tail)} of them in the tail"
    cost = snapshot.cost
    compute = f"{short(cost.params)} parameters, {short(cost.flops, 'FLOPs')}"
    lines = [f"{layers}; {compute}, {short(cost.activation_bytes, 'B')} activations"]
    low, high = snapshot.resolution_range
    if snapshot.judged:
        lines.append(f"no unproductive layer from {extents(low)} px on; the last map sees up to {extents(high)} px")
    if snapshot.traced_with != "meta":
        how = "FakeTensors" if snapshot.traced_with == "fake" else "a real forward pass on zeros"
        lines.append(f"traced with {how}, as the forward does not run on meta tensors")
    lines.extend(f"assumed: {text}" for text in snapshot.assumptions)
    return lines
