"""How a Python file itself calls its classes and functions: in a guard, in a test, or with a key of a table of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from rfcheck.target.obvious import Example

_NONE = object()


def examples_of(name: str, tree: ast.Module, values: Mapping[str, Any]) -> list[Example]:
    """Arguments that a file calls a class or function with, as far as they are literals; then those that its tables know.

    Args:
        name: of the class or function.
        tree: of the file.
        values: of the file's own names.
    """
    literals = _literals(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", None) == name]
    found = [example for call in calls if (example := _example(call, literals)) is not None]
    keys = dict(_keys(name, tree, values))
    return [*found, *([Example((), keys)] if keys else [])]


def _example(call: ast.Call, literals: Mapping[str, ast.expr]) -> Example | None:
    """A call whose leading arguments are literals; those behind the first that is none do not count."""
    args = []
    for node in call.args:
        value = _literal(node, literals)
        if value is _NONE:
            break
        args.append(value)
    kwargs = {keyword.arg: _literal(keyword.value, literals) for keyword in call.keywords if keyword.arg is not None}
    kwargs = {name: value for name, value in kwargs.items() if value is not _NONE}
    return Example(tuple(args), kwargs) if args or kwargs else None


def _literal(node: ast.expr, literals: Mapping[str, ast.expr]) -> Any:
    if isinstance(node, ast.Name) and node.id in literals:
        node = literals[node.id]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return _NONE


def _literals(tree: ast.Module) -> dict[str, ast.expr]:
    """What names are given that are given one value only, anywhere in the file."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _keys(name: str, tree: ast.Module, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments by which a class or function looks something up in a table of the file, each with the first key there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            for part in ast.walk(node):
                if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and isinstance(part.slice, ast.Name):
                    table = values.get(part.value.id)
                    if isinstance(table, dict) and table and isinstance(next(iter(table)), str | int | float):
                        yield part.slice.id, next(iter(table))
