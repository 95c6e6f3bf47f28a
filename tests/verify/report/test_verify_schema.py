"""The JSON schema that ships for report.json of a verification: what it takes is what the report holds."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import rfcheck
from rfcheck.report.json_v1 import dump
from rfcheck.verify.conclusions import Run
from rfcheck.verify.recipe import PRESETS
from rfcheck.verify.report.document import document
from tests.schema_objects import objects
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import HEALTHY, LONG, RESNET, VGG, broken

SCHEMAS = Path(rfcheck.__file__).parent / "schemas"
SCHEMA = json.loads((SCHEMAS / "verify-v1.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

RUNS = {
    "small": SMALL,
    "vgg16": VGG,
    "resnet18": RESNET,
    "healthy": HEALTHY,
    "long": LONG,
    "broken": broken(VGG),
    "nothing": replace(
        SMALL, measurements=(), heatmaps=(), judgement=replace(SMALL.judgement, layers=(), verdicts=(), findings=())
    ),
    **{f"preset {name}": replace(SMALL, recipe=replace(SMALL.recipe, training=preset)) for name, preset in PRESETS.items()},
}


def written(run: Run) -> Any:
    return json.loads(dump(document(run)))


@pytest.mark.parametrize("name", RUNS)
def test_reports_are_valid(name):
    VALIDATOR.validate(written(RUNS[name]))


def test_the_schema_itself():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_is_strict_and_describes_every_field():
    found = list(objects(SCHEMA))
    assert len(found) > 20
    for schema in found:
        assert schema["description"].endswith(".")
        if "properties" not in schema:
            continue
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
        for name, field in schema["properties"].items():
            assert field["description"].endswith("."), name


def test_every_definition_is_used():
    text = json.dumps(SCHEMA)
    assert [name for name in SCHEMA["$defs"] if f'"#/$defs/{name}"' not in text] == []


def test_places_are_as_in_the_report_of_the_linter():
    other = json.loads((SCHEMAS / "report-v1.schema.json").read_text(encoding="utf-8"))["$defs"]
    assert {name: SCHEMA["$defs"][name] for name in ("span", "sizes", "extents")} == {
        name: other[name] for name in ("span", "sizes", "extents")
    }


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where every field of a report stands; of a list, its first and last item."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for i in sorted({0, len(value) - 1} if value else ()):
            yield from paths(value[i], (*path, i))


def holder(report: Any, path: tuple[str | int, ...]) -> Any:
    for step in path[:-1]:
        report = report[step]
    return report


REPORT = written(SMALL)
FIELDS = [path for path in paths(REPORT) if "environment" not in path[:-1]]


def test_a_field_that_is_missing_or_of_a_wrong_type_is_noticed():
    assert len(FIELDS) > 180
    for path in FIELDS:
        report = copy.deepcopy(REPORT)
        holder(report, path)[path[-1]] = object  # no JSON value
        assert not VALIDATOR.is_valid(report), path
        del holder(report, path)[path[-1]]
        assert not VALIDATOR.is_valid(report), path


def test_a_field_more_is_noticed_everywhere():
    for path in FIELDS:
        report = copy.deepcopy(REPORT)
        holder(report, path)["more"] = 1
        assert not VALIDATOR.is_valid(report), path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("status",), "proven"),
        (("data", "fingerprint"), "abc"),
        (("data", "images", "test"), -1),
        (("environment",), {"torch": 2}),
        (("recipe", "training", "optimizer"), "lion"),
        (("recipe", "seeds"), 0),
        (("layers", 0, "accuracy", "high"), 1.01),
        (("layers", 0, "saturation"), -0.1),
        (("layers", 0, "r_max"), ["infinity", 3]),
        (("verdicts", 0, "finding", "code"), "101"),
        (("variants", 1, "change"), "much better"),
        (("variants", 1, "p_value"), 1.5),
        (("variants", 1, "difference", "value"), 2),
        (("measurements", 0, "epochs", 0, "number"), 0),
        (("measurements", 0, "probes", 0, "test_accuracy"), "high"),
        (("heatmaps", 0, "relative"), [0.5]),
    ],
)
def test_wrong_values_are_noticed(path, value):
    report = copy.deepcopy(REPORT)
    holder(report, path)[path[-1]] = value
    assert not VALIDATOR.is_valid(report)
