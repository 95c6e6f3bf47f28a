"""What a configuration file says: its settings and its models, checked and read."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfcheck.config import RuleOverride
from rfcheck.configuration.file import ConfigFile, find_config, shown_value
from rfcheck.configuration.keys import BUDGET_RULE, EXCLUSIVE, FILE_TABLE, Key, Rows, Table, budget_limit
from rfcheck.configuration.toml_text import Keys
from rfcheck.configuration.values import Kind, accepts, join_folders, target_file


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One of the configured models.

    Attributes:
        target: what to analyse; a file is relative to the current folder, or absolute.
        name: what to call it.
        origin: "pyproject.toml models entry 'tiny'".
        values: its own settings by key.
        keys: where the entry stands in its file.
    """

    target: str
    name: str
    origin: str
    values: Mapping[str, Any]
    keys: Keys


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says.

    Attributes:
        file: the file.
        values: settings by key, as they are used: sizes as numbers, paths from the current folder on, "rules" as overrides by code
            with the budgets among them.
        models: in the order of the file.
    """

    file: ConfigFile
    values: Mapping[str, Any]
    models: tuple[ModelEntry, ...]

    @property
    def rule_folders(self) -> tuple[str, ...]:
        """Folders with further rules."""
        folders: tuple[str, ...] = self.values.get("rule-folders", ())
        return folders

    def entries_for(self, target: str) -> tuple[ModelEntry, ...]:
        """The entries that a target on the command line means: by name, by target, or all in a file."""
        wanted = _normal(target)
        return (
            tuple(entry for entry in self.models if entry.name == target)
            or tuple(entry for entry in self.models if _normal(entry.target) == wanted)
            or tuple(entry for entry in self.models if target_file(target) == target and _file_of(entry.target) == wanted)
        )


def configuration_for(target: str | None) -> Configuration | None:
    """What the configuration file says that holds for a target: found upwards from its file, else from the current folder.

    Raises:
        SettingsError: if a file is not TOML, or a key or value in it is wrong.
    """
    return configuration_in(folder_of(target))


def folder_of(target: str | None) -> Path:
    """The folder from which the configuration of a target is searched upwards: of its file, else the current one."""
    file = target_file(target) if target is not None else None
    return Path.cwd() if file is None else Path(file).parent


def configuration_in(folder: Path) -> Configuration | None:
    """What the configuration file says that holds in a folder.

    Raises:
        SettingsError: if a file is not TOML, or a key or value in it is wrong.
    """
    found = find_config(folder)
    return None if found is None else read_configuration(found)


def read_configuration(file: ConfigFile) -> Configuration:
    """What a file says.

    Raises:
        SettingsError: naming file, line and key; on a key that is not known, or a value of the wrong kind.
    """
    values = _settings(file, _table(file, file.values, FILE_TABLE, ()), ())
    models = tuple(_entry(file, row, ("models", i)) for i, row in enumerate(values.pop("models", ())))
    _require_own_names(file, models)
    return Configuration(file, values, models)


def _table(file: ConfigFile, values: Mapping[str, Any], table: Table, place: Keys) -> dict[str, Any]:
    known = {key.name: key for key in table.keys}
    result: dict[str, Any] = {}
    for name, value in values.items():
        key = known.get(name) or _other(table, name, value)
        if key is None:
            raise file.table_error((*place, name), f"unknown key {name!r}; {_hint(file, name, table, place)}")
        result[name] = _value(file, value, key, (*place, name))
    for key in table.keys:
        if key.required and key.name not in values:
            raise file.table_error((*place, key.name), f"{key.name} is missing; add one, like {key.name} = {key.examples[0]!r}")
    for one, other in EXCLUSIVE:
        if one in result and other in result and {one, other} <= known.keys():
            why = "the input size holds the channels already" if other == "channels" else "they say the same"
            raise file.table_error((*place, other), f"give either {one} or {other}, not both: {why}")
    return result


def _other(table: Table, name: str, value: Any) -> Key | None:
    """The key that a name without one of its own stands for; None for a name that none looks like, or a slip in a known one."""
    if table.others is None or table.pattern is None or not re.fullmatch(table.pattern, name):
        return None
    is_wrong = isinstance(table.others.shape, Kind) and not accepts(table.others.shape.schema, value)
    return None if is_wrong and _near(name, table) else table.others


def _value(file: ConfigFile, value: Any, key: Key, place: Keys) -> Any:
    shape = key.shape
    if isinstance(shape, Table):
        if isinstance(value, list) and shape.instead is not None:
            return _read(file, value, shape.instead, place)
        if not isinstance(value, dict):
            more = f" or {shape.instead.wanted}" if shape.instead is not None else ""
            raise file.key_error(place, f"must be a table{more}, got {shown_value(value)}")
        return _table(file, value, shape, place)
    if isinstance(shape, Rows):
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise file.key_error(
                place, f"must be a list of tables, each under [[{file.full_name(place)}]], got {shown_value(value)}"
            )
        return [_table(file, row, shape.table, (*place, i)) for i, row in enumerate(value)]
    return _read(file, value, shape, place)


def _read(file: ConfigFile, value: Any, kind: Kind, place: Keys) -> Any:
    if not accepts(kind.schema, value):
        raise file.key_error(place, f"must be {kind.wanted}, got {shown_value(value)}")
    return kind.value_of(value, file.folder)


def _near(name: str, table: Table) -> list[str]:
    return difflib.get_close_matches(name.replace("_", "-").lower(), [key.name for key in table.keys], 1)


def _hint(file: ConfigFile, name: str, table: Table, place: Keys) -> str:
    near = _near(name, table)
    if near:
        return f"did you mean {near[0]}?"
    if name == "tool" and not place and not file.table:
        return "keys stand at the top of this file, without [tool.rfcheck]"
    if place and any(key.name == name for key in FILE_TABLE.keys):
        return f"it belongs {'in [tool.rfcheck]' if file.table else 'at the top of the file'}"
    if not place and name in ("target", "name"):
        return "it belongs in an entry of models"
    known = f"known are {', '.join(key.name for key in table.keys)}" if table.keys else ""
    return "; ".join(part for part in (known, f"use {table.called}" if table.called else "") if part)


def _settings(file: ConfigFile, values: dict[str, Any], place: Keys) -> dict[str, Any]:
    """Values with budgets and tables of rules as overrides, and a list of rules as folders."""
    rules, budgets = values.pop("rules", {}), values.pop("budgets", {})
    if isinstance(rules, tuple):
        if "rule-folders" in values:
            raise file.table_error((*place, "rules"), "give either rule-folders or a list as rules, not both: they say the same")
        values["rule-folders"], rules = rules, {}
    if "rule-folders" in values:
        values["rule-folders"] = join_folders(values["rule-folders"])
    for budget, value in budgets.items():
        limit = budget_limit(budget)
        if limit in rules.get(BUDGET_RULE, {}):
            raise file.table_error(
                (*place, "budgets", budget), f"give either {budget} or rules.{BUDGET_RULE}.{limit}, not both: they say the same"
            )
        rules.setdefault(BUDGET_RULE, {})[limit] = value
    if rules:
        values["rules"] = {code: _override(rule) for code, rule in rules.items()}
    return values


def _override(rule: Mapping[str, Any]) -> RuleOverride:
    return RuleOverride(rule.get("severity"), {name: value for name, value in rule.items() if name != "severity"})


def _entry(file: ConfigFile, row: dict[str, Any], place: Keys) -> ModelEntry:
    target = row.pop("target")
    name = row.pop("name", target)
    return ModelEntry(target, name, f"{file.path.name} models entry {name!r}", _settings(file, row, place), place)


def _require_own_names(file: ConfigFile, models: Sequence[ModelEntry]) -> None:
    seen: set[str] = set()
    for entry in models:
        if entry.name in seen:
            raise file.key_error(
                (*entry.keys, "name"), f"must be different for each model, got {entry.name!r} twice; give each a name"
            )
        seen.add(entry.name)


def _normal(target: str) -> str:
    """A target with the absolute path of its file."""
    file = target_file(target)
    return target if file is None else os.path.abspath(file) + target[len(file) :]  # noqa: PTH100


def _file_of(target: str) -> str | None:
    file = target_file(target)
    return None if file is None else _normal(file)
