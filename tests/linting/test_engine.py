from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from rfcheck import RuleError, RuleOverride, analyze
from rfcheck.config import Settings
from rfcheck.linting.engine import is_selected, lint
from rfcheck.linting.rule import built_in_rules, parse_rule


def chain(convolutions: int) -> nn.Sequential:
    """3x3 convolutions at 8 px: r_in of the n-th is 2n - 1."""
    return nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(convolutions)))


def codes(analysis) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.layer) for finding in analysis.findings]


def test_a_tail_of_three_layers_is_a_finding_and_one_of_two_is_not():
    # inputs see 1, 3, 5, 7, 9, 11, 13 px of 8
    assert ("RF101", "4") in codes(analyze(chain(7), 8))
    assert "RF101" not in [code for code, _ in codes(analyze(chain(6), 8))]


def test_the_message_states_the_share_at_stake():
    analysis = analyze(chain(7), 8)
    finding = next(f for f in analysis.findings if f.code == "RF101")
    assert finding.message == (
        "3 layers from 4 on cannot add context: their input already sees at least 9 px of the 8x8 image; "
        "they hold 42.9% of the parameters and 42.9% of the FLOPs"
    )
    assert finding.severity == "warning"
    assert finding.fixes == ("truncate", "remove-stem")


def test_limits_and_severity_can_be_overridden():
    settings = Settings(rules={"RF101": RuleOverride("error", {"min_layers": 2})})
    finding = next(f for f in analyze(chain(6), 8, settings=settings).findings if f.code == "RF101")
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"RF999": RuleOverride()}, "an override names the rule 'RF999', which does not exist"),
        ({"RF101": RuleOverride(limits={"min": 1})}, "RF101 has no limit 'min'; it has min_layers"),
        ({"RF101": RuleOverride("fatal")}, "RF101: the severity must be error, warning or info, got 'fatal'"),
    ],
)
def test_wrong_overrides(overrides, message):
    with pytest.raises(RuleError, match=message):
        analyze(chain(1), 8, settings=Settings(rules=overrides))


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        ((), (), {"RF101", "RF301"}),
        (("RF1",), (), {"RF101"}),
        ((), ("RF1",), {"RF301"}),
        (("RF101",), ("RF1",), {"RF101"}),
        (("RF",), ("RF101",), {"RF301"}),
        (("RF9",), (), set()),
    ],
)
def test_the_longer_prefix_decides(select, ignore, expected):
    rules = [rule for rule in built_in_rules() if rule.code in ("RF101", "RF301")]
    settings = Settings(select=select, ignore=ignore)
    assert {rule.code for rule in rules if is_selected(rule, settings)} == expected


def custom(when: str, message: str = "{layer.name}", scope: str = "layer"):
    text = f"---\ncode: XX001\nname: own\nseverity: info\nscope: {scope}\nwhen: {when}\nmessage: '{message}'\n---\npage\n"
    return parse_rule(Path("XX001-own.md"), text)


def test_a_rule_of_ones_own():
    network = analyze(chain(3), 8).network
    findings = lint(network, [custom("layer.r_in_max == '5'")], Settings(), "Net")
    assert [(f.code, f.layer, f.message) for f in findings] == [("XX001", "2", "2")]


def test_a_rule_that_fails_on_the_facts_is_named():
    network = analyze(chain(1), 8).network
    with pytest.raises(RuleError, match="rule XX001: 'layer.flops' must be true or false, got"):
        lint(network, [custom("layer.flops")], Settings(), "Net")


def test_findings_come_in_the_order_of_the_layers():
    analysis = analyze(chain(9), 8, settings={"rules": {"RF301": RuleOverride()}})
    order = {layer.name: i for i, layer in enumerate(analysis.layers)}
    places = [order[f.layer] for f in analysis.findings if f.layer in order]
    assert places == sorted(places)
