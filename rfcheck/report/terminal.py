"""Text for a terminal of a given width, with colours or without."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Column, Table

    from rfcheck.report.view import View

_LEAST = 12
"""Columns that a name needs, however narrow the terminal is."""


def console_for(view: View) -> Console:
    """A console that keeps what is printed, as the terminal would show it."""
    return Console(
        file=io.StringIO(),
        width=view.width,
        force_terminal=view.color,
        color_system="auto" if view.color else None,
        highlight=False,
    )


def text_of(console: Console) -> str:
    """What was printed to a console made by `console_for`."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def print_table(table: Table, console: Console) -> None:
    """Print a table without cutting a number: where it needs more than the width of the terminal, its lines are longer than that.

    Args:
        table: with two blanks between its columns; those that may wrap give way first.
        console: to print to.
    """
    needed = sum(map(_least_width, table.columns)) + 2 * (len(table.columns) - 1)
    if needed > console.width:
        table.width = needed
    console.print(table, crop=False)


def _least_width(column: Column) -> int:
    widest = max(cell_len(str(text)) for text in (column.header, *column.cells))
    return widest if column.no_wrap else min(widest, _LEAST)
