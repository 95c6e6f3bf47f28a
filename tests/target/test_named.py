"""Models by name; what makes them is called with what it needs."""

from __future__ import annotations

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.named import named_in_file, named_in_module, needed_arguments
from rfcheck.target.obvious import Given
from rfcheck.target.source import FileSource
from rfcheck.target.spec import parse_target

CODE = "def build(width, num_classes, depth=1):\n    return nn.Linear(width, num_classes * depth)\nclass Box:\n    build = staticmethod(build)\n"


@pytest.mark.parametrize(
    ("name", "label", "shape"),
    [
        ("build(3)", "build(3, num_classes=10)", (10, 3)),
        ("build(3, 4)", "build(3, 4)", (4, 3)),
        ("build(num_classes=2, width=5)", "build(num_classes=2, width=5)", (2, 5)),
        ("Box.build(3)", "Box.build(3, num_classes=10)", (10, 3)),
    ],
)
def test_what_a_call_gets(model_file, name, label, shape):
    path = model_file(CODE)
    target = named_in_file(parse_target(f"{path}:{name}"), FileSource(path), Given())
    assert (target.label, tuple(target.build()[0].weight.shape)) == (f"{path}:{label}", shape)


def test_arguments_for_all(model_file):
    path = model_file(CODE)
    target = named_in_file(parse_target(f"{path}:build"), FileSource(path), Given(arguments={"width": 3, "depth": 2}))
    assert target.label == f"{path}:build(width=3, num_classes=10, depth=2)"
    with pytest.raises(TargetError) as caught:
        named_in_file(parse_target(f"{path}:build"), FileSource(path), Given())
    assert str(caught.value) == needed_arguments(path, "build", ["width"])


def test_modules():
    target = named_in_module(parse_target("torch.nn:Linear(2, 3)"), Given())
    assert tuple(target.build()[0].weight.shape) == (3, 2)
