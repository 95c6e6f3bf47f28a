"""Text for a terminal of a given width, with colours or without."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rfcheck.report.view import View


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
