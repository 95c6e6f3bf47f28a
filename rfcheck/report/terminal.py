"""Text for a terminal of a given width, with colours or without."""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rfcheck.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import ConsoleOptions, RenderableType
    from rich.table import Column

    from rfcheck.report.view import View

LEAST = 12
"""Columns that names have at least, so that tables of short names look alike."""

_HANGING = "  "


_UNIT = re.compile(r"(?<=\d) (?=(?:[kMGTPE]?(?:B|FLOPs)|[kMGTPE]|px|points?|%)(?![\w]))")
"""The blank between a number and its unit."""

_JOINED = "\u00a0"


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a table: one that is too long for a line goes on behind a blank, or else behind a dot or a slash."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def parts(self) -> list[str]:
        """What stays on one line."""
        return re.findall(r"[^./ ]*[./ ]|[^./ ]+", self.text)

    @property
    def least(self) -> int:
        """Columns that its longest part needs."""
        first, *others = [cell_len(part.rstrip()) for part in self.parts] or [0]
        return max(first, *(len(_HANGING) + width for width in others), 0)

    def lines(self, width: int) -> list[str]:
        """The name in lines of a width, which is at least `least`."""
        if cell_len(self.text) <= width:
            return [self.text]
        lines = [""]
        for word in re.findall(r"[^ ]*(?: |$)", self.text):
            is_whole = cell_len(_HANGING + word.rstrip()) <= width
            for part in [word] if is_whole else Name(word).parts:
                if lines[-1].strip() and cell_len((lines[-1] + part).rstrip()) > width:
                    lines.append(_HANGING)
                lines[-1] += part
        return [line.rstrip() for line in lines]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.least, cell_len(self.text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield Text("\n".join(self.lines(options.max_width)))


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
    """Print a text in lines that are easy to read; words, and with them paths and names, stay whole, as do numbers with units.

    Args:
        text: one paragraph.
        console: to print to.
        indent: in front of the first line.
        hanging: in front of the others, if not the same.
        style: of the whole text.
    """
    wrapped = textwrap.fill(
        _UNIT.sub(_JOINED, printable(text.replace("\n", " "))),
        max(min(console.width, 120), 40),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print(wrapped.replace(_JOINED, " "), style=style, markup=False, highlight=False, soft_wrap=True)


def empty_table() -> Table:
    """A table with a rule under its head, two blanks between its columns, and no columns yet."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def print_table(table: Table, console: Console) -> None:
    """Print a table without cutting a number: where it needs more than the width of the terminal, its lines are longer than that.

    Args:
        table: made by `empty_table`; cells that are a `Name` give way first.
        console: to print to.
    """
    for column in table.columns:
        column._cells = [_printable_cell(cell) for cell in column._cells]
        column.min_width = _least_width(column)
    needed = sum(column.min_width or 0 for column in table.columns) + 2 * (len(table.columns) - 1)
    if needed > console.width:
        table.width = needed
    console.print(table, crop=False)


def _printable_cell(cell: RenderableType) -> RenderableType:
    """A cell that is one line, whatever the model has for a name."""
    if isinstance(cell, Name):
        return Name(printable(cell.text))
    return printable(cell) if isinstance(cell, str) else cell


def _least_width(column: Column) -> int:
    widths = (cell.least if isinstance(cell, Name) else cell_len(str(cell)) for cell in (column.header, *column.cells))
    return max(column.min_width or 0, *widths)
