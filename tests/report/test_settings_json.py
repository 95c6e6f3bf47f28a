from __future__ import annotations

import json
from pathlib import Path

import rfcheck
from rfcheck.configuration.file import ConfigFile
from rfcheck.configuration.reading import read_configuration
from rfcheck.report.settings_json import settings_json

DEFAULTS = {
    "resolution": None,
    "channels": 3,
    "classes": None,
    "select": [],
    "ignore": [],
    "fail-on": "warning",
    "projection": "downsampling",
    "gates": "ignore",
    "flops-by": "torch",
    "baseline": None,
    "rule-folders": [],
}


def by_default(values):
    return {key: {"value": value, "from": "default"} for key, value in values.items()}


def test_without_a_file():
    assert json.loads(settings_json(None, ())) == {
        "version": 1,
        "rfcheck": rfcheck.__version__,
        "file": None,
        "settings": by_default(DEFAULTS),
        "models": [],
    }


def test_a_file_and_its_models():
    values = {
        "resolution": "32x48",
        "budgets": {"flops": "off"},
        "models": [{"target": "torchvision:vgg16", "name": "v", "input-size": [1, 8, 8]}],
    }
    configuration = read_configuration(ConfigFile(Path("/p/rfcheck.toml"), "", values, ()))
    document = json.loads(settings_json(configuration, configuration.models))
    budget = {"rules.RF401.max_flops": {"value": "off", "from": "rfcheck.toml"}}
    assert document["file"] == "/p/rfcheck.toml"
    assert document["settings"] == {**by_default(DEFAULTS), "resolution": {"value": [32, 48], "from": "rfcheck.toml"}, **budget}
    origin = "rfcheck.toml models entry 'v'"
    without = {key: value for key, value in DEFAULTS.items() if key != "resolution"}
    own = {"input-size": {"value": [1, 8, 8], "from": origin}, "channels": {"value": 1, "from": origin}}
    assert document["models"] == [
        {"name": "v", "target": "torchvision:vgg16", "settings": {**by_default(without), **own, **budget}}
    ]
