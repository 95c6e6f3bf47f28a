"""The statements of a Python file that run when it is imported, and what it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from rfcheck.target.names import Names, names_in, root_of

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


@dataclass(frozen=True, slots=True)
class Imports:
    """The imports of a file, at any depth.

    Attributes:
        names: dotted names of what is imported, by the name that the file gives it; of a relative import with leading dots.
        stars: dotted names of what everything is imported from.
    """

    names: dict[str, set[str]]
    stars: set[str]

    def places(self) -> set[str]:
        """Dotted names of everything that is imported."""
        return self.stars.union(*self.names.values())

    def packages(self) -> set[str]:
        """Top-level packages that are imported from."""
        return {root_of(place) for place in self.places()} - {""}


def imports_of(tree: ast.AST) -> Imports:
    """The imports of a file."""
    found = Imports({}, set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found.names.setdefault(alias.asname or first, set()).add(alias.name if alias.asname else first)
        elif isinstance(node, ast.ImportFrom):
            place = "." * node.level + (node.module or "")
            for alias in node.names:
                if alias.name == "*":
                    found.stars.add(place)
                else:
                    found.names.setdefault(alias.asname or alias.name, set()).add(f"{place}.{alias.name}")
    return found


def relative_levels(tree: ast.AST) -> int:
    """How many packages a file lies in at least, by its relative imports: 1 for ``from .blocks import Block``."""
    return max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)


def statements_of(tree: ast.Module) -> Iterator[ast.AST]:
    """The statements that run when a file is imported, but not what stands in functions and classes.

    A compound statement comes before those in it. What stands under ``if __name__ == "__main__":`` does not run.
    """
    waiting: list[ast.AST] = [*reversed(tree.body)]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Definition):
            runs = _BLOCKS[1:] if isinstance(node, ast.If) and _is_main_guard(node.test) else _BLOCKS
            waiting += reversed([part for block in runs for part in _block(node, block)])


def names_of(statement: ast.AST, imports: Imports) -> Names:
    """The names of the module that a statement of `statements_of` uses itself, without the statements in it.

    Where an error that is raised in it gets a name, and so may lead to what raised it, they do count.
    """
    if isinstance(statement, Definition) or not any(_block(statement, block) for block in _BLOCKS):
        return names_in([statement], imports.names.keys())
    if any(handler.name for handler in getattr(statement, "handlers", ())):
        return names_in([statement], imports.names.keys())
    inside = {id(part) for block in _BLOCKS for part in _block(statement, block)}
    header = [part for part in ast.iter_child_nodes(statement) if id(part) not in inside]
    if isinstance(statement, ast.Match):  # a pattern binds parts of the subject
        header += [case.pattern for case in statement.cases]
    return names_in(header, imports.names.keys())


def bound_names(tree: ast.Module) -> set[str]:
    """The names that a file binds at module level other than by imports."""
    imports = imports_of(tree)
    names = [names_of(statement, imports) for statement in statements_of(tree)]
    return {name for one in names for name in one.binds | one.bound_later}


def _block(node: ast.AST, name: str) -> list[ast.AST]:
    value = getattr(node, name, None)
    return value if isinstance(value, list) else []


def _is_main_guard(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_main_guard(value) for value in test.values)
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"]
