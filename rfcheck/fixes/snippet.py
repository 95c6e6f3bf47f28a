"""Python code in parts, so that it can stand alone or be put into a function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that changes a variable ``model``.

    Attributes:
        imports: import statements, a line each.
        definitions: functions that the statements use.
        statements: lines that change the model.
    """

    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    statements: tuple[str, ...]

    @property
    def text(self) -> str:
        """The code as it would be written into a file."""
        parts = [import_block(self.imports), *(f"{definition}\n" for definition in self.definitions)]
        parts.append("\n".join(self.statements) + "\n")
        gap = "\n\n" if self.definitions else "\n"
        return gap.join(part for part in parts if part)

    def followed_by(self, other: Snippet) -> Snippet:
        """This code, then another."""
        return Snippet(
            tuple(dict.fromkeys((*self.imports, *other.imports))),
            tuple(dict.fromkeys((*self.definitions, *other.definitions))),
            (*self.statements, *other.statements),
        )

    def then(self, other: Snippet, comment: str) -> Snippet:
        """This code, then another, under a comment."""
        heading = (*([""] if self.statements else []), f"# {comment}")
        return self.followed_by(Snippet((), (), heading)).followed_by(other)


NOTHING = Snippet((), (), ())


def import_block(imports: Sequence[str]) -> str:
    """Import statements in the order of isort: the standard library, then the rest."""
    own = sorted({line for line in imports if line.split()[1].partition(".")[0] in _STANDARD}, key=_import_order)
    others = sorted(set(imports) - set(own), key=_import_order)
    return "\n\n".join("\n".join(block) for block in (own, others) if block) + ("\n" if imports else "")


_STANDARD = frozenset({"collections", "copy", "importlib", "pathlib", "sys"})


def _import_order(line: str) -> tuple[bool, str, str]:
    return line.startswith("from"), line.split()[1], line
