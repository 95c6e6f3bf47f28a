"""The schema for editors: up to date, valid, and of one mind with the parser."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rfcheck
from rfcheck.configuration.file import ConfigFile
from rfcheck.configuration.reading import read_configuration
from rfcheck.configuration.schema import config_schema, schema_text
from rfcheck.configuration.toml_text import parse_toml
from rfcheck.errors import SettingsError
from tests.configuration.test_reading import EVERYTHING

SHIPPED = Path(rfcheck.__file__).parent / "schemas" / "rfcheck.schema.json"
VALIDATOR = jsonschema.Draft7Validator(config_schema())


def is_read(values):
    try:
        read_configuration(ConfigFile(Path("/rfcheck.toml"), "", values, ()))
    except SettingsError:
        return False
    return True


def test_the_shipped_file_is_up_to_date():
    assert SHIPPED.read_text(encoding="utf-8") == schema_text(), (
        "write it anew: rfcheck config --schema > rfcheck/schemas/rfcheck.schema.json"
    )


def test_it_is_a_schema_of_draft_7():
    jsonschema.Draft7Validator.check_schema(json.loads(schema_text()))


def test_every_key_is_described():
    def described(schema):
        others = [schema["additionalProperties"]] if schema.get("additionalProperties") else []
        for name, inner in [*schema.get("properties", {}).items(), *(("other", other) for other in others)]:
            assert inner["description"], name
            for part in (inner, inner.get("items", {}), *inner.get("anyOf", ())):
                described(part)

    described(config_schema())


def test_everything_is_accepted():
    VALIDATOR.validate(parse_toml(EVERYTHING))
    assert is_read(parse_toml(EVERYTHING))


def one(*values):
    return st.sampled_from(values)


@st.composite
def some(draw, options):
    """A table with a few of some keys."""
    names = draw(st.lists(st.sampled_from(sorted(options)), unique=True, max_size=2))
    return {name: draw(options[name]) for name in names}


LIMITS = some({"max_flops": one(1, "2M", "off", "many", True), "severity": one("error", "info", "fatal", 1), "bad-name": one(1)})
RULES = some({"RF101": LIMITS, "RF401": LIMITS, "rf1": LIMITS})
BUDGETS = some({"flops": one(0, "1G", -1, "x"), "tail-share": one(0.5, 2, "off"), "flop": one(1)})
SHARED = {
    "resolution": one(32, 0, "32x48", "32 px", [32], True),
    "input-size": one([3, 32], "3,32", [3], "3", 3),
    "channels": one(1, 0, "1"),
    "classes": one(2, 1),
    "select": one([], ["RF1"], ["RF 1"], "RF1"),
    "fail-on": one("error", "never", "none"),
    "budgets": BUDGETS,
}
MODEL = st.tuples(one({"target": "a.py"}, {"target": ""}, {}), some({**SHARED, "rules": RULES, "gates": one("count")})).map(
    lambda parts: {**parts[0], **parts[1]}
)
DOCUMENT = some(
    {
        **SHARED,
        "rules": RULES | one(["own"], [], [1], 3),
        "rule-folders": one(["own"], "own"),
        "baseline": one("b", " "),
        "projection": one("exact", "x"),
        "models": st.lists(MODEL, max_size=1) | one({}, 3),
        "unknown": one(1),
    }
)


@settings(max_examples=400, deadline=None)
@given(DOCUMENT)
def test_it_accepts_what_the_parser_accepts(values):
    assert VALIDATOR.is_valid(values) == is_read(values)


@pytest.mark.parametrize("key", sorted(config_schema()["properties"]))
@pytest.mark.parametrize(
    "value", [0, 1, 32, -1, 0.5, True, "", "a", "32", "error", "exact", [], ["RF1"], [1, 2], [{}], {}, {"flops": 1}]
)
def test_single_values(key, value):
    assert VALIDATOR.is_valid({key: value}) == is_read({key: value})


@pytest.mark.parametrize(
    "values",
    [
        {"resolution": 1, "input-size": [1, 1]},
        {"channels": 1, "input-size": [1, 1]},
        {"rules": ["own"], "rule-folders": ["own"]},
        *(
            {"budgets": {budget: 1}, "rules": {"RF401": {f"max_{budget.replace('-', '_')}": 1}}}
            for budget in ("flops", "tail-share")
        ),
        {"models": [{"target": "a", "resolution": 1, "input-size": [1, 1]}]},
        {"models": [{}]},
    ],
)
def test_what_does_not_go_together(values):
    assert not VALIDATOR.is_valid(values)
    assert not is_read(values)
    assert all(VALIDATOR.is_valid({key: value}) for key, value in values.items() if key != "models")
