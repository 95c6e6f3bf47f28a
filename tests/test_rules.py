"""The examples in the front matter of every rule, run.

An example names a target (``model``) or builds one from layers (``build``), and the resolution; ``classes`` and ``limits`` are set
where given. It says which layer a finding points ``at``, or that the rule ``finds: nothing``. For a rule about comments an example is
the ``code`` of a file, and ``at`` is a line of it. For a rule about measurements it is the ``saturation`` or the accuracies of the
``probes`` of a chain of layers called "0", "1" and so on, with the ``border`` layer of a predicted tail.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from rfcheck.api import analyze_named
from rfcheck.cli.analysing import analyze_target
from rfcheck.config import RuleOverride, Settings
from rfcheck.fixes.proposing import known_names
from rfcheck.linting.comments import suppressions_in
from rfcheck.linting.rule import built_in_rules
from rfcheck.linting.suppressing import silence
from rfcheck.linting.unused import unused_findings
from rfcheck.target.load import load_targets
from tests.verify.verdict.curves import TAIL, judged, measurement, variant

FIXES = set(known_names())
EXAMPLES = [(rule, example) for rule in built_in_rules() for example in rule.examples if rule.scope in ("model", "layer")]
CURVES = [(rule, example) for rule in built_in_rules() for example in rule.examples if rule.scope == "measurement"]
FILES = [(rule, example) for rule in built_in_rules() for example in rule.examples if rule.scope == "suppression"]


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


@pytest.mark.parametrize(("rule", "example"), FILES, ids=[f"{r.code}-{i}" for i, (r, _) in enumerate(FILES)])
def test_example_of_a_file(rule, example, tmp_path, monkeypatch):
    assert set(example) <= {"code", "resolution", "at", "finds"}
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(example["code"], encoding="utf-8")
    (target,) = load_targets("model.py")
    found = analyze_target(target, example["resolution"], Settings()).findings
    suppressions = suppressions_in("model.py")
    unused = unused_findings(suppressions, silence(found, suppressions).used, built_in_rules(), Settings())
    if example.get("finds") == "nothing":
        assert suppressions
        assert not unused.kept
        return
    assert (rule.code, "model.py", example["at"]) in [(finding.code, *finding.location) for finding in unused.kept]


@pytest.mark.parametrize(("rule", "example"), CURVES, ids=[f"{r.code}-{i}" for i, (r, _) in enumerate(CURVES)])
def test_example_of_a_measurement(rule, example):
    assert set(example) <= {"saturation", "probes", "border", "at", "finds"}
    border, saturation = example.get("border"), example.get("saturation", [])
    probes = example.get("probes", [0.8] * len(saturation))
    findings = [] if border is None else [replace(TAIL, layer=border)]
    judgement = judged([variant(len(probes), border, findings)], [measurement(probes, saturation)])
    found = [finding for finding in judgement.findings if finding.code == rule.code]
    if example.get("finds") == "nothing":
        assert not found
        return
    assert [finding.layer for finding in found] == [example.get("at")]


@pytest.mark.parametrize("rule", built_in_rules(), ids=lambda rule: rule.code)
def test_a_rule_proposes_fixes_that_exist(rule):
    assert set(rule.fixes) <= FIXES
