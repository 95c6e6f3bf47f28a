"""A sweep over resolutions as a table for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, JustifyMethod

from rfcheck.report.result import plural
from rfcheck.report.tables import plain_table
from rfcheck.report.terminal import Name, print_table, print_wrapped
from rfcheck.report.units import extents, short

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Extents
    from rfcheck.sweeping import ModelSweep, SweepPoint

FEASIBLE = "*"
_UNKNOWN = "?"
_COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("px", "right"),
    ("productive", "right"),
    ("tail", "right"),
    ("b_min", "left"),
    ("live taps", "right"),
)
_COSTS: tuple[tuple[str, JustifyMethod], ...] = (("FLOPs", "right"), ("activations", "right"))


def print_sweep(swept: ModelSweep, console: Console) -> None:
    """A row per resolution, then the feasible range and the reasons of failures.

    ``productive`` counts productive layers among the judged ones, ``tail`` the layers of the tail, ``live taps`` is
    `SweepPoint.live_taps`; a star marks resolutions in the feasible range.
    """
    print_wrapped(heading(swept), console, style="bold")
    console.print()
    table = plain_table(*_COLUMNS, *_COSTS, names=("b_min",))
    reasons = failure_reasons(swept.points)
    numbers = {resolution: number for number, (sizes, _) in enumerate(reasons, 1) for resolution in sizes}
    for point in swept.points:
        table.add_row(*_cells(point, numbers), style=_style(point))
    print_table(table, console)
    console.print()
    print_wrapped(range_sentence(swept.points), console)
    for number, (sizes, message) in enumerate(reasons, 1):
        at = f"at {sizes[0]} px: " if len(sizes) == 1 else f"at {', '.join(map(str, sizes))} px, first: "
        print_wrapped(f"({number}) {at}{message}", console)


def heading(swept: ModelSweep) -> str:
    """One line on the model and what was swept."""
    sizes = [point.resolution for point in swept.points]
    at = f"{sizes[0]} px" if len(sizes) == 1 else f"{len(sizes)} resolutions from {sizes[0]} to {sizes[-1]} px"
    judged = {point.judged for point in swept.points if point.judged is not None}
    layers = f", {plural(judged.pop(), 'judged layer')}" if len(judged) == 1 else ""
    return f"{swept.target} at {at}, {plural(swept.channels, 'channel')}{layers}"


def _cells(point: SweepPoint, numbers: dict[int, int]) -> tuple[str | Name, ...]:
    mark = FEASIBLE if point.in_range else _UNKNOWN if point.in_range is None and point.failure is None else " "
    resolution = f"{mark} {point.resolution:>4}"
    if point.failure is not None:
        return (resolution, "", "", f"failed ({numbers[point.resolution]})", "", "", "")
    share = point.productive_share
    return (
        resolution,
        _UNKNOWN if share is None else f"{point.productive}/{(point.judged or 0) - (point.unknown or 0)} {percent(share):>4}",
        str(point.tail),
        Name(point.border_min or "-"),
        "-" if point.live_taps is None else percent(point.live_taps),
        short(point.flops or 0),
        short(point.activation_bytes or 0, "B"),
    )


def _style(point: SweepPoint) -> str | None:
    if point.failure is not None:
        return "red"
    return "green" if point.in_range else None


def percent(share: float) -> str:
    """A share as whole percent; all of it is 100 %, nearly all is not."""
    shown = min(round(share * 100), 99) if share < 1 else 100
    return f"{shown}%"


def range_sentence(points: Sequence[SweepPoint]) -> str:
    """Where the feasible range is, and which of the points lie in it."""
    analysed = [point for point in points if point.failure is None]
    low = _span(point.lowest for point in analysed)
    high = _span(point.highest for point in analysed)
    differs = ", depending on the resolution" if len({(point.lowest, point.highest) for point in analysed}) > 1 else ""
    meaning = f"no layer is unproductive from {low} px on, and the last map sees up to {high} px{differs}"
    if any(point.in_range for point in analysed):
        return f"{FEASIBLE} in the feasible range: {meaning}."
    if analysed and all(point.in_range is None for point in analysed):
        return f"{_UNKNOWN} It is not known which of these are feasible: {meaning}."
    return f"None of these is in the feasible range: {meaning}."


def _span(values: Iterable[Extents | None]) -> str:
    """Extents that may differ between resolutions: the least and the greatest."""
    known = sorted({value for value in values if value is not None})
    if not known:
        return _UNKNOWN
    return extents(known[0]) if len(known) == 1 else f"{extents(known[0])}-{extents(known[-1])}"


def failure_reasons(points: Iterable[SweepPoint]) -> list[tuple[list[int], str]]:
    """Resolutions that fail for the same reason, each group with the message of its first; sizes in messages may differ."""
    groups: dict[str, tuple[list[int], str]] = {}
    for point in points:
        if point.failure is not None:
            kind = re.sub(r"\d+( ?x ?\d+)+", "", point.failure)
            groups.setdefault(kind, ([], point.failure))[0].append(point.resolution)
    return list(groups.values())
