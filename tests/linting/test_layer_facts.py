from __future__ import annotations

import math

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.linting.layer_facts import LAYER_FACTS, sized


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((32, 32), "32"),
        ((32, 48), "32x48"),
        ((math.inf, math.inf), "unbounded"),
        ((math.inf, 46), "the whole height x 46"),
        ((3, math.inf), "the whole width x 3"),
        ((3, math.inf, 3), "the whole height x 3x3"),
        ((math.inf, 5, math.inf), "the whole depth and width x 5"),
        (None, "unknown"),
    ],
)
def test_sizes_as_text(values, text):
    assert sized(values) == text


def test_facts_of_a_layer():
    layer = analyze(nn.Sequential(nn.Conv2d(3, 4, (3, 5), stride=(1, 2), padding=1)), 8).layers[0]
    facts = {name: fact(layer) for name, fact in LAYER_FACTS.items()}
    assert (facts["kernel"], facts["stride"], facts["r_max"], facts["r_in_min"]) == ("3x5", "1x2", "3x5", "1")
    assert (facts["productive"], facts["unproductive"], facts["known"]) == (True, False, True)
    assert facts["live_tap_count"] == facts["taps"] == 15
