from __future__ import annotations

import sys

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.graph.nesting import deep_calls


@pytest.mark.parametrize("depth", [1, 210, 230])
def test_what_runs_bare_is_analysed(depth):
    """torch itself runs about 240 containers one inside the other."""
    model = nn.Conv2d(3, 3, 3)
    for _ in range(depth):
        model = nn.Sequential(model)
    before = sys.getrecursionlimit()
    (layer,) = analyze(model, 8).layers
    assert (layer.name, layer.r_max, layer.params) == (".".join("0" * depth), (3, 3), 84)
    assert sys.getrecursionlimit() == before


def test_the_limit_comes_back():
    before = sys.getrecursionlimit()
    with deep_calls(["a", "a.b.c"]):
        assert sys.getrecursionlimit() == before + 24
    assert sys.getrecursionlimit() == before
