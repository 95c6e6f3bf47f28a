"""The JSON schema of a configuration file, for editors; made from the table of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rfcheck.configuration.keys import BUDGET_RULE, EXCLUSIVE, FILE_TABLE, Key, Rows, Table, budget_limit
from rfcheck.configuration.values import Kind


def config_schema() -> dict[str, Any]:
    """The schema, draft 7; it holds for a whole rfcheck.toml and for the table [tool.rfcheck] of a pyproject.toml."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rfcheck",
        "description": "Settings of rfcheck: rfcheck.toml, or the table [tool.rfcheck] of pyproject.toml.",
        **_of_table(FILE_TABLE),
    }


def schema_text() -> str:
    """The schema as a file holds it."""
    return json.dumps(config_schema(), indent=2) + "\n"


def _of_table(table: Table) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    if table.keys:
        schema["properties"] = {key.name: _of_key(key) for key in table.keys}
    if table.others is not None and table.pattern is not None:
        schema["additionalProperties"] = _of_key(table.others)
        schema["propertyNames"] = {"pattern": table.pattern}
    required = [key.name for key in table.keys if key.required]
    if required:
        schema["required"] = required
    conflicts = [{"not": conflict} for conflict in _conflicts(table)]
    if conflicts:
        schema["allOf"] = conflicts
    return schema


def _of_key(key: Key) -> dict[str, Any]:
    schema = {"description": key.description, **_of_shape(key.shape)}
    if key.default not in (None, ()):
        schema["default"] = key.default
    if key.examples:
        schema["examples"] = list(key.examples)
    return schema


def _of_shape(shape: Kind | Table | Rows) -> dict[str, Any]:
    if isinstance(shape, Kind):
        return dict(shape.schema)
    if isinstance(shape, Rows):
        return {"type": "array", "items": _of_table(shape.table)}
    if shape.instead is None:
        return _of_table(shape)
    return {"anyOf": [_of_table(shape), dict(shape.instead.schema)]}


def _conflicts(table: Table) -> Iterator[dict[str, Any]]:
    """What a table must not hold together."""
    shapes = {key.name: key.shape for key in table.keys}
    for pair in EXCLUSIVE:
        if shapes.keys() >= set(pair):
            yield {"required": list(pair)}
    rules, budgets = shapes.get("rules"), shapes.get("budgets")
    if not (isinstance(rules, Table) and isinstance(budgets, Table)):
        return
    if rules.instead is not None:
        yield {"required": ["rules", "rule-folders"], "properties": {"rules": {"type": "array"}}}
    for budget in budgets.keys:
        rule = _holding(BUDGET_RULE, _holding(budget_limit(budget.name), {}))
        yield {"required": ["rules", "budgets"], "properties": {"rules": rule, "budgets": _holding(budget.name, {})}}


def _holding(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [key], "properties": {key: value}}
