"""Comments that silence findings: ``# rfcheck: ignore[RF101] reason`` and ``# rfcheck: ignore-file``."""

from __future__ import annotations

from dataclasses import dataclass

from rfcheck.span import Span

ALL = ""
"""What a comment without brackets names: every rule."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment.

    Attributes:
        path: of the file, as reports show it.
        line: of the comment, from 1.
        column: of the comment, from 1.
        codes: of the rules that it silences, prefixes of codes, or names of rules, as written; all rules if empty.
        reason: why; empty if none is given.
        first_line: first line of the code that it covers.
        last_line: last line of that code; for a whole file, the last line of the file.
        is_file: whether it covers the whole file.
        end_column: the character behind the comment, from 1.
        problem: why it silences nothing, with the remedy; empty if it can.
    """

    path: str
    line: int
    column: int
    codes: tuple[str, ...]
    reason: str
    first_line: int
    last_line: int
    is_file: bool = False
    end_column: int | None = None
    problem: str = ""

    @property
    def span(self) -> Span:
        """The comment itself."""
        return Span(self.path, self.line, self.column, self.line, self.end_column)

    @property
    def entries(self) -> tuple[str, ...]:
        """What it names: its codes, or `ALL`; nothing if it has a problem."""
        return () if self.problem else self.codes or (ALL,)

    def covers(self, span: Span) -> bool:
        """Whether a piece of the same file lies whole in the code that it covers."""
        return not self.problem and (self.is_file or (self.first_line <= span.line and span.last_line <= self.last_line))


def names_rule(entry: str, code: str, name: str) -> bool:
    """Whether an entry of a comment stands for a rule: its code, the beginning of it, or its name, in any case."""
    return code.upper().startswith(entry.upper()) or name.lower() == entry.lower()
