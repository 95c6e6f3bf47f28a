"""The names that Python code uses: what it reads and binds outside of its own functions, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the scope around a piece of code that it uses.

    Attributes:
        reads: dotted, as they are written: "nn.Conv2d".
        binds: names that get a value.
        read_later: what functions in it read when they are called.
        bound_later: what functions in it bind when they are called.
    """

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    read_later: set[str] = field(default_factory=set)
    bound_later: set[str] = field(default_factory=set)

    def add(self, inner: Names, local: Set[str]) -> None:
        """Add what code of an inner scope uses, but for the names of that scope."""
        self.reads.update(_outside(inner.reads, local))
        self.binds.update(_outside(inner.binds, local))
        self.add_later(inner.read_later, inner.bound_later, local)

    def add_later(self, reads: Set[str], binds: Set[str], local: Set[str]) -> None:
        """Add what a function uses when it is called, but for its own names."""
        self.read_later.update(_outside(reads, local))
        self.bound_later.update(_outside(binds, local))


def names_in(code: Iterable[ast.AST], imported: Set[str] = frozenset()) -> Names:
    """The names that code uses; annotations and imports do not count.

    Args:
        code: statements or expressions.
        imported: names that count as those of the module even where a function binds them.
    """
    names = Names()
    waiting = list(code)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += _add_function(names, node, imported)
        elif isinstance(node, ast.Lambda):
            names.add(names_in([node.body], imported), set(_parameters(node.args)))
            waiting += _defaults(node.args)
        elif isinstance(node, ast.ClassDef):
            waiting += _add_class(names, node, imported)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            targets = names_in(part.target for part in node.generators).binds
            names.add(names_in(ast.iter_child_nodes(node), imported), targets)
        else:
            waiting += _add_other(names, node)
    return names


def root_of(name: str) -> str:
    """The first part of a dotted name."""
    return name.partition(".")[0]


def _add_function(names: Names, node: ast.FunctionDef | ast.AsyncFunctionDef, imported: Set[str]) -> list[ast.AST]:
    """Note what a function uses; the code of its scope that remains."""
    body = names_in(node.body, imported)
    shared = {name for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names} | imported
    own = {*_parameters(node.args)} | (body.binds - shared)
    names.add_later(body.reads | body.read_later, body.binds | body.bound_later, own)
    names.binds.add(node.name)
    return [*node.decorator_list, *_defaults(node.args)]


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    several = (arguments.vararg, arguments.kwarg)
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *several):
        if one is not None:
            yield one.arg


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [default for default in (*arguments.defaults, *arguments.kw_defaults) if default is not None]


def _add_class(names: Names, node: ast.ClassDef, imported: Set[str]) -> list[ast.AST]:
    """Note what the body of a class uses; what it binds are its attributes. The code of its scope that remains."""
    body = names_in(node.body, imported)
    body.binds.clear()
    names.add(body, frozenset())
    names.binds.add(node.name)
    return [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]


def _add_other(names: Names, node: ast.AST) -> list[ast.AST]:
    """Note the name that a node is; the parts of it that remain."""
    if isinstance(node, ast.Name):
        (names.reads if isinstance(node.ctx, ast.Load) else names.binds).add(node.id)
        return []
    if isinstance(node, ast.Attribute):
        dotted = dotted_name(node)
        names.reads.update([dotted] if dotted else [])
        return [] if dotted else [node.value]
    if isinstance(node, ast.AnnAssign):
        return [] if node.value is None else [node.target, node.value]
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        names.reads.add(node.target.id)
    bound = node.rest if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
    if isinstance(node, (ast.MatchAs, ast.MatchStar, ast.MatchMapping, ast.ExceptHandler)) and bound is not None:
        names.binds.add(bound)
    return list(ast.iter_child_nodes(node))


def dotted_name(node: ast.AST) -> str | None:
    """Attributes of a name as "a.b.c"; None for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _outside(found: Set[str], local: Set[str]) -> set[str]:
    return {name for name in found if root_of(name) not in local}
