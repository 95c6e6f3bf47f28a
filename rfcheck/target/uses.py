"""What the classes and functions of a Python file use of each other, by its text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from rfcheck.target.names import names_in, root_of
from rfcheck.target.statements import statements_of

_HOLDING = frozenset({"OrderedDict", "dict", "frozenset", "list", "partial", "set", "tuple"})
"""Calls whose results hold what they are given."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Uses:
    """The definitions of a file, and what each may use when it is called.

    Attributes:
        classes: by name, those under an ``if`` or ``try`` included; of several the last.
        functions: likewise.
        used: names of other definitions and values of the file, by the name of what uses them.
    """

    classes: Mapping[str, ast.ClassDef]
    functions: Mapping[str, Function]
    used: Mapping[str, Set[str]]

    @classmethod
    def in_file(cls, tree: ast.Module) -> Uses:
        """The uses in a file."""
        classes: dict[str, ast.ClassDef] = {}
        functions: dict[str, Function] = {}
        used: dict[str, set[str]] = {}
        for node in statements_of(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = node
                used[node.name] = _names_of_class(node)
            elif isinstance(node, Function):
                functions[node.name] = node
                used[node.name] = _names(node.body)
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        used[target.id] = used.get(target.id, set()) | _names_of_value(node.value)
        return cls(classes, functions, {name: {other for other in names if other in used} for name, names in used.items()})

    def reached_from(self, name: str) -> set[str]:
        """What a definition may use, itself or through others; it is among that only if something that it uses uses it."""
        found: set[str] = set()
        waiting = [*self.used.get(name, ())]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.used.get(one, ())
        return found

    def parts(self, modules: Iterable[str], passed: Iterable[str] = ()) -> set[str]:
        """Names of what others are made of: used by another module class, or the base only of classes that are.

        Args:
            modules: the names of the file's module classes.
            passed: names of classes that are passed to what makes models.
        """
        modules = [name for name in modules if name in self.classes]
        reached = {name: self.reached_from(name) - {name} for name in modules}
        found = {part for name, parts in reached.items() for part in parts if name not in self.reached_from(part)} | {*passed}
        while True:
            derived = {base: {name for name in modules if base in self._bases(name)} for base in modules}
            more = {base for base, names in derived.items() if names and names <= found} - found
            if not more:
                return found
            found |= more

    def bases(self) -> set[str]:
        """Names of classes that other classes of the file are derived from."""
        return {base for name in self.classes for base in self._bases(name)} & self.classes.keys()

    def _bases(self, name: str) -> set[str]:
        return {root_of(one) for one in names_in(self.classes[name].bases).reads} - {name}


def _names(code: Iterable[ast.AST]) -> set[str]:
    names = names_in(code)
    return {root_of(name) for name in names.reads | names.read_later}


def _names_of_value(node: ast.AST) -> set[str]:
    """The definitions that a value holds, as a table does; the result of a call holds none, unless that binds arguments."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) not in _HOLDING:
        return set()
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Lambda):
        return _names([node])
    return {name for child in ast.iter_child_nodes(node) for name in _names_of_value(child)}


def _names_of_class(node: ast.ClassDef) -> set[str]:
    """What a class uses, without itself and the classes that it is derived from."""
    return _names([*node.body, *node.decorator_list]) - {node.name} - _names(node.bases)


def makes_layers(node: ast.ClassDef) -> bool:
    """Whether a class calls convolutions or linear layers, which it may make only when it runs."""
    called = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    names = [one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in called]
    return any(name.lower().startswith(("conv", "linear")) for name in names)


def is_unfinished(node: ast.ClassDef, instance: object) -> bool:
    """Whether the forward of a class is left to others: it is not implemented, or reads what nothing of the class sets.

    Args:
        node: of the class.
        instance: of the class.
    """
    forward = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "forward"), None)
    if forward is None:
        return False
    if isinstance(forward.body[-1], ast.Raise):
        return True
    own = [one for one in ast.walk(node) if isinstance(one, ast.Attribute) and _is_self(one.value)]
    stored = {one.attr for one in own if isinstance(one.ctx, ast.Store)}
    read = {one.attr for one in ast.walk(forward) if isinstance(one, ast.Attribute) and _is_self(one.value)}
    return any(not hasattr(instance, name) for name in read - stored)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
