"""Rules, limits and fixes that completion offers against those that there are."""

from __future__ import annotations

import math

import pytest

from rfcheck.fixes.proposing import FIXES
from rfcheck.linting.rule import built_in_rules
from tests.cli.completing import candidates, values

RULES = built_in_rules()
CODES = [(rule.code, rule.name) for rule in RULES]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_rules_by_code_and_by_name():
    assert candidates("rule", "") == CODES
    assert candidates("rule", "RF10") == [pair for pair in CODES if pair[0].startswith("RF10")]
    assert values("rule", "rf10") == values("rule", "RF10")
    assert candidates("rule", "dead") == [("dead-taps", "RF301")]
    assert values("rule", "RF101", "") == values("rule", "RF101", "RF")[:0]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize("verb", [[], ["check"], ["compare"]])
def test_codes_one_after_the_other(verb, option):
    assert candidates(*verb, option, "") == CODES
    assert candidates(*verb, option, "RF3") == [pair for pair in CODES if pair[0].startswith("RF3")]
    assert candidates(*verb, option, "RF1,RF301,RF3") == [("RF1,RF301,RF302", "padding-dominated")]
    assert values(*verb, option, "XX") == []


def test_limits_up_to_the_number():
    expected = [
        (f"{rule.code}.{name}=", f"{rule.name}; default: {'off' if math.isinf(value) else value}")
        for rule in RULES
        for name, value in rule.limits.items()
    ]
    assert len(expected) > 5
    assert candidates("model.py", "--limit", "") == expected
    assert candidates("compare", "--limit", "rf401.max_f") == [("RF401.max_flops=", "budget; default: off")]
    assert values("--limit", "RF401.max_flops=") == ["RF401.max_flops="]
    assert values("--limit", "RF401.max_flops=1") == []


def test_fixes_are_those_that_there_are():
    names = sorted(name for module in FIXES for name in module.NAMES)
    assert values("fix", "model.py", "--apply", "") == names
    rules = ", ".join(rule.code for rule in RULES if "truncate" in rule.fixes)
    assert candidates("fix", "model.py", "--apply", "tr")[0] == ("truncate", f"for {rules}")
    assert values("fix", "--apply", "truncate,re") == ["truncate,remove-stem"]
    assert values("fix", "--apply", "remove-stem,remo") == []


def test_rules_of_other_folders(tmp_path):
    for folder, code in (("given", "XX001"), ("configured", "XX002")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{code}-wide-layer.md").write_text(
            f"---\ncode: {code}\nlimits:\n  most: 0.25\nfixes: [narrow]\n---\npage\n"
        )
        (tmp_path / folder / "README.md").touch()
    (tmp_path / "rfcheck.toml").write_text('rule-folders = ["configured"]\n')
    assert candidates("--rules", "given", "--select", "XX") == [("XX002", "wide-layer"), ("XX001", "wide-layer")]
    assert values("rule", "--rules", "given", "XX") == ["XX002", "XX001"]
    assert values("--limit", "XX") == ["XX002.most="]
    assert values("fix", "m.py", "--apply", "na") == ["narrow"]


@pytest.mark.parametrize(
    "text", ["", "no front matter", "---\n[\n---\n", "---\n3\n---\n", "---\nlimits: 3\nfixes: null\n---\n", "\xff"]
)
def test_a_file_that_is_no_rule_takes_nothing_else_away(tmp_path, text):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "XX001-broken.md").write_bytes(text.encode("latin-1"))
    assert values("--rules", "own", "--limit", "RF101.") == ["RF101.min_layers="]
    assert values("--rules", "own", "--select", "XX") == ["XX001"]
    assert values("--rules", "gone", "--select", "RF101") == ["RF101"]
