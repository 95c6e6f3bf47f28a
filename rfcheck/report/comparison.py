"""What changed between two analyses: totals, border, layers, findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rfcheck.analysis.layers import Extents, Layer
from rfcheck.linting.finding import Finding
from rfcheck.linting.rule import built_in_rules
from rfcheck.report.finding_matches import match_findings

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis

T = TypeVar("T")

COMPARED = (
    "kind",
    "kernel",
    "stride",
    "dilation",
    "padding",
    "groups",
    "in_channels",
    "out_channels",
    "in_size",
    "out_size",
    "r_in_min",
    "r_in_max",
    "r_max",
    "productive",
    "in_tail",
)
"""Fields of a layer that make it a changed one."""


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """A value before and after."""

    before: T
    after: T

    @property
    def changed(self) -> bool:
        """Whether they differ."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of the whole model.

    Attributes:
        flops: multiply-accumulates at batch size 1.
        params: parameters.
        activation_bytes: bytes that a forward pass at batch size 1 allocates.
        tail_layers: layers of the tail.
        unproductive_layers: all unproductive layers.
        r_max: largest receptive field of the last feature map, in pixels per axis; None where unknown.
        lowest_resolution: lowest image without an unproductive layer, in pixels per axis.
        highest_resolution: highest image that the last feature map sees whole.
    """

    flops: Pair[int]
    params: Pair[int]
    activation_bytes: Pair[int]
    tail_layers: Pair[int]
    unproductive_layers: Pair[int]
    r_max: Pair[Extents | None]
    lowest_resolution: Pair[Extents | None]
    highest_resolution: Pair[Extents | None]

    @property
    def changed(self) -> bool:
        """Whether any of them differs."""
        return any(getattr(self, name).changed for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer that both models have, by its name, and that is not the same in both.

    Attributes:
        before: the layer in the first model.
        after: the layer in the second model.
        position: its place among the layers of the second model.
        fields: what differs, names from `COMPARED`.
    """

    before: Layer
    after: Layer
    position: int
    fields: tuple[str, ...]

    def values(self, name: str) -> Pair[Any]:
        """One field before and after."""
        return Pair(getattr(self.before, name), getattr(self.after, name))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one analysis to another.

    Attributes:
        totals: numbers of the whole model.
        border_min: name of the border layer b_min; None without a tail.
        border_max: name of the layer b_max.
        added: layers that only the second model has, in execution order.
        removed: layers that only the first model has.
        changed: layers that both have and that differ, in the order of the second model.
        gone: findings that only the first model has.
        new: findings that only the second model has.
        kept: findings that both have, as of the second model.
    """

    totals: Totals
    border_min: Pair[str | None]
    border_max: Pair[str | None]
    added: tuple[Layer, ...]
    removed: tuple[Layer, ...]
    changed: tuple[LayerChange, ...]
    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    kept: tuple[Finding, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        differs = self.totals.changed or self.border_min.changed or self.border_max.changed
        return not (differs or self.added or self.removed or self.changed or self.gone or self.new)


def compare(before: Analysis, after: Analysis, *, model_wide: Collection[str] | None = None) -> Comparison:
    """What changed from one analysis to another; layers are the same if their names are, findings as `match_findings` has it.

    Args:
        before: of the first model.
        after: of the second model.
        model_wide: codes of the rules about the whole model; those of the built-in ones if None.
    """
    if model_wide is None:
        model_wide = {rule.code for rule in built_in_rules() if rule.scope == "model"}
    first, second = ({layer.name: layer for layer in analysis.layers} for analysis in (before, after))
    findings = match_findings(before.findings, after.findings, first.keys() & second.keys(), model_wide)
    return Comparison(
        totals=_totals(before, after),
        border_min=Pair(before.network.border.b_min, after.network.border.b_min),
        border_max=Pair(before.network.border.b_max, after.network.border.b_max),
        added=tuple(layer for name, layer in second.items() if name not in first),
        removed=tuple(layer for name, layer in first.items() if name not in second),
        changed=tuple(_changes(first, second)),
        gone=findings.gone,
        new=findings.new,
        kept=findings.kept,
    )


def _totals(before: Analysis, after: Analysis) -> Totals:
    return Totals(
        flops=Pair(before.flops, after.flops),
        params=Pair(before.params, after.params),
        activation_bytes=Pair(before.activation_bytes, after.activation_bytes),
        tail_layers=Pair(len(before.tail), len(after.tail)),
        unproductive_layers=Pair(len(before.unproductive), len(after.unproductive)),
        r_max=Pair(_last_r_max(before), _last_r_max(after)),
        lowest_resolution=Pair(before.resolution_range[0], after.resolution_range[0]),
        highest_resolution=Pair(before.resolution_range[1], after.resolution_range[1]),
    )


def _last_r_max(analysis: Analysis) -> Extents | None:
    last = analysis.network.last_map
    return None if last is None else last.r_max


def _changes(first: dict[str, Layer], second: dict[str, Layer]) -> Iterator[LayerChange]:
    for position, (name, layer) in enumerate(second.items()):
        if name in first:
            fields = tuple(field for field in COMPARED if getattr(first[name], field) != getattr(layer, field))
            if fields:
                yield LayerChange(first[name], layer, position, fields)
