"""Kinds of values in a configuration file: what is accepted, as a JSON schema, and what it is read as."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rfcheck.input_size import AfterBatch, parse_extents
from rfcheck.quantities import parse_limit

_EXTENT = "0*[1-9][0-9]{0,8}"
_NUMBER = r"(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[kMGT]?"
_PLAIN = r"^\S(?:.*\S)?$"
_FILE_TARGET = re.compile(r"^(?P<file>.+?\.(?:py|(?i:pt2|onnx)))(?P<rest>:.*)?$", re.DOTALL)
_TYPES: dict[str, type | tuple[type, ...]] = {"integer": int, "number": (int, float), "string": str, "array": list}


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Attributes:
        wanted: what error messages say that a value must be.
        schema: what is accepted, in the words of JSON schema that `accepts` knows.
        read: from an accepted value to what the rest of the program uses.
        placed: from the folder of the file and a text that is relative to it to a text that is relative to the current folder; None
            for what is no path.
    """

    wanted: str
    schema: Mapping[str, Any]
    read: Callable[[Any], Any] = _as_it_is
    placed: Callable[[Path, str], str] | None = None

    def value_of(self, given: Any, folder: Path) -> Any:
        """What an accepted value in a file of this folder stands for."""
        value = self.read(given)
        if self.placed is None:
            return value
        return self.placed(folder, value) if isinstance(value, str) else tuple(self.placed(folder, text) for text in value)


def accepts(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value is as a schema asks; patterns hold for the whole text, and what is no number (NaN) is none."""
    if "anyOf" in schema:
        return any(accepts(part, value) for part in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, bool) or not isinstance(value, _TYPES[schema["type"]]):
        return False
    if isinstance(value, str):
        return "pattern" not in schema or re.fullmatch(schema["pattern"], value) is not None
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(accepts(schema["items"], item) for item in value)
    return bool(schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf))


def path_from_here(folder: Path, text: str) -> str:
    """A path that is relative to a folder: relative to the current one where it lies below, else absolute."""
    path = Path(os.path.normpath(folder / text))
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def target_from_here(folder: Path, text: str) -> str:
    """A target whose file, if it is one in a file, is relative to a folder."""
    match = _FILE_TARGET.match(text)
    return path_from_here(folder, match["file"]) + (match["rest"] or "") if match else text


def target_file(text: str) -> str | None:
    """The file of a target; None for a module or a catalogue model."""
    match = _FILE_TARGET.match(text)
    return match["file"] if match else None


def join_folders(*layers: tuple[str, ...]) -> tuple[str, ...]:
    """The folders of all layers, each once, however it is written."""
    folders: dict[str, str] = {}
    for folder in chain(*layers):
        folders.setdefault(os.path.abspath(folder), folder)  # noqa: PTH100
    return tuple(folders.values())


def one_of(*options: str) -> Kind:
    """Exactly one of some words."""
    return Kind(f"{', '.join(map(repr, options[:-1]))} or {options[-1]!r}", {"enum": list(options)})


def whole(least: int) -> Kind:
    """A whole number of at least so many."""
    return Kind(f"a whole number of at least {least}", {"type": "integer", "minimum": least})


def _resolution(value: int | str) -> int | tuple[int, ...]:
    extents = (value,) if isinstance(value, int) else parse_extents(value, "resolution")
    return extents[0] if len(extents) == 1 else extents


def _input_size(value: list[int] | str) -> AfterBatch:
    return AfterBatch(parse_extents(value, "input-size") if isinstance(value, str) else value)


def _limit(value: float | str) -> float:
    return parse_limit(value) if isinstance(value, str) else value


def _extents(least: int) -> dict[str, str]:
    return {"type": "string", "pattern": rf"^ *{_EXTENT} *(?:[xX,] *{_EXTENT} *){{{least - 1},}}$"}


RESOLUTION = Kind("a whole number like 32, or a text like '32x48'", {"anyOf": [whole(1).schema, _extents(1)]}, _resolution)
INPUT_SIZE = Kind(
    "channels and image extents, like [3, 32, 48] or '3,32,48'",
    {"anyOf": [{"type": "array", "items": whole(1).schema, "minItems": 2}, _extents(2)]},
    _input_size,
)
CODES = Kind(
    "a list of codes of rules or their beginnings, like ['RF1', 'RF301']",
    {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z]+[0-9]*$"}},
    lambda codes: tuple(code.upper() for code in codes),
)
TEXT = Kind("a text", {"type": "string", "pattern": _PLAIN})
FILE = Kind("the path of a file", TEXT.schema, placed=path_from_here)
FOLDERS = Kind("a list of folders, like ['my_rules']", {"type": "array", "items": TEXT.schema}, placed=path_from_here)
TARGET = Kind("a target, like 'model.py:Net'", TEXT.schema, placed=target_from_here)
LIMIT = Kind(
    "a number, like 4, 0.5, '300M' or 'off'",
    {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^(?:off|[+-]?{_NUMBER})$"}]},
    _limit,
)
COUNT = Kind(
    "a number of at least 0, like 1e6, '300M' or 'off'",
    {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^(?:off|{_NUMBER})$"}]},
    _limit,
)
SHARE = Kind(
    "a number from 0 to 1, or 'off'", {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"enum": ["off"]}]}, _limit
)
