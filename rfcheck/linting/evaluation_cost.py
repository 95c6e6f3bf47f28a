"""What an expression may cost before it is evaluated: a bound on its steps, from the sizes of the facts that it reads.

CEL ends always, but macros inside others take as many steps as the product of their lists, and a list or text that a macro makes of
another may double each time. The library has no budget of its own and cannot be stopped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rfcheck.linting.syntax import Part, parse

MOST_STEPS = 30_000_000
"""Steps of a rule on one model, each of which copies a value or less: about three seconds."""

_REPEATED = re.compile(r"\{(\d*),?(\d*)\}")
_OF_ANY_SCRIPT = re.compile(r"\\+[wWdDsSbBpP]|(?<!\\)\.|\(\?[a-z]*i")
_LARGEST_PATTERN = 1_500_000
"""Steps after which the library gives up to prepare a regular expression."""

_SCRIPTS = 100
"""How many steps a class of characters of all scripts takes."""

_ONE = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "bool", "timestamp", "duration"}
)
"""Functions that return one number, or true or false."""

_WRITTEN = 4
"""Length of a number when it is written."""

_CHARACTERS = 16
"""Characters that are copied in one step."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a value may be.

    Attributes:
        length: elements of a list or map, a part of that for texts, 1 for anything else.
        element: the largest element; None where there are none.
    """

    length: float
    element: Size | None = None

    @property
    def total(self) -> float:
        """Everything in it."""
        return self.length * (1 + self.element.total) if self.element is not None else self.length


_SINGLE = Size(1)


def size_of(value: Any) -> Size:
    """The size of a fact."""
    if isinstance(value, Mapping):
        return Size(len(value) + 1, _largest(map(size_of, value.values())))
    if isinstance(value, (list, tuple)):
        return Size(len(value) + 1, _largest(map(size_of, value)))
    return _size_of_text(value) if isinstance(value, str) else _SINGLE


def _size_of_text(text: str) -> Size:
    return Size(1 + len(text) / _CHARACTERS)


def steps_of(source: str, facts: Mapping[str, Size]) -> float:
    """A bound on the steps that an expression takes, and those to write its value.

    Args:
        source: that the library has compiled.
        facts: sizes of what it reads, by name.

    Raises:
        ValueError: if it cannot be bounded, because it holds something unknown or is nested too deeply.
    """
    try:
        size, steps = _bound(parse(source), facts)
        return size.total + steps
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _bound(part: Part, facts: Mapping[str, Size]) -> tuple[Size, float]:
    """How large a value is at most, and how many steps it takes."""
    if part.kind == "literal":
        return _size_of_text(part.text), 1
    if part.kind == "name":
        return facts.get(part.text, _SINGLE), 1
    if part.kind == "macro":
        return _macro(part, facts)
    bounds = [_bound(inner, facts) for inner in part.parts]
    sizes = [size for size, _ in bounds]
    steps = sum(taken for _, taken in bounds) + 1
    if part.kind == "member":
        return sizes[0].element or _SINGLE, steps
    if part.kind == "choice":
        return _largest(sizes[1:]) or _SINGLE, steps
    if part.kind == "sum":
        joined = Size(sum(size.length for size in sizes), _largest(size.element for size in sizes))
        return joined, steps + len(sizes) * joined.total
    if part.kind == "list":
        whole = Size(len(sizes) + 1, _largest(sizes))
        return whole, steps + whole.total
    read = 0 if part.text == "size" else sum(size.total for size in sizes)
    return (_called(part, sizes, read), steps + read + _pattern(part)) if part.kind == "call" else (_SINGLE, steps + read)


def _macro(part: Part, facts: Mapping[str, Size]) -> tuple[Size, float]:
    """What is evaluated for every element; the library copies what it has so far each time it adds an element to a list."""
    source, variable, *bodies = part.parts
    over, taken = _bound(source, facts)
    inside = {**facts, variable.text: _largest([over.element, _SINGLE]) or _SINGLE}
    bounds = [_bound(body, inside) for body in bodies]
    steps = taken + over.length * sum(1 + body_steps for _, body_steps in bounds)
    if part.text not in ("map", "filter"):
        return _SINGLE, steps
    made = Size(over.length, bounds[-1][0] if part.text == "map" else over.element)
    return made, steps + made.total * over.length / 2


def _called(part: Part, sizes: list[Size], read: float) -> Size:
    if part.text in _ONE:
        return _SINGLE
    return Size(read + len(sizes) * _WRITTEN, _largest(size.element for size in sizes))


def _pattern(part: Part) -> float:
    """Steps to prepare the regular expression of a call, each time."""
    if part.text != "matches":
        return 0
    pattern = part.parts[-1]
    if pattern.kind != "literal":
        return _LARGEST_PATTERN
    counts = math.prod(max(int(most or least or 1), 1) for least, most in _REPEATED.findall(pattern.text[:1000]))
    scripts = _SCRIPTS if _OF_ANY_SCRIPT.search(pattern.text) else 1
    return min(len(pattern.text) * counts * scripts, _LARGEST_PATTERN)


def _largest(sizes: Iterable[Size | None]) -> Size | None:
    """A size that none of these exceeds."""
    given = [size for size in sizes if size is not None]
    if not given:
        return None
    return Size(max(size.length for size in given), _largest(size.element for size in given))
