from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rfcheck.linting.expressions import ExpressionError
from rfcheck.linting.rule import built_in_rules, parse_rule
from rfcheck.linting.rule_cost import require_bounded

LAYERS = [{"name": f"layer.{number}", "params": number} for number in range(300)]


def rule(when="true", message="m", scope="model"):
    front = f"code: XX001\nname: a\nseverity: info\nscope: {scope}\nwhen: {when!r}\nmessage: {message!r}\n"
    return parse_rule(Path("XX001-a.md"), f"---\n{front}---\nBody\n")


def test_a_rule_that_is_cheap():
    require_bounded(rule("size(layers.filter(x, x.params > 1)) > 2"), {"layers": LAYERS})
    require_bounded(rule("layer.params > 1", scope="layer"), {}, LAYERS)


@pytest.mark.parametrize(
    ("given", "layers", "message"),
    [
        (
            rule("layers.all(a, layers.all(b, layers.all(c, true)))"),
            None,
            "when: 'layers.all(a, layers.all(b, layers.all(c, true)))' may take 5e+07 steps on this model, at most 3e+07 are taken; "
            "put fewer macros and sums one inside the other",
        ),
        (
            rule("layers.all(a, layers.all(b, layer.params > b.params))", scope="layer"),
            LAYERS,
            "when: 'layers.all(a, layers.all(b, layer.params > b.params))' may take 2e+08 steps on this model, "
            "at most 3e+07 are taken; put fewer macros and sums one inside the other",
        ),
        (
            rule(message="{layers.map(a, layers.map(b, layers))}"),
            None,
            "message: 'layers.map(a, layers.map(b, layers))' may take 7e+10 steps on this model, at most 3e+07 are taken; "
            "put fewer macros and sums one inside the other",
        ),
    ],
)
def test_a_rule_that_is_not(given, layers, message):
    with pytest.raises(ExpressionError) as caught:
        require_bounded(given, {"layers": LAYERS}, layers)
    assert str(caught.value) == message


def test_rules_that_come_with_rfcheck_are_not_looked_at():
    assert all(one.built_in for one in built_in_rules())
    require_bounded(replace(rule("layers.all(a, layers.all(b, layers.all(c, true)))"), built_in=True), {"layers": LAYERS})
