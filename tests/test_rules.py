"""The examples in the front matter of every rule, run."""

from __future__ import annotations

import pytest

from rfcheck.api import analyze_named
from rfcheck.config import Settings
from rfcheck.linting.rule import built_in_rules
from rfcheck.target.load import load_targets

EXAMPLES = [(rule, example) for rule in built_in_rules() for example in rule.examples]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{r.code}-{e['model']}-{e['resolution']}" for r, e in EXAMPLES])
def test_example(rule, example):
    assert set(example) <= {"model", "resolution", "at", "finds"}
    (target,) = load_targets(example["model"])
    resolution = example["resolution"]
    size = tuple(resolution) if isinstance(resolution, list) else resolution
    found = analyze_named(target.build()[0], size, Settings(select=(rule.code,)), "Net").findings
    if example.get("finds") == "nothing":
        assert not found
        return
    assert found
    if "at" in example:
        assert example["at"] in [finding.layer for finding in found]
