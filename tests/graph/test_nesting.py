from __future__ import annotations

import sys

import pytest
from torch import nn

from rfcheck import analyze, apply_fix
from rfcheck.errors import TraceError
from rfcheck.graph.nesting import DEEPEST


def nested(depth: int, inner: nn.Module) -> nn.Module:
    for _ in range(depth):
        inner = nn.Sequential(inner)
    return inner


@pytest.mark.parametrize("depth", [0, 1, 210, 330, 600])
def test_modules_deep_inside_each_other(depth):
    before = sys.getrecursionlimit()
    analysis = analyze(nested(depth, nn.Conv2d(3, 3, 3)), 8)
    assert [layer.r_max for layer in analysis.layers] == [(3, 3)]
    assert sys.getrecursionlimit() == before


def test_fixes_of_modules_deep_inside_each_other():
    body = nn.Sequential(*(nn.Conv2d(3 if i == 0 else 4, 4, 3, padding=1) for i in range(8)))
    model = nn.Sequential(nested(210, body), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    analysis = analyze(model, 8)
    (fix,) = (fix for fix in analysis.fixes if fix.name == "truncate-before")
    assert analyze(apply_fix(model, fix, 8), 8).tail == ()


def test_what_is_too_deep_is_refused_in_one_sentence():
    with pytest.raises(TraceError) as error:
        analyze(nested(5000, nn.Conv2d(3, 3, 3)), 8)
    assert str(error.value) == f"the modules lie more than {DEEPEST:,} deep inside each other; rfcheck follows no more than that"


def test_a_module_inside_itself_does_not_hang():
    model = nn.Sequential(nn.Conv2d(3, 3, 3))
    model.loop = nn.Sequential()
    model.loop._modules["back"] = model
    with pytest.raises(TraceError, match=r"^the modules lie more than"):
        analyze(model, 8)
