"""Rules chosen on the command line."""

from __future__ import annotations

import pytest

from rfcheck import Settings
from rfcheck.cli.rule_selection import codes_of, known_rules
from rfcheck.errors import RuleError, SettingsError
from rfcheck.linting.rule import built_in_rules


@pytest.mark.parametrize(("text", "codes"), [(None, ()), ("", ()), ("rf1, RF301,", ("RF1", "RF301"))])
def test_codes(text, codes):
    assert codes_of(text) == codes


def test_known_rules():
    assert known_rules(Settings(select=("RF1",), ignore=("RF101",))) == list(built_in_rules())


@pytest.mark.parametrize("setting", ["select", "ignore"])
def test_an_unknown_prefix(setting):
    with pytest.raises(SettingsError) as caught:
        known_rules(Settings(**{setting: ("RF1", "XX")}))
    assert str(caught.value) == f"no rule begins with 'XX'; rules are {', '.join(rule.code for rule in built_in_rules())}"


def test_a_missing_folder():
    with pytest.raises(RuleError, match="none: no such folder of rules"):
        known_rules(Settings(rule_folders=("none",)))
