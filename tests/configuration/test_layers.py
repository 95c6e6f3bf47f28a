from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.config import RuleOverride, Settings
from rfcheck.configuration.file import ConfigFile
from rfcheck.configuration.layers import effective
from rfcheck.configuration.reading import Configuration, ModelEntry
from rfcheck.errors import SettingsError

FILE = ConfigFile(Path("/p/pyproject.toml"), "", {}, ("tool", "rfcheck"))
ORIGINS = ["pyproject.toml [tool.rfcheck]", "pyproject.toml models entry 'tiny'", "command line"]


def layered(file, entry, command_line):
    configuration = Configuration(FILE, file, ())
    return effective(configuration, ModelEntry("tiny.py", "tiny", ORIGINS[1], entry, ("models", 0)), command_line)


def test_defaults():
    found = effective(None, None, {})
    assert (found.settings, found.input_size, found.fail_on, found.baseline) == (Settings(), None, "warning", None)
    assert set(found.origins.values()) == {"default"}
    assert found.values == {
        "resolution": None,
        "channels": 3,
        "classes": None,
        "select": (),
        "ignore": (),
        "fail-on": "warning",
        "projection": "downsampling",
        "gates": "ignore",
        "flops-by": "torch",
        "baseline": None,
        "rule-folders": (),
    }
    assert found.origins.keys() == found.values.keys()


PLAIN = {
    "classes": st.integers(2, 9),
    "select": st.lists(st.sampled_from(["RF1", "RF2"]), min_size=1, max_size=2).map(tuple),
    "ignore": st.lists(st.sampled_from(["RF1", "RF2"]), min_size=1, max_size=2).map(tuple),
    "fail-on": st.sampled_from(["error", "info", "never"]),
    "projection": st.sampled_from(["downsampling", "exact"]),
    "gates": st.sampled_from(["ignore", "count"]),
    "flops-by": st.sampled_from(["torch", "fvcore"]),
    "baseline": st.sampled_from(["a.json", "b.json"]),
}


@given(st.lists(st.fixed_dictionaries({}, optional=PLAIN), min_size=3, max_size=3))
def test_the_higher_layer_wins_for_each_key(layers):
    found = layered(*layers)
    for key in PLAIN:
        holders = [i for i, layer in enumerate(layers) if key in layer]
        if holders:
            value = layers[holders[-1]][key]
            assert (found.values[key], found.origins[key]) == (value, ORIGINS[holders[-1]])
        else:
            value = effective(None, None, {}).values[key]
            assert (found.values[key], found.origins[key]) == (value, "default")
        if key == "fail-on":
            assert found.fail_on == value
        elif key == "baseline":
            assert found.baseline == (None if value is None else Path(value))
        else:
            assert getattr(found.settings, key.replace("-", "_")) == value


EXTENT = st.integers(1, 99)
SIZES = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={"resolution": EXTENT | st.tuples(EXTENT, EXTENT), "channels": st.integers(1, 5)}),
    st.fixed_dictionaries({"input-size": st.tuples(st.integers(1, 5), EXTENT, EXTENT)}),
)


@given(st.lists(SIZES, min_size=3, max_size=3))
def test_channels_and_extents_each_come_from_the_highest_layer_that_says_them(layers):
    channels, extents, is_long, origin = 3, None, False, "default"
    for layer, name in zip(layers, ORIGINS, strict=True):
        if "resolution" in layer:
            extents, is_long, origin = layer["resolution"], False, name
        if "input-size" in layer:
            (channels, *rest), is_long, origin = layer["input-size"], True, name
            extents = tuple(rest)
        channels = layer.get("channels", channels)
    found = layered(*layers)
    assert found.settings.channels == channels
    assert found.input_size == ((channels, *extents) if is_long else extents)
    key, other = ("input-size", "resolution") if is_long else ("resolution", "input-size")
    assert (found.values[key], found.origins[key]) == (found.input_size, origin)
    assert other not in found.values
    assert other not in found.origins


OVERRIDES = st.dictionaries(
    st.sampled_from(["RF101", "RF401"]),
    st.builds(
        RuleOverride,
        st.sampled_from([None, "error", "info"]),
        st.dictionaries(st.sampled_from(["min_layers", "max_flops"]), st.integers(0, 9)),
    ),
)


@given(st.lists(OVERRIDES, min_size=3, max_size=3))
def test_overrides_are_merged_one_by_one(layers):
    found = layered(*({"rules": layer} for layer in layers))
    expected, origins = {}, {}
    for layer, name in zip(layers, ORIGINS, strict=True):
        for code, override in layer.items():
            parts = {**override.limits, **({"severity": override.severity} if override.severity else {})}
            expected |= {(code, part): value for part, value in parts.items()}
            origins |= {f"rules.{code}.{part}": name for part in parts}
    flat = {}
    for code, override in found.settings.rules.items():
        flat |= {(code, limit): value for limit, value in override.limits.items()}
        if override.severity is not None:
            flat[code, "severity"] = override.severity
    assert flat == expected
    assert {key: origin for key, origin in found.origins.items() if key.startswith("rules.")} == origins


def test_folders_of_rules_add_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = layered({"rule-folders": ("own", "more")}, {}, {"rule_folders": ("./more", f"{tmp_path}/own", "last")})
    assert found.settings.rule_folders == ("own", "more", "last")
    assert found.origins["rule-folders"] == "pyproject.toml [tool.rfcheck], command line"
    assert layered({}, {}, {"rule_folders": ("own",)}).origins["rule-folders"] == "command line"
    assert layered({"rule-folders": ("own",)}, {}, {"rule_folders": ("own",)}).origins["rule-folders"] == ORIGINS[0]


def test_options_that_are_not_given_change_nothing():
    options = {
        "resolution": None,
        "input_size": None,
        "fail_on": None,
        "select": (),
        "rules": {},
        "rule_folders": (),
        "flops_by": None,
    }
    assert layered({"resolution": 32}, {}, options) == layered({"resolution": 32}, {}, {})


def test_an_entry_may_take_a_selection_back():
    found = layered({"select": ("RF1",)}, {"select": ()}, {})
    assert (found.settings.select, found.origins["select"]) == ((), ORIGINS[1])


def test_a_value_of_the_command_line_that_is_not_allowed():
    with pytest.raises(SettingsError) as caught:
        layered({}, {}, {"channels": 0})
    assert str(caught.value) == "channels must be a whole number of at least 1, got 0"
