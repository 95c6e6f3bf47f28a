"""The measured layers for a terminal: what was predicted of each, and what was measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from rfcheck.report.tables import plain_table, status
from rfcheck.report.terminal import Name, print_table, print_wrapped
from rfcheck.report.units import extents
from rfcheck.verify.report.points import UNKNOWN, percent, percent_with_interval

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Extents
    from rfcheck.verify.conclusions import Judgement, MeasuredLayer

SHOWN = 40
"""Layers that are printed one by one; in longer networks neighbours of the same kind share a row."""

_ENDS = 2
"""Layers at each end of a run that keep their own rows."""

_FOLDS = 16
"""Rows into which a run as long as the network is folded."""

_KEY = (
    "r_in: smallest receptive field of the layer's input, in pixels; probe: accuracy of a logistic regression on the layer's "
    "output in percent of the test images, with its 95% interval; satur.: saturation, the share of the feature space in "
    "use, in percent; b_min: predicted border layer; plateau: first layer from which no later probe improves"
)
_STYLES = {"tail": "red", "unproductive": "yellow"}


def print_measured_layers(judgement: Judgement, console: Console) -> None:
    """A row per measured layer, in execution order, and what the columns mean.

    In networks of more than SHOWN layers, those in the middle of long runs without a mark, inside the tail or outside of it, are
    folded to a few rows that hold ranges.

    Args:
        judgement: whose layers to print.
        console: where to print.
    """
    table = plain_table(("layer", "left"), ("r_in", "right"), ("probe", "right"), ("satur.", "right"), ("status", "left"))
    is_folded = False
    for group in _groups(judgement):
        if len(group) == 1:
            _add_layer(table, group[0], _marks(judgement, group[0]))
        else:
            is_folded = True
            _add_folded(table, group)
    print_table(table, console)
    more = "; (+9): a row for this layer and the 9 behind it, all of which are in report.json" if is_folded else ""
    print_wrapped(f"{_KEY}{_skipped_key(judgement)}{more}", console, style="dim")


def _groups(judgement: Judgement) -> Iterator[Sequence[MeasuredLayer]]:
    """The layers one by one, or those that share a row."""
    for key, run in groupby(judgement.layers, lambda measured: (measured.layer.in_tail, _marks(judgement, measured))):
        layers = list(run)
        if len(judgement.layers) <= SHOWN or key[1] or len(layers) <= 2 * _ENDS + 1:
            yield from ([layer] for layer in layers)
        else:
            yield from ([layer] for layer in layers[:_ENDS])
            middle = layers[_ENDS:-_ENDS]
            size = -(-len(judgement.layers) // _FOLDS)
            yield from (middle[start : start + size] for start in range(0, len(middle), size))
            yield from ([layer] for layer in layers[-_ENDS:])


def _marks(judgement: Judgement, measured: MeasuredLayer) -> tuple[str, ...]:
    """What stands behind the status of a layer: whether it is b_min, where the probes stop to rise, whether it is skipped."""
    border = judgement.variants[0].variant.border
    name = measured.layer.name
    marks = {"b_min": name == border, "plateau": name == judgement.plateau, "skipped": measured.skipped}
    return tuple(mark for mark, holds in marks.items() if holds)


def _add_layer(table: Table, measured: MeasuredLayer, marks: tuple[str, ...]) -> None:
    word = status(measured.layer)
    table.add_row(
        Name(measured.layer.name),
        extents(measured.layer.r_in_min),
        percent_with_interval(measured.accuracy),
        percent(measured.saturation),
        ", ".join((word, *marks)),
        style=_STYLES.get(word),
    )


def _add_folded(table: Table, group: Sequence[MeasuredLayer]) -> None:
    """One row for several layers: the ranges of what was measured, and how many have which status."""
    statuses = sorted(Counter(status(measured.layer) for measured in group).items())
    table.add_row(
        Name(f"{group[0].layer.name} (+{len(group) - 1})"),
        _extents_range([measured.layer.r_in_min for measured in group]),
        _range([measured.accuracy.value for measured in group]),
        _range([measured.saturation for measured in group]),
        statuses[0][0] if len(statuses) == 1 else ", ".join(f"{count} {word}" for word, count in statuses),
        style=_STYLES.get(status(group[0].layer), "dim"),
    )


def _extents_range(values: Sequence[Extents | None]) -> str:
    known = [value for value in values if value is not None]
    return _joined(extents(min(known)), extents(max(known))) if known else UNKNOWN


def _range(values: Sequence[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return _joined(percent(min(known)), percent(max(known))) if known else UNKNOWN


def _joined(low: str, high: str) -> str:
    return low if low == high else f"{low}-{high}"


def _skipped_key(judgement: Judgement) -> str:
    has_skipped = any(measured.skipped for measured in judgement.layers)
    return "; skipped: its probe falls below that of the layer that feeds it" if has_skipped else ""
