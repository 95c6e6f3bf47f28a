"""The JSON schema that ships for the JSON report: what it takes is what the report holds."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from torch import nn

import rfcheck
from rfcheck.report.json_v1 import render
from rfcheck.report.result import Result, Run
from rfcheck.report.view import View
from tests.report.runs import CLEAN, EMPTY, FULL, chain_of, result_of
from tests.schema_objects import objects
from tests.zoo import torchvision_model

SCHEMA = json.loads((Path(rfcheck.__file__).parent / "schemas" / "report-v1.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


class Unknown(nn.Module):
    """Sampling at places that the data decides: receptive fields behind it are unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(nn.functional.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False))


class Up(nn.Module):
    """Jumps that are fractions, three image axes, a transposed convolution, an average pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose3d(1, 2, 2, stride=2, bias=False), nn.AvgPool3d(3, 1, 1), nn.Conv3d(2, 2, 3, dilation=2, padding="same")
        )

    def forward(self, x):
        return self.layers(x)


def named(result: Result, name: str) -> Result:
    return replace(result, target=name, snapshot=replace(result.snapshot, model=name))


RUNS = {
    "everything": FULL,
    "clean": CLEAN,
    "empty": EMPTY,
    "gates and heads": Run((result_of(torchvision_model("efficientnet_b0"), "torchvision:efficientnet_b0", None, None, 32),), ()),
    "attention": Run((result_of(torchvision_model("vit_b_16"), "torchvision:vit_b_16", None, None, 224),), ()),
    "unknown": Run((result_of(Unknown()),), ()),
    "fractions": Run((result_of(Up(), size=(1, 6, 8, 8)),), ()),
    "one axis": Run((result_of(nn.Conv1d(1, 1, 5), size=(1, 64)),), ()),
    "no layers": Run((result_of(nn.Flatten()),), ()),
    "unicode": Run((named(result_of(chain_of(7)), "ünï/模型.py:Netz\n\U0001f600"),), ()),
}


@pytest.mark.parametrize("name", RUNS)
def test_reports_are_valid(name):
    VALIDATOR.validate(json.loads(render(RUNS[name], View())))


def test_the_cases_hold_what_they_promise():
    text = {name: render(run, View()) for name, run in RUNS.items()}
    assert '"role": "gate"' in text["gates and heads"]
    assert '"role": "head"' in text["gates and heads"]
    assert '"inf"' in text["attention"]
    assert '"r_max": null' in text["unknown"]
    assert re.search(r'"jump": \[\s*0\.5,', text["fractions"])
    assert '"layers": []' in text["no layers"]


def test_the_schema_itself():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_is_strict_and_describes_every_field():
    found = list(objects(SCHEMA))
    assert len(found) > 10
    for schema in found:
        assert schema["description"].endswith(".")
        if "properties" not in schema:
            continue
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
        for name, field in schema["properties"].items():
            assert "$ref" in field or field["description"].endswith("."), name


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


REPORT = json.loads(render(FULL, View()))
FIELDS = [path for path in paths(REPORT) if "flops_by_operator" not in path[:-1]]


def test_a_field_that_is_missing_or_of_a_wrong_type_is_noticed():
    assert len(FIELDS) > 150
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
        (("results", 0, "input", "size"), []),
        (("results", 0, "findings", 0, "severity"), "fatal"),
        (("results", 0, "findings", 0, "location", "line"), 0),
        (("results", 0, "layers", 0, "role"), "tail"),
        (("results", 0, "layers", 0, "r_max"), ["infinity", 3]),
        (("results", 0, "layers", 0, "live_taps"), 1.5),
        (("results", 0, "traced_with"), "magic"),
        (("results", 0, "flops_by_operator"), {"aten::mm": "many"}),
        (("results", 0, "cost", "params"), -1),
        (("summary", "error"), None),
    ],
)
def test_wrong_values_are_noticed(path, value):
    report = copy.deepcopy(REPORT)
    holder(report, path)[path[-1]] = value
    assert not VALIDATOR.is_valid(report)
