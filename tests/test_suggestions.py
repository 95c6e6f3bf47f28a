from __future__ import annotations

import pytest

from rfcheck.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("sarfi", ["full", "json", "sarif"], "did you mean sarif?"),
        ("resnet17", ["resnet18", "resnet152", "vgg11"], "did you mean resnet18 or resnet152?"),
        ("xyz", ["full", "json"], "there are two"),
        ("xyz", [], "there are two"),
        ("", ["full"], "there are two"),
        ("a", iter(["a1", "a2", "a3", "a4"]), "did you mean a4 or a3 or a2?"),
    ],
)
def test_near_names_or_another_hint(name, known, said):
    assert did_you_mean(name, known, "there are two") == said
