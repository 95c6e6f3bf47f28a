"""Places in source files."""

from __future__ import annotations

import os
from typing import NamedTuple

from rfcheck.calling_folder import calling_folder


class Span(NamedTuple):
    """A piece of a source file: a call, a definition, a comment.

    Attributes:
        path: of the file, as reports show it: relative to the current folder where it lies in it.
        line: first line, from 1.
        column: first character, from 1; None where only the line is known.
        end_line: last line.
        end_column: the character behind the last, from 1; None with column.
    """

    path: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None

    @property
    def place(self) -> str:
        """Where it begins, as editors read it: "model.py:12:9"."""
        return f"{self.path}:{self.line}" if self.column is None else f"{self.path}:{self.line}:{self.column}"

    @property
    def last_line(self) -> int:
        """The last line that it covers."""
        return self.line if self.end_line is None else self.end_line


def shown_path(path: str) -> str:
    """A path as reports show it: relative to the current folder where the file lies in it, else absolute."""
    absolute = os.path.normpath(os.path.join(calling_folder(), path))  # noqa: PTH118 - links stay as they are
    return absolute.removeprefix(calling_folder().rstrip(os.sep) + os.sep)
