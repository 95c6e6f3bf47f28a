"""CEL expressions and message templates: the only language that rule files speak.

Common Expression Language has no loops, no assignment and no access to Python objects; it sees plain data only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any


def _import_cel() -> Any:
    """The CEL package without the interactive shell that it imports too: that one takes as long as a whole analysis."""
    shell = "cel.cli"
    skip = "cel" not in sys.modules
    if skip:
        sys.modules[shell] = ModuleType(shell)
    try:
        import cel
    finally:
        if skip:
            del sys.modules[shell]
    if skip:
        vars(cel).pop("cli", None)
    return cel


cel = _import_cel()

_ATTRIBUTE = re.compile(r"\.\s*([A-Za-z_]\w*)\b(?!\s*\()")
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_FORMAT_SPEC = re.compile(r"^[<>^]?(\d*),?(?:\.(\d+))?[dfgs%]?$")
_WIDEST = 99
"""Characters of a number in a message, and its digits behind the point; a float has 17 digits."""

LONGEST = 2000
"""Characters of an expression. The parser of the library descends into it, and ends the process where the stack is full."""


class ExpressionError(ValueError):
    """An expression that is not valid, or that fails on the facts."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled CEL expression.

    Attributes:
        source: as written.
        program: compiled.
        variables: names of the facts that it reads.
        attributes: names that it reads from facts, at any depth.
    """

    source: str
    program: Any
    variables: frozenset[str]
    attributes: frozenset[str]

    def evaluate(self, context: Any) -> Any:
        """The value over a prepared context.

        Raises:
            ExpressionError: if the expression fails on these facts.
        """
        try:
            return self.program.execute(context)
        except KeyError as error:
            raise ExpressionError(f"{self.source!r} reads {error}, which the facts do not have") from None
        except (TypeError, RuntimeError, ValueError, ArithmeticError, IndexError) as error:
            raise ExpressionError(f"{self.source!r} fails: {_first_sentence(error)}") from None


def compile_expression(source: str) -> Expression:
    """Compile CEL.

    Raises:
        ExpressionError: if the syntax is wrong.
    """
    if len(source) > LONGEST:
        raise ExpressionError(
            f"{source[:40]!r}... has {len(source):,} characters, at most {LONGEST:,} are read; write a shorter one"
        )
    try:
        program = cel.compile(source)
    except Exception as error:  # the compiler reports syntax errors as several types
        raise ExpressionError(f"{source!r} is not a CEL expression: {_first_sentence(error)}") from None
    bare = _STRING.sub("''", source)
    bound = set(re.findall(r"\(\s*([A-Za-z_]\w*)\s*,", bare))  # variables of macros: tail.filter(t, ...)
    return Expression(source, program, frozenset(program.variables()) - bound, frozenset(_ATTRIBUTE.findall(bare)))


def _first_sentence(error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = text.removeprefix("Failed to parse expression").strip()
    return re.split(r"(?<=[a-z])[.,] | expecting ", text, maxsplit=1)[0].rstrip(".")[:160]


@dataclass(frozen=True, slots=True)
class Template:
    """A message with CEL expressions in braces, each with an optional Python format spec.

    Attributes:
        parts: literal text, or an expression with its format spec.
    """

    parts: tuple[str | tuple[Expression, str], ...]

    @property
    def expressions(self) -> list[Expression]:
        """The expressions in the template."""
        return [part[0] for part in self.parts if isinstance(part, tuple)]

    def format(self, context: Any) -> str:
        """The message over a prepared context.

        Raises:
            ExpressionError: if an expression fails on these facts.
        """
        return "".join(part if isinstance(part, str) else _formatted(part[0].evaluate(context), part[1]) for part in self.parts)


def compile_template(text: str) -> Template:
    """Compile a message; ``{{`` and ``}}`` stand for braces.

    Raises:
        ExpressionError: if a brace is not closed, or an expression is wrong.
    """
    parts: list[str | tuple[Expression, str]] = []
    literal = ""
    at = 0
    while at < len(text):
        if text.startswith(("{{", "}}"), at):
            literal += text[at]
            at += 2
        elif text[at] == "{":
            end = _closing_brace(text, at)
            parts.append(literal)
            parts.append(_field(text[at + 1 : end]))
            literal = ""
            at = end + 1
        elif text[at] == "}":
            raise ExpressionError(f"the message has a closing brace that nothing opens: {text!r}")
        else:
            literal += text[at]
            at += 1
    parts.append(literal)
    return Template(tuple(part for part in parts if part))


def _closing_brace(text: str, start: int) -> int:
    depth = 0
    quote = ""
    for at in range(start, len(text)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at
    raise ExpressionError(f"the message has a brace that is not closed: {text[start:]!r}")


def _field(inside: str) -> tuple[Expression, str]:
    """An expression and its format spec: what follows the last colon, unless the whole is an expression (a ? b : c)."""
    head, colon, spec = inside.rpartition(":")
    format_spec = _FORMAT_SPEC.match(spec)
    if colon and format_spec:
        try:
            return compile_expression(inside), ""
        except ExpressionError:
            if any(len(digits) > len(str(_WIDEST)) for digits in format_spec.groups("")):
                raise ExpressionError(f"{{{inside}}} asks for more than {_WIDEST} characters or digits; ask for less") from None
            return compile_expression(head), spec
    return compile_expression(inside), ""


def _formatted(value: Any, spec: str) -> str:
    if spec:
        try:
            return format(value, spec)
        except (TypeError, ValueError, OverflowError):
            raise ExpressionError(f"{value!r} cannot be written as {spec!r}; leave the format out or choose another") from None
    return f"{value:g}" if isinstance(value, float) else str(value)


def context_of(facts: Mapping[str, Any]) -> Any:
    """A context to evaluate expressions over; the facts are converted once."""
    return cel.Context(variables=dict(facts))
