from __future__ import annotations

import pytest

from rfcheck.linting.expressions import cel
from rfcheck.linting.rule import built_in_rules
from rfcheck.linting.syntax import Part, parse


def name(text):
    return Part("name", text)


def number(text="1"):
    return Part("literal", text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a + b + 1", Part("sum", "", (name("a"), name("b"), number()))),
        ("a - 1 * b", Part("other", "", (name("a"), Part("other", "", (number(), name("b")))))),
        ("-a.b[1]", Part("member", "", (Part("member", "b", (name("a"),)), number()))),
        ("(a ? b : c) ? 1 : 1", Part("choice", "", (Part("choice", "", (name("a"), name("b"), name("c"))), number(), number()))),
        ("size(a)", Part("call", "size", (name("a"),))),
        ("a.size()", Part("call", "size", (name("a"),))),
        ("a.all(x, x in b)", Part("macro", "all", (name("a"), name("x"), Part("other", "", (name("x"), name("b")))))),
        ("all(x, x)", Part("call", "all", (name("x"), name("x")))),
        ("{1: [a, b,],}", Part("list", "", (number(), Part("list", "", (name("a"), name("b")))))),
        (
            r"r'\' + '\'' + '''a'b'''",
            Part("sum", "", (Part("literal", r"r'\'"), Part("literal", r"'\''"), Part("literal", "'''a'b'''"))),
        ),
        ("a // b + c", name("a")),
    ],
)
def test_parts(source, expected):
    cel.compile(source)
    assert parse(source) == expected


@pytest.mark.parametrize("source", ["a b", "a +", "(a", "a ? b", "#", "[1"])
def test_what_is_not_read(source):
    with pytest.raises(ValueError, match="is not expected$"):
        parse(source)


def test_every_rule_is_read():
    for rule in built_in_rules():
        for expression in rule.expressions:
            assert parse(expression.source)
