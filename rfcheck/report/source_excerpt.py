"""The line of code that a finding points at, with a caret under the call."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from rfcheck.printable import printable
from rfcheck.span import Span

_ELLIPSIS = "…"
_TAB = 4
_MOST_CALLERS = 3


def print_source(chain: Sequence[Span], console: Console, indent: str, *, with_code: bool = True) -> None:
    """Where the innermost call stands and which calls led to it, in one line, then its source line with carets below.

    Args:
        chain: calls from the innermost outwards, at least one.
        console: where to print; its width cuts the source line.
        indent: before every line.
        with_code: whether to show the source line.
    """
    text = Text(printable(f"{indent}--> {chain[0].place}"), style="cyan")
    text.append(printable(_callers(chain)), style="dim")
    console.print(text, soft_wrap=True)
    for line in excerpt(chain[0], console.width - len(indent) - 1) if with_code else ():
        console.print(Text(f"{indent}{line}".rstrip()), soft_wrap=True)


def _callers(chain: Sequence[Span]) -> str:
    """The calls that led to the innermost one: lines of its own file by their numbers, the others by their places."""
    calls = [f":{span.line}" if span.path == chain[0].path else f"{span.path}:{span.line}" for span in chain[1:]]
    further = len(calls) - _MOST_CALLERS
    shown = calls[:_MOST_CALLERS] + ([f"{further} more"] if further > 0 else [])
    return f" (from {', '.join(shown)})" if shown else ""


def excerpt(span: Span, width: int) -> list[str]:
    """The first line of a span with its number, and carets below; empty if the file cannot be read.

    Args:
        span: what to show.
        width: columns at most; a longer line is cut on either side, so that the carets stay visible.
    """
    line = _source_line(span)
    if not line.strip():
        return []
    lead = len(line) - len(line.lstrip())
    start = lead if span.column is None else max(span.column - 1, lead)
    ends_here = span.end_column is not None and span.end_line in (None, span.line)
    end = span.end_column - 1 if ends_here and span.end_column is not None else len(line.rstrip())
    text = _widened(line[lead:].rstrip())
    first, last = len(_widened(line[lead:start])), len(_widened(line[lead:end]))
    number = f"{span.line} | "
    shown, before, carets = _window(text, first, last, max(width - len(number), 20))
    gutter = " " * (len(number) - 2) + "| "
    return [f"{number}{shown}", f"{gutter}{' ' * before}{'^' * carets}"]


def _window(text: str, first: int, last: int, room: int) -> tuple[str, int, int]:
    """The part of a line that shows what is marked in it, the columns before the mark, and the columns of the mark.

    Args:
        text: the line.
        first: first marked character, from 0.
        last: the character behind the last marked one.
        room: columns that there are.
    """
    if cell_len(text) <= room:
        return text, cell_len(text[:first]), max(min(cell_len(text[first:last]), room - cell_len(text[:first])), 1)
    dropped, excess = 0, cell_len(text[: min(last, first + room // 2)]) + 1 - room
    while dropped < first and excess > 0:
        excess -= cell_len(text[dropped]) - (dropped == 0)
        dropped += 1
    shown = (_ELLIPSIS if dropped else "") + text[dropped:]
    before = cell_len(shown[: first - dropped + bool(dropped)])
    carets = max(min(cell_len(text[first:last]), room - before), 1)
    return (shown if cell_len(shown) <= room else set_cell_size(shown, room - 1).rstrip() + _ELLIPSIS), before, carets


def _source_line(span: Span) -> str:
    path = str(Path(span.path).absolute())
    linecache.checkcache(path)
    linecache.checkcache(span.path)
    return linecache.getline(path, span.line).rstrip("\r\n")


def _widened(text: str) -> str:
    return printable(text.expandtabs(_TAB))
