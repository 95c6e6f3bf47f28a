from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.linting.finding import Finding
from rfcheck.linting.rule import built_in_rules
from rfcheck.verify.verdict.flow import Flow
from rfcheck.verify.verdict.predictions import opinions
from tests.verify.verdict.test_evidence import result
from tests.verify.verdict.test_tail import FLAT, GOOD, NOISY, evidence_of

BETTER, WORSE, OPEN = (0.01, 0.03, 0.05), (-0.05, -0.03, -0.01), (-0.02, 0.01, 0.04)
STEM = Finding("RF201", "aggressive-stem", "warning", "a stem", "0", ("remove-stem",))
LAYER = Finding("RF102", "unproductive-layer", "warning", "a layer", "3", ("remove-stem",))


def opinion(finding, evidence):
    (one,) = opinions([finding], evidence)
    return one


@pytest.mark.parametrize(("change", "expected"), [(BETTER, "confirmed"), (WORSE, "refuted"), (OPEN, "inconclusive")])
def test_a_stem_is_judged_by_the_model_without_it(change, expected):
    judged = opinion(STEM, evidence_of(FLAT, result("truncate", *GOOD), result("remove-stem", *change)))
    assert (judged.status, judged.measured) == (expected, True)
    assert judged.evidence.startswith("remove-stem, trained, changes the accuracy by ")


def test_a_fix_that_was_not_trained():
    judged = opinion(STEM, evidence_of(FLAT, result("truncate", *GOOD)))
    assert judged.evidence == "none of its fixes was trained; --fixes remove-stem would measure it"
    assert (judged.status, judged.measured) == ("inconclusive", False)


@pytest.mark.parametrize(("change", "expected"), [(GOOD, "confirmed"), (WORSE, "refuted"), (OPEN, "inconclusive")])
def test_fixes_that_save_cost_need_not_be_better(change, expected):
    depth = Finding("RF601", "depth-for-few-classes", "info", "deep", None, ("truncate",))
    assert opinion(depth, evidence_of(FLAT, result("truncate", *change))).status == expected


def test_one_fix_that_helps_is_enough():
    padding = Finding("RF302", "padding-dominated", "warning", "padding", "3", ("remove-stem", "move-downsampling"))
    evidence = evidence_of(FLAT, result("remove-stem", *WORSE), result("move-downsampling", *BETTER))
    assert opinion(padding, evidence).status == "confirmed"
    assert (
        opinion(padding, evidence_of(FLAT, result("remove-stem", *WORSE), result("move-downsampling", *OPEN))).status == "refuted"
    )


@pytest.mark.parametrize(
    ("probes", "expected"),
    [((0.4, 0.6, 0.7, 0.7), "confirmed"), ((0.4, 0.6, 0.7, 0.75), "refuted"), ((0.4, 0.6, 0.7, 0.5), "confirmed")],
)
def test_a_layer_is_judged_by_its_probe(probes, expected):
    assert opinion(LAYER, evidence_of(probes)).status == expected


def test_a_layer_is_compared_with_the_best_of_those_it_reads():
    evidence = replace(evidence_of((0.4, 0.75, 0.6, 0.7)), flow=Flow({"3": ("1", "2")}, frozenset()))
    judged = opinion(LAYER, evidence)
    assert judged.status == "confirmed"
    assert judged.evidence == (
        "the probe of 3 gains -5.0 points on that of 1 (95%: -5.4 to -4.4), which rules out the 1.0 points that count"
    )


def test_little_data_leaves_it_open():
    judged = opinion(LAYER, evidence_of(NOISY))
    assert judged.status == "inconclusive"
    assert judged.evidence.endswith(", which leaves open whether it gains the 1.0 points that count")


def test_a_layer_without_a_probe():
    evidence = evidence_of(FLAT)
    assert opinion(replace(LAYER, layer="x"), evidence).evidence == "x has no probe"
    assert opinion(replace(LAYER, layer="0"), evidence).evidence == "no layer that 0 reads has a probe"
    assert not opinion(replace(LAYER, layer="x"), evidence).measured


@pytest.mark.parametrize("code", ["RF103", "RF104", "RF105", "RF401", "RF501", "RF901", "RF902", "RF903"])
def test_findings_that_training_does_not_measure(code):
    judged = opinion(Finding(code, "any", "info", "any", None, ("truncate",)), evidence_of(FLAT, result("truncate", *GOOD)))
    assert (judged.status, judged.measured) == ("inconclusive", False)
    assert judged.evidence


def test_rules_of_the_users_own():
    own = Finding("XX001", "own", "info", "any", None)
    assert opinion(own, evidence_of(FLAT)).evidence == "training does not measure this"
    assert opinion(replace(own, fixes=("truncate",)), evidence_of(FLAT, result("truncate", *GOOD))).status == "confirmed"


def test_every_built_in_finding_has_an_opinion():
    findings = [
        Finding(rule.code, rule.name, rule.severity, "any", "3", rule.fixes)
        for rule in built_in_rules()
        if rule.scope in ("model", "layer", "suppression")
    ]
    found = opinions(findings, evidence_of(FLAT))
    assert len(found) == len(findings)
    assert all(one.evidence and "training does not measure this" not in one.evidence for one in found)


def test_a_model_that_did_not_learn_shows_nothing():
    evidence = replace(evidence_of(FLAT, result("remove-stem", *BETTER)), unlearned="the model did not learn")
    for finding in (STEM, LAYER):
        judged = opinion(finding, evidence)
        assert (judged.status, judged.evidence, judged.measured) == ("inconclusive", "the model did not learn", False)
