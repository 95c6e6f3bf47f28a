from __future__ import annotations

import pytest

from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import SettingsError


def test_defaults_and_mappings():
    assert Settings.of(None) == Settings()
    assert Settings.of({"gates": "count"}).gates == "count"
    settings = Settings(channels=1)
    assert Settings.of(settings) is settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gate": "count"}, "unknown setting 'gate'; did you mean gates?"),
        ({"zzz": 1}, "unknown setting 'zzz'; known are channels, "),
        ({"gates": "maybe"}, "gates must be 'ignore' or 'count', got 'maybe'"),
        ({"projection": "none"}, "projection must be 'downsampling' or 'exact', got 'none'"),
        ({"flops_by": "hand"}, "flops_by must be 'torch' or 'fvcore', got 'hand'"),
        ({"channels": 0}, "channels must be a whole number of at least 1, got 0"),
        ({"channels": True}, "channels must be a whole number of at least 1, got True"),
        ({"classes": 1}, "classes must be a whole number of at least 2, got 1"),
        ({"classes": 2.0}, "classes must be a whole number of at least 2, got 2.0"),
    ],
)
def test_wrong_settings(given, message):
    with pytest.raises(SettingsError) as caught:
        Settings.of(given)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("value", "shown"), [("1e9", "'1e9'"), (True, "True"), (float("nan"), "nan"), (10**400, str(10**400))])
def test_wrong_limits(value, shown):
    with pytest.raises(SettingsError) as caught:
        RuleOverride(limits={"max_flops": value})
    assert str(caught.value) == f"the limit max_flops must be a number, got {shown}"
