from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from rfcheck.configuration.file import ConfigFile
from rfcheck.configuration.layers import effective
from rfcheck.configuration.reading import read_configuration
from rfcheck.report.settings_table import print_models, print_settings, shown

VALUES = {
    "resolution": "32x48",
    "select": ["RF1", "RF401"],
    "rules": {"RF101": {"severity": "error", "min_layers": 4}},
    "budgets": {"flops": "300M", "params": "off"},
    "models": [
        {
            "target": "nets.tiny:Tiny",
            "name": "tiny [b]ü",
            "input-size": [1, 28, 28],
            "classes": 10,
            "rules": {"RF101": {"min_layers": 5}},
        },
        {"target": "torchvision:resnet18"},
    ],
}


@pytest.fixture
def configuration():
    return read_configuration(ConfigFile(Path("/p/pyproject.toml"), "", VALUES, ("tool", "rfcheck")))


def printed(function, value, width=80):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    function(value, console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_settings(configuration):
    assert printed(print_settings, effective(configuration, None, {"fail_on": "never"})) == [
        "setting                 value                    from",
        "──────────────────────────────────────────────────────────────────────────────",
        "resolution              32x48                    pyproject.toml [tool.rfcheck]",
        "channels                3                        default",
        "classes                 from the model's output  default",
        "select                  RF1, RF401               pyproject.toml [tool.rfcheck]",
        "ignore                  none                     default",
        "fail-on                 never                    command line",
        "projection              downsampling             default",
        "gates                   ignore                   default",
        "flops-by                torch                    default",
        "baseline                none                     default",
        "rule-folders            none                     default",
        "rules.RF101.min_layers  4                        pyproject.toml [tool.rfcheck]",
        "rules.RF101.severity    error                    pyproject.toml [tool.rfcheck]",
        "rules.RF401.max_flops   300M                     pyproject.toml [tool.rfcheck]",
        "rules.RF401.max_params  off                      pyproject.toml [tool.rfcheck]",
    ]


def test_settings_of_an_entry(configuration):
    lines = printed(print_settings, effective(configuration, configuration.models[0], {}), 200)
    origin = "pyproject.toml models entry 'tiny [b]ü'"
    assert lines[2:5] == [
        f"input-size              1,28,28       {origin}",
        f"channels                1             {origin}",
        f"classes                 10            {origin}",
    ]
    assert f"rules.RF101.min_layers  5             {origin}" in lines


def test_models(configuration):
    assert printed(print_models, configuration) == [
        "name       target                own settings",
        "────────────────────────────────────────────────────────────────────────────────",
        "tiny [b]ü  nets.tiny:Tiny        input-size 1,28,28, classes 10,",
        "                                   rules.RF101.min_layers 5",
        "           torchvision:resnet18",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_cut_off(configuration, width):
    settings = effective(configuration, configuration.models[0], {})
    lines = printed(print_settings, settings, width)
    assert max(map(len, lines)) <= width
    assert not [line for line in lines if "…" in line]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("resolution", 32, "32"),
        ("resolution", (32, 48, 64), "32x48x64"),
        ("input-size", (3, 32, 48), "3,32,48"),
        ("rules.RF401.max_flops", 3e8, "300M"),
        ("rules.RF401.max_flops", 1234567, "1234567"),
        ("rules.RF401.max_flops", 1234567.5, "1234567.5"),
        ("rules.RF104.min_seen", 0.123456789, "0.123456789"),
        ("rules.RF401.max_flops", math.inf, "off"),
        ("rules.RF401.max_flops", -math.inf, "-inf"),
        ("select", (), "all"),
        ("baseline", None, "none"),
        ("resolution", None, "not set"),
    ],
)
def test_values(key, value, text):
    assert shown(key, value) == text
