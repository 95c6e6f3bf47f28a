"""Text for a terminal of a given width, with colours or without."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from rich.table import Column

    from rfcheck.report.view import View

LEAST = 12
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


def print_wrapped(text: str, console: Console, indent: str = "", hanging: str | None = None, style: str | None = None) -> None:
    """Print a text in lines that are easy to read; words, and with them paths and names, stay whole.

    Args:
        text: one paragraph.
        console: to print to.
        indent: in front of the first line.
        hanging: in front of the others, if not the same.
        style: of the whole text.
    """
    wrapped = textwrap.fill(
        text,
        max(min(console.width, 120), 40),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print(wrapped, style=style, markup=False, highlight=False, soft_wrap=True)


def empty_table() -> Table:
    """A table with a rule under its head, two blanks between its columns, and no columns yet."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def print_table(table: Table, console: Console) -> None:
    """Print a table without cutting a number: where it needs more than the width of the terminal, its lines are longer than that.

    Args:
        table: made by `empty_table`; columns that may wrap give way first.
        console: to print to.
    """
    needed = sum(map(_least_width, table.columns)) + 2 * (len(table.columns) - 1)
    if needed > console.width:
        table.width = needed
    console.print(table, crop=False)


def _least_width(column: Column) -> int:
    widest = max(cell_len(str(text)) for text in (column.header, *column.cells))
    return widest if column.no_wrap else min(widest, LEAST)
