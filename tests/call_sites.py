"""Where calls and definitions stand in a file, as Python's own parser sees them."""

from __future__ import annotations

import ast
from pathlib import Path

from rfcheck.span import Span


def call(path: str, text: str, nth: int | None = None) -> Span:
    """The place of a call or an operation like ``x @ w``.

    Args:
        path: of the file, as reports show it.
        text: the whole expression as it is written there.
        nth: which of several with this text, in the order of the file; None for the only one.
    """
    source = Path(path).read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Call, ast.BinOp))]
    found = sorted(_span(path, source, node) for node in calls if ast.get_source_segment(source, node) == text)
    assert found, f"{text} is not called in {path}"
    assert nth is not None or len(found) == 1, f"{text} is called several times in {path}"
    return found[nth or 0]


def definition(path: str, name: str) -> Span:
    """The line of a class or function at module level, decorators left out."""
    body = ast.parse(Path(path).read_text(encoding="utf-8")).body
    kinds = (ast.ClassDef, ast.FunctionDef)
    (line,) = [node.lineno for node in body if isinstance(node, kinds) and node.name == name]
    return Span(path, line)


def _span(path: str, source: str, node: ast.expr) -> Span:
    lines = source.splitlines()
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
    end = len(lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode())
    return Span(path, node.lineno, start + 1, node.end_lineno, end + 1)
