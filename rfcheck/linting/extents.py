"""Which code a comment at the end of a line belongs to.

The innermost statement of the line, or a part of it: where the line holds an argument that makes something itself, such as one
layer of an ``nn.Sequential(...)`` written a layer a line, the comment belongs to that argument. On the first and the last line of
a call it belongs to the whole call, and in the header of a class or function to the whole body.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from typing import Any

Extent = tuple[int, int]
"""First and last line."""

_Definition = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_Block = (ast.stmt, ast.ExceptHandler, ast.match_case)
_Enclosed = (ast.Call, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
"""Expressions with a first and a last line of their own."""

_BUILT_IN = frozenset(dir(builtins))


def covered_lines(tree: ast.Module, lines: Sequence[str], line: int) -> Extent:
    """The lines of the code that a comment at the end of a line belongs to; that line alone where there is no statement.

    Args:
        tree: of the whole file.
        lines: of the file, without their ends.
        line: of the comment, from 1; code stands before it.
    """
    return _union([_covered(block, lines, line) for block in _innermost(tree, lines, line)]) or (line, line)


def statement_lines(tree: ast.Module, lines: Sequence[str], line: int) -> Extent:
    """The lines of the innermost statements that a line belongs to; of a class or function the header."""
    found = _innermost(tree, lines, line)
    return _union([_header(block, lines) if isinstance(block, _Definition) else _extent(block) for block in found]) or (line, line)


def _innermost(tree: ast.Module, lines: Sequence[str], line: int) -> list[ast.AST]:
    """Statements, or parts of them that hold statements, around a line that have none around it themselves."""
    found: list[ast.AST] = []
    left = _blocks(tree, line)
    while left:
        block = left.pop()
        is_header = isinstance(block, _Definition) and line <= _header(block, lines)[1]
        inner = [] if is_header else _blocks(block, line)
        left += inner
        found += [] if inner else [block]
    return found


def _covered(block: ast.AST, lines: Sequence[str], line: int) -> Extent | None:
    if isinstance(block, _Definition) and line <= _header(block, lines)[1]:
        return _extent(block)
    parts = list(ast.iter_child_nodes(block))
    if any(isinstance(part, _Block) for part in parts):
        header = [part for part in parts if not isinstance(part, _Block) and _may_make(part, line)]
        return _union([_in_expression(part, line) for part in header])
    return _in_expression(block, line)


def _in_expression(node: ast.AST, line: int) -> Extent | None:
    """The innermost parts that make something on a line, or the whole."""
    found: list[Extent | None] = []
    left = [node]
    while left:
        part = left.pop()
        whole = _extent(part)
        is_edge = isinstance(part, (*_Enclosed, ast.stmt)) and whole is not None and line in whole
        makers = [] if is_edge else [child for child in ast.iter_child_nodes(part) if _may_make(child, line)]
        left.extend(makers)
        found += [] if makers else [whole]
    return _union(found)


def _may_make(node: ast.AST, line: int) -> bool:
    """Whether code on a line may make a layer: it calls something that is not built into Python."""
    return _touches(node, line) and any(isinstance(part, ast.Call) and not _is_built_in(part.func) for part in ast.walk(node))


def _is_built_in(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id in _BUILT_IN


def _blocks(node: ast.AST, line: int) -> list[ast.AST]:
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, _Block) and _touches(child, line)]


def _touches(node: ast.AST, line: int) -> bool:
    extent = _extent(node)
    return extent is not None and extent[0] <= line <= extent[1]


def _extent(node: ast.AST) -> Extent | None:
    """Lines of a node; of its parts where it has no place of its own."""
    end = getattr(node, "end_lineno", None)
    return (_start(node), end) if end is not None else _union([_extent(child) for child in ast.iter_child_nodes(node)])


def _start(node: ast.AST) -> int:
    first: Any = next(iter(getattr(node, "decorator_list", ())), node)
    return int(first.lineno)


def _header(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[str]) -> Extent:
    """From the first decorator to the line of the colon, or the last one before the body."""
    body = _start(node.body[0])
    before = lines[body - 1].encode()[: node.body[0].col_offset]
    return _start(node), body if before.strip() else body - 1


def _union(extents: Sequence[Extent | None]) -> Extent | None:
    known = [extent for extent in extents if extent is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else None
