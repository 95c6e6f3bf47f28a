"""Fixes side by side, for a terminal: what each does, and which serves which aim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from rfcheck.fixes.recommending import Aim, Recommendation
from rfcheck.input_size import input_text
from rfcheck.printable import printable
from rfcheck.report.tables import plain_table
from rfcheck.report.terminal import print_table, print_wrapped
from rfcheck.report.units import extents, short

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.outcome import Outcome

_COLUMNS = ("tail", "unprod.", "FLOPs", "params", "memory", "r_max", "from px")


def print_fixes(analysis: Analysis, title: str, recommendations: Mapping[Aim, Recommendation], console: Console) -> None:
    """A table with a row for the model as it is and one per fix, what each changes, and the recommendations.

    ``tail`` and ``unprod.`` count layers, ``memory`` is what a forward pass of one image allocates, ``r_max`` belongs to the last
    feature map, and ``from px`` is the lowest image without an unproductive layer.
    """
    channels = analysis.network.channels
    console.print(
        f"{printable(title)} at {input_text(channels, analysis.input_size)}",
        style="bold",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    fixes = analysis.fixes
    if fixes:
        print_table(_table(fixes, recommendations), console)
        for fix in fixes:
            kind = "same outputs" if fix.safe else ""
            _print_item(fix.name, f"{fix.description}{f' ({kind})' if kind else ''}", console)
        console.print()
    for aim, recommendation in recommendations.items():
        chosen = recommendation.fix.name if recommendation.fix else "none"
        print_wrapped(f"for {aim}: {chosen} ({recommendation.reason})", console, "  ", "    ")
    if analysis.proposals.skipped:
        console.print()
        for skipped in analysis.proposals.skipped:
            _print_item(f"no {skipped.name}", skipped.reason, console, style="dim")


def _table(fixes: Sequence[Fix], recommendations: Mapping[Aim, Recommendation]) -> Table:
    table = plain_table(("", "left"), *((name, "right") for name in _COLUMNS))
    chosen = {id(r.fix) for r in recommendations.values() if r.fix is not None}
    table.add_row("as it is", *_cells(fixes[0].predicted.before))
    for fix in fixes:
        table.add_row(fix.name, *_cells(fix.predicted.after), style="bold green" if id(fix) in chosen else None)
    return table


def _cells(outcome: Outcome) -> list[str]:
    return [
        str(outcome.tail_layers),
        str(outcome.unproductive_layers),
        short(outcome.flops),
        short(outcome.params),
        short(outcome.activation_bytes, "B"),
        extents(outcome.r_max),
        extents(outcome.resolution_range[0]),
    ]


def _print_item(name: str, text: str, console: Console, style: str | None = None) -> None:
    print_wrapped(f"{name}: {text}", console, "  ", "    ", style)
