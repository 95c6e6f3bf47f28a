"""The difference between two texts of a source file, as a unified diff."""

from __future__ import annotations

import difflib
import io
import tokenize

from rfcheck.printable import printable

_NO_NEWLINE = "\\ No newline at end of file\n"


def source_diff(path: str, before: bytes, after: bytes) -> str:
    """The changes of a Python file as a unified diff that ``patch -p0`` takes; empty where there are none."""
    if before == after:
        return ""
    shown = printable(path)
    lines = difflib.unified_diff(_lines(before), _lines(after), shown, shown)
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(content: bytes) -> list[str]:
    """The lines of a Python file with their ends, which only a line feed is; a byte order mark stays."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return io.StringIO(content.decode(encoding.removesuffix("-sig")), newline="\n").readlines()
