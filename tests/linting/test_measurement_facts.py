from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import RuleError
from rfcheck.linting.engine import evaluate, limits_of, lint
from rfcheck.linting.measurement_facts import ATTRIBUTES, VARIABLES, plateau_fact, saturation_fact, tail_pattern_fact, verdict_fact
from rfcheck.linting.rule import built_in_rules, find_rule, parse_rule

OWN = """---
code: XX001
name: refuted
severity: error
scope: measurement
when: verdict.status == 'refuted'
message: "{verdict.code} is refuted"
---
page
"""


def own(text: str = OWN):
    return parse_rule(Path("XX001-refuted.md"), text)


def test_the_facts_are_plain_and_all_of_them_may_be_read():
    facts = {
        "model": {"name": "Net"},
        "tail_pattern": tail_pattern_fact(["a", "b", "c"], 0.1, 0.5),
        "saturation": saturation_fact(0.4, 1.6),
        "plateau": plateau_fact("b", "c", -1, 2, "no gain"),
        "verdict": verdict_fact("RF101", "unproductive-tail", "c", "confirmed", "as measured", measured=True),
    }
    assert facts["plateau"] == {"layer": "b", "border": "c", "distance": 1, "behind": False, "idle": 2, "evidence": "no gain"}
    assert plateau_fact("b", None, 0, 2, "")["border"] == ""
    assert verdict_fact("RF401", "budget", None, "inconclusive", "", measured=False)["layer"] == ""
    assert {*facts, "limits"} == VARIABLES
    assert {name for fact in facts.values() for name in fact} == ATTRIBUTES


def test_a_rule_of_ones_own():
    refuted, kept = (
        {"verdict": verdict_fact("RF101", "tail", "c", status, "", measured=True)} for status in ("refuted", "confirmed")
    )
    assert [finding.message for finding in evaluate(own(), refuted, Settings())] == ["RF101 is refuted"]
    assert evaluate(own(), kept, Settings()) == []


def test_facts_of_the_network_are_not_read_in_measurements():
    with pytest.raises(RuleError, match="reads 'tail', which is not a fact; did you mean tail_pattern"):
        own(OWN.replace("verdict.status == 'refuted'", "size(tail) > 0"))
    with pytest.raises(RuleError, match="reads '.stauts', which is not a fact; did you mean status"):
        own(OWN.replace("verdict.status", "verdict.stauts"))


def test_an_ordinary_analysis_does_not_judge_them():
    network = analyze(nn.Conv2d(3, 3, 3), 8).network
    assert lint(network, [own()], Settings(), "Net") == []
    measured = [rule.code for rule in built_in_rules() if rule.scope == "measurement"]
    assert measured == ["RF701", "RF702", "RF703", "RF704"]
    assert lint(network, built_in_rules(), Settings(select=("RF7",)), "Net") == []


def test_limits_as_the_user_has_them():
    rule = find_rule("RF703")
    assert limits_of(rule, Settings()) == {"relevant_gain": 0.01, "min_layers": 3}
    settings = Settings(rules={"RF703": RuleOverride(limits={"relevant_gain": 0.02})})
    assert limits_of(rule, settings) == {"relevant_gain": 0.02, "min_layers": 3}
    with pytest.raises(RuleError, match=r"^RF703 has no limit 'gain'; it has relevant_gain, min_layers$"):
        limits_of(rule, Settings(rules={"RF703": RuleOverride(limits={"gain": 0.02})}))
