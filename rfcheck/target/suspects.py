"""Which names of a Python file may have to do with a torch.nn.Module."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from rfcheck.target.model_sources import may_give_model
from rfcheck.target.names import Names, root_of
from rfcheck.target.statements import Definition, Imports

_ANY_CODE = frozenset({"__builtins__", "__import__", "__loader__", "__spec__", "eval", "exec"})
"""Names of every module that may import and bind anything."""

_ANY_NAME = frozenset({"globals", "locals", "setattr", "vars"})
"""Builtins that may bind any name."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """What is suspect in a file.

    Attributes:
        imports: of the file.
        hidden: packages in whose place a module of the user's is imported.
        bound: names that the file binds other than by imports.
        names: those of them that are suspect.
    """

    imports: Imports
    hidden: Set[str]
    bound: Set[str]
    names: Set[str] = frozenset()

    def among(self, reads: Iterable[str]) -> bool:
        """Whether a name that is read is suspect."""
        return any(self._is_suspect(name) for name in reads)

    def _is_suspect(self, name: str) -> bool:
        root = root_of(name)
        if root in self.names or any(may_give_model(place, self.hidden) for place in self._places(name)):
            return True
        if root in self.bound or root in self.imports.names:
            return False
        return root in _ANY_CODE or not _is_everywhere(root) or self._gives_model(self.imports.stars)

    def is_from(self, name: str, packages: tuple[str, ...]) -> bool:
        """Whether a dotted name can only be something of these packages."""
        places = [] if root_of(name) in self.bound else self._places(name)
        return bool(places) and all(root_of(place) in packages for place in places)

    def _places(self, name: str) -> list[str]:
        """What a dotted name is, where its first part is imported."""
        root = root_of(name)
        return [place + name[len(root) :] for place in self.imports.names.get(root, ())]

    def _gives_model(self, places: Iterable[str]) -> bool:
        return any(may_give_model(place, self.hidden) for place in places)

    def can_exist(self, used: Iterable[Names]) -> bool:
        """Whether anything in a file leads to a Module."""
        return self._gives_model(self.imports.places()) or any(
            self._are_free(_ANY_CODE, names.reads | names.read_later) for names in used
        )

    def may_bind_any(self, reads: Set[str]) -> bool:
        """Whether code that reads these names may bind names that do not stand in it."""
        places = {place for name in reads for place in self._places(name)}
        return self._are_free(_ANY_CODE | _ANY_NAME, reads) or any(place.startswith("sys.modules") for place in places)

    def _are_free(self, wanted: Set[str], reads: Set[str]) -> bool:
        return bool(wanted & {root_of(name) for name in reads} - self.bound - self.imports.names.keys())


def suspects_of(running: Sequence[Names], imports: Imports, hidden: Set[str], bound: Set[str]) -> Suspects:
    """What is suspect in a file: what its imports give, and every name of its own that stands in a statement with a suspect one.

    Args:
        running: names of each statement that may run when the file is imported.
        imports: of the file.
        hidden: packages in whose place a module of the user's is imported.
        bound: names that the file binds other than by imports.
    """
    suspects = Suspects(imports, hidden, bound)
    while True:
        touched = [names for names in running if names.binds & suspects.names or suspects.among(names.reads)]
        found = bound & {root_of(name) for names in touched for name in names.reads | names.binds}
        if found <= suspects.names:
            return suspects
        suspects = replace(suspects, names=suspects.names | found)


def running_names(statements: Sequence[ast.AST], used: Sequence[Names]) -> list[Names]:
    """The names that statements may use when a file is imported: with those of the functions that may be called then.

    Args:
        statements: that run when the file is imported.
        used: their names.
    """
    called = {number for number, node in enumerate(statements) if not isinstance(node, Definition) or _is_used_at_once(node)}
    while True:
        running = [_in_calls(names) if number in called else names for number, names in enumerate(used)]
        read = {root_of(name) for names in running for name in names.reads}
        more = {number for number, names in enumerate(used) if names.binds & read} - called
        if not more:
            return running
        called |= more


def _is_used_at_once(node: Definition) -> bool:
    """Whether something that is not known here gets a definition when it is made."""
    return bool(node.decorator_list) or (isinstance(node, ast.ClassDef) and bool(node.bases or node.keywords))


def _in_calls(names: Names) -> Names:
    return Names(names.reads | names.read_later, names.binds | names.bound_later)


def _is_everywhere(name: str) -> bool:
    return hasattr(builtins, name) or (name.startswith("__") and name.endswith("__"))
