"""TOML: read, and searched for the line on which a key stands, which the standard parser does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Keys = tuple[str | int, ...]
"""Where a value stands: names of keys, and numbers of entries in lists, from the outermost on."""

_POSITION = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", re.DOTALL)


class TomlError(ValueError):
    """Text that is not TOML.

    Attributes:
        line: number of the line, None where unknown.
    """

    line: int | None = None


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML document.

    Raises:
        TomlError: if the text is not TOML; knows the line.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TomlError("values are nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise _located(str(error), text) from None
    except ValueError:  # of int
        raise TomlError("a number has too many digits") from None


def _located(message: str, text: str) -> TomlError:
    """The parser's message without the position that ends it, which becomes the line."""
    match = _POSITION.match(message)
    what = match["what"] if match else message
    error = TomlError(what[:1].lower() + what[1:])
    if match:
        error.line = int(match["line"] or text.rstrip().count("\n") + 1)
    return error


def line_of(text: str, keys: Keys) -> int:
    """The line of the statement that defines a key, or the innermost table around it that can be found; 1 if there is none.

    Args:
        text: a valid TOML document.
        keys: where the value stands; the numbers of entries count from 0.
    """
    best: tuple[int, bool] = (0, False)
    result = 1
    for line, place, content in _statements(text):
        depth = _common(place, keys)
        if depth == len(place):
            depth += _depth(content, keys[depth:])
        elif depth < len(keys):
            continue
        found = (depth, place == keys)  # the head of a table before heads of tables in it
        if found > best:
            best, result = found, line
    return result


def _statements(text: str) -> Iterator[tuple[int, Keys, Any]]:
    """First line, table and content of every statement; the content of a table's head is None.

    A statement is what the parser accepts by itself: a table's head, or a key with its value on as many lines as that takes.
    """
    place: Keys = ()
    lists: dict[Keys, int] = {}
    lines: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        lines.append(line)
        try:
            content = tomllib.loads("\n".join(lines))
        except ValueError:
            continue
        start = number - len(lines) + 1
        is_head = lines[0].lstrip().startswith("[")
        lines = []
        if is_head:
            place = _table(content, lists)
            yield start, place, None
        elif content:
            yield start, place, content


def _table(content: Any, lists: dict[Keys, int]) -> Keys:
    """The table that a head like ``[a.b]`` or ``[[a.b]]`` begins; counts the entries of lists."""
    place: Keys = ()
    while content:
        if isinstance(content, list):
            lists[place] = lists.get(place, -1) + 1
            content = content[0]
        else:
            ((name, content),) = content.items()
            place = (*place, name)
            if isinstance(content, list):
                continue
        if place in lists:
            place = (*place, lists[place])
    return place


def _common(place: Keys, keys: Keys) -> int:
    """How many keys two places have in common, from the outermost on."""
    count = 0
    for one, other in zip(place, keys, strict=False):
        if one != other:
            break
        count += 1
    return count


def _depth(value: Any, keys: Keys) -> int:
    """How many of the keys lead into a value."""
    for count, key in enumerate(keys):
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return count
    return len(keys)
