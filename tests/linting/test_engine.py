from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from rfcheck import RuleError, RuleOverride, analyze
from rfcheck.config import Settings
from rfcheck.linting.engine import lint
from rfcheck.linting.expressions import compile_expression
from rfcheck.linting.rule import parse_rule
from rfcheck.span import Span
from tests.call_sites import definition


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
    assert finding.fixes == ("truncate", "truncate-before", "move-downsampling", "remove-stem")


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


def test_a_budget_names_everything_that_is_over_it():
    limits = {"max_flops": 10e3, "max_params": 588, "max_activation_bytes": 1000, "max_tail_share": 0.2}
    settings = Settings(select=("RF401",), rules={"RF401": RuleOverride(limits=limits)})
    (finding,) = analyze(chain(7), 8, settings=settings).findings
    assert (finding.severity, finding.layer) == ("error", None)
    assert finding.message == (
        "Sequential exceeds its budget: FLOPs 36.3 k (limit 10 k), activation bytes 5.38 k (limit 1 k), "
        "share of the FLOPs in the tail 0.429 (limit 0.2)"
    )


def test_there_is_no_budget_until_one_is_set():
    assert not analyze(chain(7), 8, settings={"select": ("RF401",)}).findings


@pytest.mark.parametrize(
    ("layers", "classes", "found"), [(33, 10, True), (33, 2, True), (32, 10, False), (33, 11, False), (33, None, False)]
)
def test_depth_for_few_classes(layers, classes, found):
    settings = Settings(select=("RF601",), classes=classes)
    findings = analyze(chain(layers), 8, settings=settings).findings
    assert [f.severity for f in findings] == ["info"] * found
    assert all(f.message.startswith(f"{layers} layers follow each other for {classes} classes: ") for f in findings)


def test_the_number_of_classes_is_read_from_the_output():
    model = nn.Sequential(*chain(33), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
    assert [f.code for f in analyze(model, 8, settings={"select": ("RF6",)}).findings] == ["RF601"]
    assert not analyze(model, 8, settings={"select": ("RF6",), "classes": 1000}).findings


def test_padding_is_left_to_the_rule_of_dead_taps_where_there_are_any():
    model = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(3, 3, 3, padding=1))
    findings = analyze(model, 4, settings={"select": ("RF3",)}).findings
    assert [(f.code, f.layer) for f in findings] == [("RF302", "2")]
    assert findings[0].message == (
        "55.6% of what 2 reads of its 2x2 map with a 3x3 kernel is padding; it holds 50.0% of the parameters and 20.0% of the FLOPs"
    )
    assert [f.code for f in analyze(model, 2, settings={"select": ("RF3",)}).findings] == ["RF301", "RF302"]


def test_gaps_between_windows():
    model = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1, 2))
    (finding,) = analyze(model, 8, settings={"select": ("RF202",)}).findings
    assert finding.message == (
        "1 (kernel 1x1, stride 2x2, dilation 1x1) leaves gaps between its windows: 75.0% of the positions of its 8x8 input are never read"
    )


def test_a_flattened_head():
    model = nn.Sequential(nn.Conv2d(3, 6, 1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, 10))
    (finding,) = analyze(model, 8, settings={"select": ("RF5",)}).findings
    assert (finding.layer, finding.fixes) == ("3", ("pool-head",))
    assert finding.message == (
        "3 reads the flattened 4x4 map of 1 with weights for exactly that size, which ties the model to one resolution; "
        "it holds 97.6% of the parameters"
    )


def custom(when: str, message: str = "{layer.name}", scope: str = "layer"):
    written = f"when: {json.dumps(when)}\nmessage: {json.dumps(message)}"
    text = f"---\ncode: XX001\nname: own\nseverity: info\nscope: {scope}\n{written}\n---\npage\n"
    return parse_rule(Path("XX001-own.md"), text)


def test_a_rule_of_ones_own():
    network = analyze(chain(3), 8).network
    findings = lint(network, [custom("layer.r_in_max == '5'")], Settings(), "Net")
    assert [(f.code, f.layer, f.message) for f in findings] == [("XX001", "2", "2")]


def test_layers_can_be_compared_as_a_whole():
    network = analyze(chain(7), 8).network
    findings = lint(network, [custom("layer.judged && layer == border_min", "{layer.name} of {layer.kind}")], Settings(), "Net")
    assert [f.message for f in findings] == ["4 of conv"]


def test_a_rule_that_fails_on_the_facts_is_named():
    network = analyze(chain(1), 8).network
    with pytest.raises(RuleError, match="rule XX001: when: 'layer.flops' must be true or false, got"):
        lint(network, [custom("layer.flops")], Settings(), "Net")


@pytest.mark.parametrize(
    ("when", "message", "reason"),
    [
        (
            "9223372036854775807 + 1 > 0",
            "m",
            "when: '9223372036854775807 + 1 > 0' fails: Arithmetic overflow in 'add' on 9223372036854775807 and 1",
        ),
        ("1 / 0 > 0", "m", "when: '1 / 0 > 0' fails: division by zero in CEL expression"),
        ("[1][5] > 0", "m", "when: '[1][5] > 0' fails: index out of bounds: 5"),
        ("true", "{int(1e30)}", "message: 'int(1e30)' fails: Function 'int' error: integer overflow"),
        ("true", "{1.0:5d}", "message: 1.0 cannot be written as '5d'; leave the format out or choose another"),
        ("true", "{double('nan'):d}", "message: nan cannot be written as 'd'; leave the format out or choose another"),
        ("true", "{null:.1f}", "message: None cannot be written as '.1f'; leave the format out or choose another"),
    ],
)
def test_arithmetic_that_has_no_result_is_named(when, message, reason):
    network = analyze(chain(1), 8).network
    with pytest.raises(RuleError) as caught:
        lint(network, [custom(when, message)], Settings(), "Net")
    assert str(caught.value) == f"XX001-own.md: rule XX001: {reason}"


def test_a_rule_that_would_not_end_is_not_begun():
    network = analyze(chain(40), 8).network
    nested = "layers.all(a, layers.all(b, layers.all(c, layers.all(d, layers.all(e, a.params + e.params > 0)))))"
    with pytest.raises(RuleError, match=r"rule XX001: when: '.*' may take 7e\+10 steps on this model, at most 3e\+07 are taken"):
        lint(network, [custom(nested)], Settings(), "Net")


def test_a_finding_points_at_a_layer():
    network = analyze(chain(1), 8).network
    with pytest.raises(RuleError) as caught:
        lint(network, [replace(custom("true"), at=compile_expression("[1]"))], Settings(), "Net")
    assert str(caught.value) == "XX001-own.md: rule XX001: at: '[1]' must be a layer or its name, got [1]"


def test_findings_come_in_the_order_of_the_layers():
    analysis = analyze(chain(9), 8, settings={"rules": {"RF301": RuleOverride()}})
    order = {layer.name: i for i, layer in enumerate(analysis.layers)}
    places = [order[f.layer] for f in analysis.findings if f.layer in order]
    assert places == sorted(places)


class Net(nn.Sequential):
    pass


def test_where_findings_point():
    place = definition(str(Path(__file__).relative_to(Path.cwd())), "Net")
    network = analyze(Net(nn.Conv2d(3, 3, 3)), 8).network
    rules = [custom("layer.name == '0'"), custom("size(layers) > 0", "x", scope="model")]
    whole = (Span("model.py", 7),)
    findings = lint(network, rules, Settings(), "Net", whole)
    assert [(f.layer, f.chain, f.location) for f in findings] == [(None, whole, whole[0][:2]), ("0", (place,), place[:2])]
    assert [f.chain for f in lint(network, rules, Settings(), "Net")] == [(), (place,)]
