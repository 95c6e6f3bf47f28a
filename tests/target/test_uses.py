"""What the text of a file tells of its definitions."""

from __future__ import annotations

import ast

import pytest

from rfcheck.target.uses import Uses, is_unfinished, makes_layers

CODE = """
from torch import nn
TABLE = {"a": A}
ready = B()
class A(nn.Module):
    pass
class Base(nn.Module):
    pass
class B(Base):
    def __init__(self):
        self.a = make("a")
        super(B, self).__init__()
        Base.__init__(self)
if True:
    class C(nn.Module):
        def forward(self, x):
            return B()(x)
    def make(kind):
        return TABLE[kind]()
class Trainer:
    net = C()
"""


def test_what_is_used_through_what():
    uses = Uses.in_file(ast.parse(CODE))
    assert sorted(uses.classes) == ["A", "B", "Base", "C", "Trainer"]
    assert sorted(uses.functions) == ["make"]
    assert uses.used["B"] == {"make"}
    assert uses.reached_from("C") == {"B", "make", "TABLE", "A"}
    assert uses.bases() == {"Base"}


def test_parts():
    uses = Uses.in_file(ast.parse(CODE))
    modules = ["A", "Base", "B", "C"]
    assert uses.parts(modules) & set(modules) == {"A", "B", "Base"}
    assert uses.parts(["A", "C"], ["C"]) >= {"A", "C"}


def test_classes_that_use_each_other_are_no_parts():
    uses = Uses.in_file(ast.parse("class A:\n    def f(self):\n        B()\nclass B:\n    def f(self):\n        A()\n"))
    assert uses.parts(["A", "B"]) == set()


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        ("raise NotImplementedError", True),
        ("return self.head(x)", True),
        ("return self.conv(x)", False),
        ("self.head = 3; return self.head", False),
    ],
)
def test_a_forward_that_is_left_to_others(forward, expected):
    node = ast.parse(f"class A:\n    def forward(self, x):\n        {forward}\n").body[0]

    class Instance:
        conv = None

    assert is_unfinished(node, Instance()) is expected
    assert makes_layers(ast.parse("class A:\n    def f(self):\n        nn.Conv2d(3, 3, 1)\n").body[0])
