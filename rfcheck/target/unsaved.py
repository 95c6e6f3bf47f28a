"""Run the text of a Python file before it is saved."""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import tokenize
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from rfcheck.span import shown_path


class UnsavedLoader(SourceFileLoader):
    """Loads a module as if its file held another text; neither reads nor writes bytecode.

    Args:
        name: of the module.
        path: of the file.
        content: the text.
    """

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, os.path.abspath(path))  # noqa: PTH100 - links stay as they are
        self._content = content

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as the import system calls it
        """The code of the text."""
        code: CodeType = self.source_to_code(self._content, self.path)
        return code


@contextlib.contextmanager
def lines_shown_as(path: Path, content: bytes) -> Iterator[None]:
    """Show the lines of a text in place of those of a file, wherever Python looks lines of source code up."""
    lines = _lines(content)
    names = {str(path), os.path.abspath(path), shown_path(str(path))}  # noqa: PTH100 - links stay as they are
    before = {name: linecache.cache[name] for name in names if name in linecache.cache}
    linecache.cache.update({name: (len(content), None, lines, name) for name in names})
    try:
        yield
    finally:
        for name in names:
            linecache.cache.pop(name, None)
        linecache.cache.update(before)


def _lines(content: bytes) -> list[str]:
    """The lines as `linecache` has those of a file; none where the encoding is unclear."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).readlines()
    except (SyntaxError, UnicodeDecodeError):
        return []
