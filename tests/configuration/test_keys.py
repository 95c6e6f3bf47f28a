from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rfcheck.config import Settings
from rfcheck.configuration.keys import BUDGET_RULE, EXCLUSIVE, FILE_TABLE, LAYERED, Key, Rows, Table, budget_limit
from rfcheck.configuration.values import Kind, accepts
from rfcheck.linting.rule import find_rule

KEYS = {key.name: key for key in FILE_TABLE.keys}


def keys_within(shape: Kind | Table | Rows) -> list[Key]:
    if isinstance(shape, Rows):
        return keys_within(shape.table)
    if isinstance(shape, Kind):
        return []
    own = [*shape.keys, *([shape.others] if shape.others else [])]
    return own + [inner for key in own for inner in keys_within(key.shape)]


def test_every_setting_can_be_configured():
    fields = {field.name.replace("_", "-") for field in dataclasses.fields(Settings)}
    assert fields <= KEYS.keys()
    for field in dataclasses.fields(Settings):
        if field.name != "rules":
            assert KEYS[field.name.replace("_", "-")].default == getattr(Settings(), field.name)


def test_the_budgets_are_the_limits_of_their_rule():
    assert [budget_limit(key.name) for key in KEYS["budgets"].shape.keys] == list(find_rule(BUDGET_RULE).limits)


def test_examples_and_defaults_are_values():
    for key in keys_within(FILE_TABLE):
        if isinstance(key.shape, Kind):
            for value in key.examples:
                assert accepts(key.shape.schema, value), (key.name, value)
                key.shape.value_of(value, Path("/"))
        assert key.description.endswith("."), key.name


def test_names_are_kebab_case_and_unique():
    for table in (FILE_TABLE, KEYS["models"].shape.table, KEYS["budgets"].shape):
        names = [key.name for key in table.keys]
        assert len(set(names)) == len(names)
        assert not [name for name in names if name != name.lower() or "_" in name]


def test_what_a_models_entry_may_have():
    models = [key.name for key in KEYS["models"].shape.table.keys]
    assert models == [
        *("target", "name", "resolution", "input-size", "channels", "classes", "select", "ignore", "fail-on", "rules", "budgets")
    ]


@pytest.mark.parametrize("pair", EXCLUSIVE)
def test_pairs_name_keys_with_one_value(pair):
    assert {key.name for key in LAYERED} >= set(pair)
