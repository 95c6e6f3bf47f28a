from __future__ import annotations

import pytest

from rfcheck.config import RuleOverride
from rfcheck.configuration.reading import configuration_for
from rfcheck.errors import SettingsError

EVERYTHING = """
resolution = "32x48"
channels = 1
classes = 10
select = ["rf1", "RF401"]
ignore = ["RF103"]
fail-on = "error"
projection = "exact"
gates = "count"
flops-by = "fvcore"
baseline = "known/base.json"
rule-folders = ["own"]

[rules.RF101]
severity = "error"
min_layers = 4

[rules.RF104]
min_seen = 0.5

[rules.RF401]
max_params = "off"

[budgets]
flops = "300M"
tail-share = 0.1

[[models]]
target = "nets/tiny.py:Tiny(width=8)"
name = "tiny"
input-size = [1, 28, 28]
select = []

[models.rules.RF101]
min_layers = 9

[[models]]
target = "torchvision:resnet18"
budgets = { params = 1e6 }
"""
VALUES = {
    "resolution": (32, 48),
    "channels": 1,
    "classes": 10,
    "select": ("RF1", "RF401"),
    "ignore": ("RF103",),
    "fail-on": "error",
    "projection": "exact",
    "gates": "count",
    "flops-by": "fvcore",
    "baseline": "known/base.json",
    "rule-folders": ("own",),
    "rules": {
        "RF101": RuleOverride("error", {"min_layers": 4}),
        "RF104": RuleOverride(None, {"min_seen": 0.5}),
        "RF401": RuleOverride(None, {"max_params": float("inf"), "max_flops": 3e8, "max_tail_share": 0.1}),
    },
}


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Read what an rfcheck.toml, or else a pyproject.toml, in the current folder says."""
    monkeypatch.chdir(tmp_path)

    def read(text, name="rfcheck.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return configuration_for(None)

    return read


def in_pyproject(text):
    return "[tool.rfcheck]\n" + text.replace("[[", "[[tool.rfcheck.").replace("\n[r", "\n[tool.rfcheck.r").replace(
        "\n[b", "\n[tool.rfcheck.b"
    ).replace("\n[m", "\n[tool.rfcheck.m")


@pytest.mark.parametrize(("name", "text"), [("rfcheck.toml", EVERYTHING), ("pyproject.toml", in_pyproject(EVERYTHING))])
def test_everything(configured, name, text):
    configuration = configured(text, name)
    assert configuration.values == VALUES
    tiny, resnet = configuration.models
    assert (tiny.target, tiny.name, tiny.origin) == ("nets/tiny.py:Tiny(width=8)", "tiny", f"{name} models entry 'tiny'")
    assert tiny.values == {"input-size": (1, 28, 28), "select": (), "rules": {"RF101": RuleOverride(None, {"min_layers": 9})}}
    assert (resnet.target, resnet.name) == ("torchvision:resnet18", "torchvision:resnet18")
    assert resnet.values == {"rules": {"RF401": RuleOverride(None, {"max_params": 1e6})}}
    assert configuration.rule_folders == ("own",)


def test_an_empty_file(configured):
    configuration = configured("")
    assert (configuration.values, configuration.models, configuration.rule_folders) == ({}, (), ())


def test_a_list_of_rules_is_one_of_folders(configured):
    assert configured('rules = ["own/", "./own"]').values == {"rule-folders": ("own",)}


def test_paths_are_relative_to_the_file(configured, tmp_path, monkeypatch):
    configured('baseline = "b.json"\nrules = ["sub/own"]\n[[models]]\ntarget = "sub/m.py:Net"\n[[models]]\ntarget = "n.py"\n')
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    configuration = configuration_for(None)
    assert configuration.values == {"baseline": str(tmp_path / "b.json"), "rule-folders": ("own",)}
    assert [entry.target for entry in configuration.models] == ["m.py:Net", str(tmp_path / "n.py")]


def test_the_file_of_a_target_decides(configured, tmp_path, monkeypatch):
    configured("channels = 1")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "rfcheck.toml").write_text("channels = 2")
    assert configuration_for("sub/model.py:Net").values == {"channels": 2}
    assert configuration_for("model.py").values == {"channels": 1}
    assert configuration_for("torchvision:resnet18").values == {"channels": 1}
    monkeypatch.chdir("/")
    assert configuration_for(None) is None
    assert configuration_for(f"{tmp_path}/sub/model.py").values == {"channels": 2}


ENTRIES = """
[[models]]
target = "a.py:Net"
[[models]]
target = "a.py:Net"
name = "again"
resolution = 64
[[models]]
target = "a.py"
name = "b.py"
[[models]]
target = "torchvision:resnet18"
"""


@pytest.mark.parametrize(
    ("target", "numbers"),
    [
        ("again", [1]),
        ("a.py:Net", [0]),
        ("./a.py:Net", [0, 1]),
        ("sub/../a.py", [2]),
        ("b.py", [2]),
        ("torchvision:resnet18", [3]),
        ("a.py:Other", []),
        ("c.py", []),
    ],
)
def test_the_entries_that_a_target_means(configured, target, numbers):
    configuration = configured(ENTRIES)
    assert list(configuration.entries_for(target)) == [configuration.models[i] for i in numbers]


def test_a_file_means_all_that_is_configured_in_it(configured):
    configuration = configured(
        '[[models]]\ntarget = "a.py:Net"\n[[models]]\ntarget = "a.py:Other"\n[[models]]\ntarget = "b.py:Net"\n'
    )
    assert configuration.entries_for("a.py") == configuration.models[:2]


KNOWN = "resolution, input-size, channels, classes, select, ignore, fail-on, projection, gates, flops-by, baseline, rule-folders, rules, budgets, models"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nresolutoin = 32", "2: unknown key 'resolutoin'; did you mean resolution?"),
        ("input_size = 32", "1: unknown key 'input_size'; did you mean input-size?"),
        ("fail_on = 'error'", "1: unknown key 'fail_on'; did you mean fail-on?"),
        ("Channels = 1", "1: unknown key 'Channels'; did you mean channels?"),
        ("zzz = 1", f"1: unknown key 'zzz'; known are {KNOWN}"),
        ("[tool.rfcheck]", "1: unknown key 'tool'; keys stand at the top of this file, without [tool.rfcheck]"),
        ("target = 'a.py'", "1: unknown key 'target'; it belongs in an entry of models"),
        ("[budgets]\nflop = 1", "2: [budgets] unknown key 'flop'; did you mean flops?"),
        ("[budgets]\nzzz = 1", "2: [budgets] unknown key 'zzz'; known are flops, params, activation-bytes, tail-share"),
        ("[budgets]\nchannels = 1", "2: [budgets] unknown key 'channels'; it belongs at the top of the file"),
        ("[rules]\nbudget = {}", "2: [rules] unknown key 'budget'; use the code of a rule, like RF101"),
        ("[rules.rf101]\nmin_layers = 1", "1: [rules] unknown key 'rf101'; use the code of a rule, like RF101"),
        ("[rules.RF101]\nserverity = 'error'", "2: [rules.RF101] unknown key 'serverity'; did you mean severity?"),
        (
            "[rules.RF101]\nmin-layers = 3",
            "2: [rules.RF101] unknown key 'min-layers'; known are severity; use the name of a limit, like min_layers",
        ),
        (
            "rules.RF101.min_layers = 'three'",
            "1: rules.RF101.min_layers must be a number, like 4, 0.5, '300M' or 'off', got 'three'",
        ),
        ("rules.RF101.severity = 'fatal'", "1: rules.RF101.severity must be 'error', 'warning' or 'info', got 'fatal'"),
        ("rules.RF101 = 3", "1: rules.RF101 must be a table, got 3"),
        ("rules = 3", "1: rules must be a table or a list of folders, like ['my_rules'], got 3"),
        ("rules = [3]", "1: rules must be a list of folders, like ['my_rules'], got [3]"),
        ("rules = ['a']\nrule-folders = ['b']", "1: give either rule-folders or a list as rules, not both: they say the same"),
        ("resolution = 0", "1: resolution must be a whole number like 32, or a text like '32x48', got 0"),
        ("resolution = [32, 48]", "1: resolution must be a whole number like 32, or a text like '32x48', got [32, 48]"),
        ("input-size = 32", "1: input-size must be channels and image extents, like [3, 32, 48] or '3,32,48', got 32"),
        ("channels = true", "1: channels must be a whole number of at least 1, got true"),
        ("classes = 1", "1: classes must be a whole number of at least 2, got 1"),
        (
            "select = [\n'RF1',\n'RF 2']",
            "1: select must be a list of codes of rules or their beginnings, like ['RF1', 'RF301'], got ['RF1', 'RF 2']",
        ),
        ("ignore = 'RF1'", "1: ignore must be a list of codes of rules or their beginnings, like ['RF1', 'RF301'], got 'RF1'"),
        ("fail-on = 'none'", "1: fail-on must be 'error', 'warning', 'info' or 'never', got 'none'"),
        ("projection = 'off'", "1: projection must be 'downsampling' or 'exact', got 'off'"),
        ("gates = false", "1: gates must be 'ignore' or 'count', got false"),
        ("flops-by = 1", "1: flops-by must be 'torch' or 'fvcore', got 1"),
        ("baseline = ''", "1: baseline must be the path of a file, got ''"),
        ("rule-folders = 'a'", "1: rule-folders must be a list of folders, like ['my_rules'], got 'a'"),
        ("[budgets]\nflops = -1", "2: budgets.flops must be a number of at least 0, like 1e6, '300M' or 'off', got -1"),
        ("budgets.tail-share = 50", "1: budgets.tail-share must be a number from 0 to 1, or 'off', got 50"),
        ("budgets = 3", "1: budgets must be a table, got 3"),
        (
            "[budgets]\nflops = 1\n[rules.RF401]\nmax_flops = 2",
            "2: [budgets] give either flops or rules.RF401.max_flops, not both: they say the same",
        ),
        ("resolution = 1\n\ninput-size = [3, 1]", "3: give either resolution or input-size, not both: they say the same"),
        (
            "channels = 1\ninput-size = [3, 1]",
            "1: give either input-size or channels, not both: the input size holds the channels already",
        ),
        ("models = 3", "1: models must be a list of tables, each under [[models]], got 3"),
        ("[models]\ntarget = 'a.py'", "1: models must be a list of tables, each under [[models]], got a table with 'target'"),
        ("[[models]]\nname = 'a'", "1: [[models]] target is missing; add one, like target = 'model.py:Net'"),
        ("[[models]]\ntarget = 3", "2: models.target must be a target, like 'model.py:Net', got 3"),
        ("[[models]]\ntarget = 'a'\n[[models]]\ntaget = 'b'", "4: [[models]] unknown key 'taget'; did you mean target?"),
        ("[[models]]\ntarget = 'a'\ngates = 'count'", "3: [[models]] unknown key 'gates'; it belongs at the top of the file"),
        ("[[models]]\ntarget = 'a'\nrules = ['b']", "3: models.rules must be a table, got ['b']"),
        (
            "[[models]]\ntarget = 'a'\nbudgets.flops = 'x'",
            "3: models.budgets.flops must be a number of at least 0, like 1e6, '300M' or 'off', got 'x'",
        ),
        (
            "[[models]]\ntarget = 'a'\n[[models]]\ntarget = 'a'",
            "3: models.name must be different for each model, got 'a' twice; give each a name",
        ),
    ],
)
def test_what_is_wrong_is_said(configured, text, message):
    with pytest.raises(SettingsError) as caught:
        configured(text)
    assert str(caught.value) == f"rfcheck.toml:{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.rfcheck]\nresolutoin = 32", "2: [tool.rfcheck] unknown key 'resolutoin'; did you mean resolution?"),
        ("[tool.rfcheck]\ntool = 1", f"2: [tool.rfcheck] unknown key 'tool'; known are {KNOWN}"),
        ("[tool.rfcheck]\nchannels = 0", "2: tool.rfcheck.channels must be a whole number of at least 1, got 0"),
        (
            "[tool.rfcheck.models]\ntarget = 'a.py'",
            "1: tool.rfcheck.models must be a list of tables, each under [[tool.rfcheck.models]], got a table with 'target'",
        ),
        ("[tool.rfcheck.budgets]\nflop = 1", "2: [tool.rfcheck.budgets] unknown key 'flop'; did you mean flops?"),
        (
            "[[tool.rfcheck.models]]\ntarget = 'a'\nbaseline = 'b'",
            "3: [[tool.rfcheck.models]] unknown key 'baseline'; it belongs in [tool.rfcheck]",
        ),
        (
            "[tool]\nrfcheck = { models = [{ target = 'a' }, { target = 'b', classes = 1 }] }",
            "2: tool.rfcheck.models.classes must be a whole number of at least 2, got 1",
        ),
    ],
)
def test_what_is_wrong_in_pyproject_is_said(configured, text, message):
    with pytest.raises(SettingsError) as caught:
        configured(text, "pyproject.toml")
    assert str(caught.value) == f"pyproject.toml:{message}"
