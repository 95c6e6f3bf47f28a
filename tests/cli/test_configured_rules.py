from __future__ import annotations

import pytest

from rfcheck.cli.configured_rules import require_known_rules
from rfcheck.configuration.reading import configuration_for
from rfcheck.errors import RuleError, SettingsError
from rfcheck.linting.rule import built_in_rules

CODES = ", ".join(rule.code for rule in built_in_rules())
OWN = "---\ncode: XX001\nname: own\nseverity: info\nscope: model\nwhen: model.flops > limits.most\nmessage: big\nlimits: {most: 1}\n---\npage\n"


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check what an rfcheck.toml in the current folder names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "XX001-own.md").write_text(OWN)

    def checked(text, *folders):
        (tmp_path / "rfcheck.toml").write_text(text)
        require_known_rules(configuration_for(None), folders)

    return checked


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("select = ['RF1', 'RF401']\nrules.RF101.min_layers = 4\nbudgets.flops = 1", ()),
        ("rules = ['own']\nselect = ['XX']\n[[models]]\ntarget = 'a'\nrules.XX001.most = 3", ()),
        ("rules.XX001.most = 3", ("own",)),
        ("rule-folders = ['own']\nrules.XX001.most = 3", ("./own",)),
    ],
)
def test_what_exists(check, text, folders):
    check(text, *folders)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nselect = ['RF1', 'XX']", f"2: select names 'XX', but no rule begins with it; rules are {CODES}"),
        (
            "[[models]]\ntarget = 'a'\nignore = ['RF9999']",
            f"3: models.ignore names 'RF9999', but no rule begins with it; rules are {CODES}",
        ),
        ("[rules.RF110]\nseverity = 'error'", "1: [rules] there is no rule 'RF110'; did you mean RF105?"),
        ("[rules.ZZ777]\nseverity = 'error'", f"1: [rules] there is no rule 'ZZ777'; rules are {CODES}"),
        ("[rules.RF101]\nmin_layer = 1", "2: [rules.RF101] RF101 has no limit 'min_layer'; did you mean min_layers?"),
        ("[rules.RF101]\nzzz = 1", "2: [rules.RF101] RF101 has no limit 'zzz'; it has min_layers"),
        ("rules.RF103.zzz = 1", "1: [rules.RF103] RF103 has no limit 'zzz'; it has none"),
        (
            "[[models]]\ntarget = 'a'\n[models.rules.RF101]\nmin_layer = 1",
            "4: [models.rules.RF101] RF101 has no limit 'min_layer'; did you mean min_layers?",
        ),
    ],
)
def test_what_does_not(check, text, message):
    with pytest.raises(SettingsError) as caught:
        check(text)
    assert str(caught.value) == f"rfcheck.toml:{message}"


def test_a_folder_that_does_not_exist(check):
    with pytest.raises(RuleError) as caught:
        check("rules = ['none']")
    assert str(caught.value) == "none: no such folder of rules"
