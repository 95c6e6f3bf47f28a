"""The calls in a Python file, and what each of them may be a call of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import (
    CodeRange,
    MetadataWrapper,
    PositionProvider,
    QualifiedName,
    QualifiedNameProvider,
    QualifiedNameSource,
    Scope,
    ScopeProvider,
)

from rfcheck.span import Span

_MODULES = ("torch.nn", "torch.nn.modules")
_IDENTITY = {"torch": ".nn.Identity", "torch.nn": ".Identity", "torch.nn.Identity": ""}
"""How nn.Identity is reached from what a name may be imported from."""


@dataclass(frozen=True)
class SourceCall:
    """A call in a file.

    Attributes:
        node: in the syntax tree.
        place: first and last character of the call; lines from 1, columns from 0.
        names: what the callee may stand for, by the imports and definitions of the file; none where ``import *`` may have made it.
        scope: the names that can be used where the call is; None where that is unknown.
    """

    node: cst.Call
    place: CodeRange
    names: Collection[QualifiedName]
    scope: Scope | None

    @property
    def callee(self) -> str:
        """What is called, as written."""
        return _code(self.node.func)

    def is_at(self, site: Span) -> bool:
        """Whether the call is the one that ends at a place; where columns are unknown, whether it begins on its line."""
        if site.end_line is None or site.end_column is None:
            return self.place.start.line == site.line
        return (self.place.end.line, self.place.end.column + 1) == (site.end_line, site.end_column)

    def is_of(self, kind: str) -> bool:
        """Whether the callee is a class of torch.nn, as far as the file tells."""
        imported = [name.name for name in self.names if name.source is QualifiedNameSource.IMPORT]
        if not self.names:
            return self.callee.rpartition(".")[2] == kind
        return len(imported) == len(self.names) and all(n.startswith("torch.nn.") and n.endswith(f".{kind}") for n in imported)

    def identity(self) -> str | None:
        """An expression that stands for nn.Identity where the call is, like the callee if possible; None if there is none."""
        func = self.node.func
        if isinstance(func, cst.Attribute) and all(name.name.rpartition(".")[0] in _MODULES for name in self.names):
            return f"{_code(func.value)}.Identity"
        if self.scope is None:
            return None
        for name in dict.fromkeys(assignment.name for assignment in self.scope.globals.assignments):
            stands_for = [found.name for found in self.scope.get_qualified_names_for(name)]
            if len(stands_for) == 1 and stands_for[0] in _IDENTITY:
                return f"{name}{_IDENTITY[stands_for[0]]}"
        return None if self.names else "Identity"


def source_calls(module: cst.Module) -> tuple[cst.Module, list[SourceCall]]:
    """A module's syntax tree, and all calls in it."""
    wrapper = MetadataWrapper(module)
    calls = _Calls()
    wrapper.visit(calls)
    return wrapper.module, calls.found


class _Calls(cst.CSTVisitor):
    """Gathers the calls of a file."""

    METADATA_DEPENDENCIES = (PositionProvider, QualifiedNameProvider, ScopeProvider)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[SourceCall] = []

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - as LibCST names it
        """Take note of a call."""
        place = self.get_metadata(PositionProvider, node)
        assert isinstance(place, CodeRange)
        names = self.get_metadata(QualifiedNameProvider, node.func, None)
        self.found.append(SourceCall(node, place, names or (), self.get_metadata(ScopeProvider, node, None)))


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)
