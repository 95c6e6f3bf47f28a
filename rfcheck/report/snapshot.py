"""What reports show of one analysis: plain data, so that it can be kept and shown again without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rfcheck.analysis.cost import Cost
from rfcheck.analysis.layers import Extents, Layer
from rfcheck.report.fix_line import best_option

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.linting.finding import Finding


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts of one analysis. Findings are not among them: what is reported depends on suppressions and baselines too.

    Attributes:
        model: how the model is called.
        channels: channels of the input.
        input_size: image extent per axis, in pixels.
        traced_with: "meta", "fake" or "real".
        assumptions: what had to be assumed because an operator is unknown.
        border_min: name of b_min; None without a tail.
        border_max: name of b_max.
        tail: names of the layers of the tail.
        resolution_range: lowest image without unproductive layers and highest that the last map sees whole, per axis.
        cost: of the whole network.
        tail_cost: of the tail.
        flops_by_operator: multiply-accumulates per operator, largest first.
        layers: every convolution, pooling, linear and recurrent call, in execution order.
        best_fixes: one line on the best fix, by the code of the rule that it answers.
        edits: findings that an edit of the model's file answers, as `place_in_model` names them, and whether the edit is safe.
    """

    model: str
    channels: int
    input_size: tuple[int, ...]
    traced_with: str
    assumptions: tuple[str, ...]
    border_min: str | None
    border_max: str | None
    tail: tuple[str, ...]
    resolution_range: tuple[Extents | None, Extents | None]
    cost: Cost
    tail_cost: Cost
    flops_by_operator: Mapping[str, int]
    layers: tuple[Layer, ...]
    best_fixes: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[str, bool] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """Number of judged layers."""
        return sum(layer.judged for layer in self.layers)

    @property
    def unproductive(self) -> int:
        """Number of unproductive layers, those of the tail included."""
        return sum(layer.productive is False for layer in self.layers)


def snapshot_of(analysis: Analysis, edits: Mapping[str, bool] | None = None, *, with_fixes: bool = True) -> Snapshot:
    """The facts of an analysis.

    Args:
        analysis: of one model.
        edits: as in `Snapshot`.
        with_fixes: whether to work out the best fix for each finding, which takes about as long as the analysis.
    """
    network = analysis.network
    return Snapshot(
        model=analysis.name,
        channels=network.channels,
        input_size=analysis.input_size,
        traced_with=analysis.traced_with,
        assumptions=(*analysis.assumptions, *analysis.range_moves),
        border_min=network.border.b_min,
        border_max=network.border.b_max,
        tail=tuple(network.border.tail),
        resolution_range=analysis.resolution_range,
        cost=network.total,
        tail_cost=network.tail_cost,
        flops_by_operator=analysis.flops_by_operator(),
        layers=analysis.layers,
        best_fixes=_best_fixes(analysis) if with_fixes else {},
        edits=edits or {},
    )


def place_in_model(finding: Finding) -> str:
    """The rule and the layer of a finding, as one text."""
    return finding.code if finding.layer is None else f"{finding.code} {finding.layer}"


def _best_fixes(analysis: Analysis) -> dict[str, str]:
    answers = {finding.code: finding.fixes for finding in analysis.findings if finding.fixes}
    best = {code: best_option(analysis.fixes, names) for code, names in answers.items()}
    return {code: line for code, line in best.items() if line is not None}
