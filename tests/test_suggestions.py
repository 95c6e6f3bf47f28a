from __future__ import annotations

import pytest

from rfcheck.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "most", "said"),
    [
        ("sarfi", ["full", "json", "sarif"], 1, "did you mean sarif?"),
        ("resnet17", ["resnet152", "resnet18", "vgg11"], 1, "did you mean resnet18?"),
        ("resnet17", ["resnet152", "resnet18", "vgg11"], 3, "did you mean resnet18 or resnet152?"),
        ("xyz", ["full", "json"], 3, "there are two"),
        ("xyz", [], 1, "there are two"),
        ("", ["full"], 1, "there are two"),
        ("--lr", ["--help", "--resolution", "--learning-rate"], 1, "did you mean --learning-rate?"),
        ("--res", ["--rules", "--resume", "--resolution"], 2, "did you mean --resume or --resolution?"),
        ("--res", ["--rules", "--resolution"], 1, "did you mean --resolution?"),
        ("--r", ["--resolution"], 1, "there are two"),
        ("a", iter(["a1", "a2", "a3", "a4"]), 3, "did you mean a4 or a3 or a2?"),
    ],
)
def test_near_names_or_another_hint(name, known, most, said):
    assert did_you_mean(name, known, "there are two", most) == said
