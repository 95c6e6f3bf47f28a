from __future__ import annotations

import math

import pytest

from rfcheck.cli.limits import limit_overrides
from rfcheck.config import RuleOverride
from rfcheck.errors import SettingsError


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("100", 100),
        ("100e6", 1e8),
        ("1_000", 1000),
        (" 0.5 ", 0.5),
        ("100k", 1e5),
        ("2.5M", 2.5e6),
        ("4G", 4e9),
        ("off", math.inf),
        ("inf", math.inf),
    ],
)
def test_numbers(number, value):
    assert limit_overrides([f"RF401.max_flops={number}"], ()) == {"RF401": RuleOverride(limits={"max_flops": value})}


def test_several_limits_and_names_of_rules():
    given = ["rf401.max_flops=1M", "budget.max_params=2k", "RF101.min_layers=5", "RF401.max_flops=3"]
    assert limit_overrides(given, ()) == {
        "RF401": RuleOverride(limits={"max_flops": 3.0, "max_params": 2000.0}),
        "RF101": RuleOverride(limits={"min_layers": 5.0}),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RF401=1", "--limit 'RF401=1': write RULE.LIMIT=NUMBER, like RF401.max_flops=100M"),
        ("RF401.max_flops", "--limit 'RF401.max_flops': write RULE.LIMIT=NUMBER, like RF401.max_flops=100M"),
        (".max_flops=1", "--limit '.max_flops=1': write RULE.LIMIT=NUMBER, like RF401.max_flops=100M"),
        ("bugdet.max_flops=1", "--limit 'bugdet.max_flops=1': no rule 'bugdet'; there is budget"),
        ("RF401.max_flop=1", "--limit 'RF401.max_flop=1': RF401 has no limit 'max_flop'; did you mean max_flops?"),
        ("RF101.zzz=1", "--limit 'RF101.zzz=1': RF101 has no limit 'zzz'; it has min_layers"),
        ("RF103.zzz=1", "--limit 'RF103.zzz=1': RF103 has no limit 'zzz'; it has none"),
        *(
            (
                f"RF401.max_flops={number}",
                f"--limit 'RF401.max_flops={number}': {number!r} is not a number; write one like 0.5, 100e6, 100M or off",
            )
            for number in ("lots", "", "M", "1X", "nan", "1 000", "5m")
        ),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(SettingsError) as caught:
        limit_overrides([text], ())
    assert str(caught.value) == message


def test_rules_of_ones_own(tmp_path):
    (tmp_path / "XX001-own.md").write_text(
        "---\ncode: XX001\nname: own\nseverity: info\nscope: model\nwhen: model.flops > limits.most\n"
        "message: big\nlimits: {most: 1}\n---\npage\n"
    )
    assert limit_overrides(["XX001.most=9"], (str(tmp_path),)) == {"XX001": RuleOverride(limits={"most": 9.0})}
