"""Text from strangers, as it may be shown: names in a model, messages, file names and lines of code can hold anything.

A line break in the name of a layer begins a line of its own in a log, where it may be a command; an escape code changes the
terminal; a control of the direction of writing hides what stands there. Each is shown as the escape that Python or JSON has for it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")

_CONTROLS = (
    "\x00-\x1f\x7f-\x9f"  # of terminals
    "\u2028\u2029"  # line and paragraph breaks
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # of the direction of writing
    "\ufeff\ufff9-\ufffb\ufffe\uffff"  # byte order, annotations, no characters
    "\ud800-\udfff"  # halves of characters, such as the bytes of a file name that are no text
)
_HIDDEN = re.compile(f"[{_CONTROLS}]")
_HIDDEN_IN_JSON = re.compile(f"[{_CONTROLS.removeprefix(chr(0) + '-' + chr(0x1F))}]")
_COMMAND = re.compile(r"\A(\s*):(?=:)")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""A text in one line, in which control characters are escapes: "a\nb", "\x1b[31m"; all other characters stay.

    Two colons that begin it, with which a line in a log of GitHub is a command, are "\x3a:".

    Args:
        text: of any origin.
    """
    if text.isprintable() and "::" not in text:
        return text
    return _COMMAND.sub(r"\1\\x3a", _HIDDEN.sub(_escape, text))


def printable_lines(text: str) -> str:
    """A text of several lines, each of which is as `printable` makes it.

    Args:
        text: of any origin; its line feeds stay.
    """
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    """A JSON document with control characters as escapes, which mean the same to whoever reads it.

    Args:
        text: as `json.dumps` writes it, which leaves some of them as they are.
    """
    return _HIDDEN_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text)


def printable_parts(value: _T) -> _T:
    """A value with every text in it as `printable` makes it; itself where there is nothing to change.

    Args:
        value: a text, or dataclasses, lists, tuples and mappings with texts at any depth.
    """
    made: Any = _printable_parts(value)
    return made  # type: ignore[no-any-return]


def _printable_parts(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (list, tuple)):
        parts = [_printable_parts(part) for part in value]
        if all(part is old for part, old in zip(parts, value, strict=True)):
            return value
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, Mapping):
        items = {_printable_parts(key): _printable_parts(part) for key, part in value.items()}
        same = all(key is old and items[key] is value[old] for key, old in zip(items, value, strict=False))
        return value if same and len(items) == len(value) else items
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        changed = {name: made for name, old in fields.items() if (made := _printable_parts(old)) is not old}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{ord(character):02x}" if character < " " else json.dumps(character)[1:-1]
