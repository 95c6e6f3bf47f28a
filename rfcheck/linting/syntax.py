"""The parts of a CEL expression, as far as what its evaluation costs depends on them.

The library that evaluates expressions says neither what they consist of nor when to stop. It has accepted whatever is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s+ | //[^\n]*
    | (?P<text>[bB]?[rR][bB]?(?:\"{3}.*?\"{3} | '{3}.*?'{3} | "[^"]*" | '[^']*')
             | [bB]?(?:\"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3} | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'))
    | (?P<number>0[xX][0-9a-fA-F]+u? | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[uU]?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
"""Operators between two values, those that bind least first."""

MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})
"""Calls that evaluate a part of the expression for every element."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression.

    Attributes:
        kind: "literal", "name", "member", "call", "macro", "list", "choice", "sum" or "other".
        text: as written, of literals and names; the name of what is called.
        parts: inner parts; of a call on a value that value first; of a macro the range, its variable and what is evaluated.
    """

    kind: str
    text: str
    parts: tuple[Part, ...] = ()


def parse(source: str) -> Part:
    """The parts of an expression.

    Args:
        source: that the library has compiled.

    Raises:
        ValueError: if it holds something that is not read here.
    """
    reader = _Reader(list(_tokens(source)))
    whole = reader.expression()
    if reader.kind != "end":
        raise ValueError(f"{reader.text!r} is not expected")
    return whole


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ValueError(f"{source[at]!r} is not expected")
        at = match.end()
        if match.lastgroup is not None:
            yield match.lastgroup, match[match.lastgroup]
    yield "end", ""


class _Reader:
    """Reads an expression from its beginning to its end."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def text(self) -> str:
        return self._tokens[self._at][1]

    def _next(self) -> str:
        text = self.text
        self._at += self.kind != "end"
        return text

    def _take(self, *signs: str) -> str | None:
        """The next word, if it is one of these."""
        return self._next() if self.kind in ("sign", "name") and self.text in signs else None

    def _expect(self, sign: str) -> None:
        if self._take(sign) is None:
            raise ValueError(f"{self.text!r} is not expected")

    def expression(self) -> Part:
        condition = self._operation(0)
        if self._take("?") is None:
            return condition
        then = self._operation(0)
        self._expect(":")
        return Part("choice", "", (condition, then, self.expression()))

    def _operation(self, level: int) -> Part:
        """Values with the operators of one level between them, side by side."""
        if level == len(_LEVELS):
            return self._unary()
        parts, adds = [self._operation(level + 1)], False
        while (sign := self._take(*_LEVELS[level])) is not None:
            adds |= sign == "+"
            parts.append(self._operation(level + 1))
        return parts[0] if len(parts) == 1 else Part("sum" if adds else "other", "", tuple(parts))

    def _unary(self) -> Part:
        while self._take("!", "-") is not None:
            pass
        part = self._primary()
        while (sign := self._take(".", "[")) is not None:
            self._take("?")
            if sign == "[":
                part = Part("member", "", (part, self.expression()))
                self._expect("]")
                continue
            name = self._next()
            part = self._called(name, part) if self._take("(") else Part("member", name, (part,))
        return part

    def _called(self, name: str, target: Part | None) -> Part:
        given = self._listed(")")
        inner = given if target is None else (target, *given)
        is_macro = target is not None and name in MACROS and len(given) in (2, 3) and given[0].kind == "name"
        return Part("macro" if is_macro else "call", name, inner)

    def _primary(self) -> Part:
        kind, text = self.kind, self._next()
        if kind in ("text", "number"):
            return Part("literal", text)
        if kind == "name":
            return self._called(text, None) if self._take("(") else Part("name", text)
        if text == "(":
            inside = self.expression()
            self._expect(")")
            return inside
        if text in ("[", "{"):
            return Part("list", "", self._listed("]" if text == "[" else "}"))
        if text == "." and self.kind == "name":
            return Part("name", self._next())
        raise ValueError(f"{text!r} is not expected")

    def _listed(self, end: str) -> tuple[Part, ...]:
        """Values up to the sign that closes them; of a map, keys and values alike."""
        parts: list[Part] = []
        while self._take(end) is None:
            self._take("?")
            parts.append(self.expression())
            if self._take(",", ":") is None and self.text != end:
                raise ValueError(f"{self.text!r} is not expected")
        return tuple(parts)
