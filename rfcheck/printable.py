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

_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Controls of the direction of writing."""

_CONTROLS = (
    "\x00-\x1f\x7f-\x9f"  # of terminals
    "\u2028\u2029"  # line and paragraph breaks
    f"{_DIRECTIONS}"
    "\ufeff\ufff9-\ufffb\ufffe\uffff"  # byte order, annotations, no characters
    "\ud800-\udfff"  # halves of characters, such as the bytes of a file name that are no text
)
_HIDDEN = re.compile(f"[{_CONTROLS}]")
_OBEYED = re.compile(f"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f{_DIRECTIONS}]|\r(?!\n)")
"""What is more than a blank or the end of a line to whoever shows code."""

_HIDDEN_IN_JSON = re.compile(f"[{_CONTROLS.removeprefix(chr(0) + '-' + chr(0x1F))}]")
_NAME = r"[A-Za-z][\w-]*"
_COMMAND = re.compile(rf"(?:(?<=\s)|(?<=[./])):(?=:{_NAME}(?:\s|::|\Z))|\A(?:\s*):(?=:)")
"""Colons with which a line of a log may begin: those of the text, and those where it may be broken. Steps of slices are none."""

_MARK = re.compile(rf"#(?=#(?:{_NAME})?\[)")
"""What begins a command of GitHub Actions, Azure Pipelines or TeamCity anywhere in a line."""

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""A text in one line, in which control characters are escapes: "a\nb", "\x1b[31m"; all other characters stay.

    Two colons that begin it, or a word in it, with which a line in a log of GitHub is a command, are "\x3a:"; the first mark of
    "##[error]" and "##vso[...]", which are commands anywhere in a line, is "\x23".

    Args:
        text: of any origin.
    """
    if text.isprintable() and "::" not in text and "##" not in text:
        return text
    return _MARK.sub(r"\\x23", _COMMAND.sub(_escaped_colon, _HIDDEN.sub(_escape, text)))


def printable_lines(text: str) -> str:
    """A text of several lines, each of which is as `printable` makes it.

    Args:
        text: of any origin; its line feeds stay.
    """
    return "\n".join(map(printable, text.split("\n")))


def printable_code(line: str) -> str:
    """A line of a program as it is, unless a terminal or a log would obey something in it: then as `printable` makes it.

    Args:
        line: with its end, if it has one.
    """
    if not (_OBEYED.search(line) or _MARK.search(line) or _COMMAND.match(line.lstrip())):
        return line
    code = line.rstrip("\r\n")
    return printable(code) + line[len(code) :]


def printable_json(text: str) -> str:
    """A JSON document with control characters as escapes, which mean the same to whoever reads it.

    Args:
        text: as `json.dumps` writes it, which leaves some of them as they are.
    """
    return _MARK.sub(r"\\u0023", _HIDDEN_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text))


def printable_xml(text: str) -> str:
    """An XML document with references in place of what a log would obey, which mean the same to whoever reads it.

    Args:
        text: in ASCII; a line that begins with no tag goes on with a text.
    """
    return _MARK.sub("&#35;", re.sub(r"\n(?!\s*<|\Z)", "&#10;", text))


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


def _escaped_colon(match: re.Match[str]) -> str:
    return match[0][:-1] + r"\x3a"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{ord(character):02x}" if character < " " else json.dumps(character)[1:-1]
