from __future__ import annotations

import pytest
from torch import nn

from rfcheck import Settings, analyze
from rfcheck.linting.facts import ATTRIBUTES, VARIABLES, Facts


@pytest.fixture(scope="module")
def facts() -> Facts:
    model = nn.Sequential(
        *(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    return Facts(analyze(model, (8, 12)).network, "Net", Settings())


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


def test_depth_and_classes(facts):
    assert facts.value("depth", frozenset()) == {"layers": 7, "convolutional": True}
    assert facts.value("classes", frozenset()) == 2
    assert Facts(facts.network, "Net", Settings(classes=5)).value("classes", frozenset()) == 5


def test_what_needs_the_network_is_a_fact_of_a_layer_too():
    model = nn.Sequential(
        nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1, 2), nn.Conv2d(3, 3, 3, padding=1), nn.AdaptiveAvgPool2d(1)
    )
    facts = Facts(analyze(model, 4).network, "Net", Settings())
    layers = facts.value("layers", frozenset({"unread_share", "padding_share"}))
    assert [layer["unread_share"] for layer in layers] == [0, 0.75, 0, 0]
    assert [layer["padding_share"] for layer in layers] == pytest.approx([1 - (10 / 12) ** 2, 0, 1 - (4 / 6) ** 2, 0])


class Projection(nn.Module):
    """A strided shortcut whose input nothing but itself reads, beside a main path of larger windows."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.shortcut = nn.Conv2d(3, 3, 3, 2, 1), nn.Conv2d(3, 3, 1, 2)

    def forward(self, x):
        return self.main(x.relu()) + self.shortcut(x.tanh())


def test_only_the_main_path_loses_positions():
    layers = Facts(analyze(Projection(), 8).network, "Net", Settings()).value("layers", frozenset({"name", "unread_share"}))
    assert {layer["name"]: layer["unread_share"] for layer in layers} == {"main": 0, "shortcut": 0}


def test_a_flattened_head(facts):
    assert facts.value("flattened_head", frozenset({"name"})) is None
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4 * 8 * 12, 2))
    head = Facts(analyze(model, (8, 12)).network, "Net", Settings()).value("flattened_head", frozenset({"name", "params_share"}))
    assert (head["name"], head["map"], head["size"], head["positions"]) == ("2", "0", "8x12", 96)
    assert head["params_share"] == pytest.approx(770 / 786)
