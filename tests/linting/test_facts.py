from __future__ import annotations

import math

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.linting.facts import ATTRIBUTES, VARIABLES, Facts, sized


@pytest.fixture(scope="module")
def facts() -> Facts:
    model = nn.Sequential(
        *(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    return Facts(analyze(model, (8, 12)).network, "Net")


@pytest.mark.parametrize(
    ("values", "text"),
    [((32, 32), "32"), ((32, 48), "32x48"), ((math.inf, math.inf), "unbounded"), ((3, math.inf), "3xunbounded"), (None, "unknown")],
)
def test_sizes_as_text(values, text):
    assert sized(values) == text


def test_every_fact_is_plain_data(facts):
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(k, str) and plain(v) for k, v in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or type(value) in (bool, int, float, str)

    for name in VARIABLES - {"layer", "limits"}:
        assert plain(facts.value(name, ATTRIBUTES)), name


def test_the_input_has_named_axes(facts):
    assert facts.value("input", frozenset()) == {"size": [8, 12], "text": "8x12", "channels": 3, "height": 8, "width": 12}


def test_layers_on_one_axis_only(facts):
    # inputs see 1, 3, ..., 13 px: more than 8 from the fifth on, more than 12 from the seventh on
    assert [layer["name"] for layer in facts.value("one_sided", frozenset({"name"}))] == ["4", "5"]
    assert [layer["name"] for layer in facts.value("tail", frozenset({"name"}))] == ["6"]


def test_shares_add_up(facts):
    shares = [layer["params_share"] for layer in facts.value("layers", frozenset({"params_share"}))]
    assert sum(shares) == pytest.approx(1)
    assert facts.value("features_cost", frozenset())["params"] == 7 * (3 * 3 * 9 + 3)


def test_the_last_map(facts):
    last = facts.value("last_map", frozenset())
    assert (last["name"], last["size"], last["r_max"], last["seen_share"]) == ("6", "8x12", "15", 1.0)
