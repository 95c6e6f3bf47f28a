"""Configuration files: found upwards from a folder, and errors that point into them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfcheck.configuration.toml_text import Keys, TomlError, line_of, parse_toml
from rfcheck.configuration.values import path_from_here
from rfcheck.errors import SettingsError
from rfcheck.plain_file import read_plain

_TABLES: dict[str, Keys] = {"rfcheck.toml": (), "pyproject.toml": ("tool", "rfcheck")}
"""Names of configuration files, and the table in them that holds the settings; the first of a folder counts."""

_MARK = b"rfcheck"
"""Bytes without which a pyproject.toml has no table of settings."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file with settings.

    Attributes:
        path: absolute.
        text: of the whole file.
        values: the settings, as TOML has them.
        table: where in the file they stand: ("tool", "rfcheck"), or () for the whole file.
    """

    path: Path
    text: str
    values: Mapping[str, Any]
    table: Keys

    @property
    def folder(self) -> Path:
        """What paths in the file are relative to."""
        return self.path.parent

    @property
    def label(self) -> str:
        """What to call the place of the settings: "rfcheck.toml" or "pyproject.toml [tool.rfcheck]"."""
        return f"{self.path.name} [{_dotted(self.table)}]" if self.table else self.path.name

    def full_name(self, keys: Keys) -> str:
        """A key as it is called in the whole file, from the table of settings on: "tool.rfcheck.models"."""
        return _dotted((*self.table, *keys))

    def key_error(self, keys: Keys, text: str) -> SettingsError:
        """An error about a key or its value.

        Args:
            keys: of the key, from the table of settings on.
            text: follows the full name of the key.
        """
        return self._error(keys, f"{self.full_name(keys)} {text}")

    def table_error(self, keys: Keys, text: str) -> SettingsError:
        """An error about what a table holds.

        Args:
            keys: of the part that is wrong, from the table of settings on; the table is the one around it.
            text: follows the head of the table.
        """
        table = (*self.table, *keys[:-1])
        head = f"[[{_dotted(table)}]] " if table and isinstance(table[-1], int) else f"[{_dotted(table)}] " if table else ""
        return self._error(keys, f"{head}{text}")

    def _error(self, keys: Keys, text: str) -> SettingsError:
        return SettingsError(f"{_shown(self.path)}:{line_of(self.text, (*self.table, *keys))}: {text}")


def find_config(start: Path) -> ConfigFile | None:
    """The configuration that holds for a folder: of that folder, else of the nearest one above that has any.

    Args:
        start: the folder, or a file in it; need not exist.

    Returns:
        The file; None if there is none up to the root. A pyproject.toml without settings of rfcheck is passed by.

    Raises:
        SettingsError: if a file on the way cannot be read or is not TOML.
    """
    place = Path(os.path.abspath(start))  # noqa: PTH100 - without following links
    for folder in (place, *place.parents):
        for name in _TABLES:
            file = _read(folder / name)
            if file is not None:
                return file
    return None


def overruled(file: ConfigFile) -> Path | None:
    """The pyproject.toml beside an rfcheck.toml whose settings do not count; None if there is none."""
    other = file.folder / "pyproject.toml"
    try:
        return other if other != file.path and _read(other) is not None else None
    except SettingsError:
        return None


def _read(path: Path) -> ConfigFile | None:
    table = _TABLES[path.name]
    try:
        data = read_plain(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        if not os.access(path.parent, os.X_OK):
            return None  # a folder that nobody may look into holds no settings for those below it
        raise SettingsError(f"{_shown(path)}: cannot be read: {error.strerror or error}") from None
    if table and _MARK not in data:
        return None  # sparing the parser
    values: Any = _parsed(path, data)
    for depth, key in enumerate(table, 1):
        if key not in values:
            return None
        values = values[key]
        if not isinstance(values, dict):
            line = line_of(data.decode("utf-8-sig"), table[:depth])
            raise SettingsError(f"{_shown(path)}:{line}: {_dotted(table[:depth])} must be a table, got {shown_value(values)}")
    return ConfigFile(path, data.decode("utf-8-sig"), values, table)


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    try:
        return parse_toml(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SettingsError(f"{_shown(path)}:{line}: not valid TOML: the file is not UTF-8 text") from None
    except TomlError as error:
        line_text = "" if error.line is None else f":{error.line}"
        raise SettingsError(f"{_shown(path)}{line_text}: not valid TOML: {error}") from None


def shown_value(value: Any) -> str:
    """A value as an error message quotes it, in the words of TOML and cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)) and not value:
        return "an empty table" if isinstance(value, dict) else "an empty list"
    if isinstance(value, dict):
        return f"a table with {', '.join(map(repr, value))}"
    text = repr(value) if isinstance(value, (int, float, str, list)) else str(value)
    return text if len(text) <= 60 else f"{text[:56]} ..."


def _shown(path: Path) -> str:
    return path_from_here(path.parent, path.name)


def _dotted(keys: Keys) -> str:
    return ".".join(str(key) for key in keys if isinstance(key, str))
