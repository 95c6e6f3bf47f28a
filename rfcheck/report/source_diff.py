"""The difference between two texts of a source file, as a unified diff."""

from __future__ import annotations

import difflib
import io
import tokenize

from rfcheck.printable import printable, printable_code

_NO_NEWLINE = "\\ No newline at end of file\n"


def source_diff(path: str, before: bytes, after: bytes) -> str:
    """The changes of a Python file as a unified diff; empty where there are none.

    ``patch -p0`` takes it, unless a terminal or a log would obey lines of it, which are shown with escapes.
    """
    if before == after:
        return ""
    shown = printable(path)
    compared = difflib.unified_diff(_lines(before), _lines(after), shown, shown)
    lines = (line[0] + printable_code(line[1:]) for line in compared)
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(content: bytes) -> list[str]:
    """The lines of a Python file with their ends, which only a line feed is; a byte order mark stays."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return io.StringIO(content.decode(encoding.removesuffix("-sig")), newline="\n").readlines()
