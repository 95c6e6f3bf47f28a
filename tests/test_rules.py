"""The examples in the front matter of every rule, run.

An example names a target (``model``) or builds one from layers (``build``), and the resolution; ``classes`` and ``limits`` are set
where given. It says which layer a finding points ``at``, or that the rule ``finds: nothing``.
"""

from __future__ import annotations

import pytest
from torch import nn

from rfcheck.api import analyze_named
from rfcheck.config import RuleOverride, Settings
from rfcheck.fixes.proposing import known_names
from rfcheck.linting.rule import built_in_rules
from rfcheck.target.load import load_targets

FIXES = set(known_names())
EXAMPLES = [(rule, example) for rule in built_in_rules() for example in rule.examples]


def named(example) -> str:
    return example.get("model") or example["build"]


def built(example) -> nn.Module:
    if "build" in example:
        return eval(example["build"], {"nn": nn})
    (target,) = load_targets(example["model"])
    return target.build()[0]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{r.code}-{named(e)}-{e['resolution']}" for r, e in EXAMPLES])
def test_example(rule, example):
    assert set(example) <= {"model", "build", "resolution", "classes", "limits", "at", "finds"}
    resolution = example["resolution"]
    size = tuple(resolution) if isinstance(resolution, list) else resolution
    overrides = {rule.code: RuleOverride(limits=example.get("limits", {}))}
    settings = Settings(select=(rule.code,), classes=example.get("classes"), rules=overrides)
    found = analyze_named(built(example), size, settings, "Net").findings
    if example.get("finds") == "nothing":
        assert not found
        return
    assert found
    if "at" in example:
        assert example["at"] in [finding.layer for finding in found]


@pytest.mark.parametrize("rule", built_in_rules(), ids=lambda rule: rule.code)
def test_a_rule_proposes_fixes_that_exist(rule):
    assert set(rule.fixes) <= FIXES
