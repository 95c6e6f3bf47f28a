from __future__ import annotations

import sys

import pytest

from rfcheck.linting.expressions import ExpressionError, compile_expression, compile_template, context_of


@pytest.mark.parametrize(
    ("source", "variables", "attributes"),
    [
        ("size(tail) >= limits.min_layers", {"tail", "limits"}, {"min_layers"}),
        ("tail.filter(t, t.flops > 3).size() > 1", {"tail"}, {"flops"}),
        ("layer.name == 'a.b.c'", {"layer"}, {"name"}),
    ],
)
def test_names_that_an_expression_reads(source, variables, attributes):
    expression = compile_expression(source)
    assert expression.variables == variables
    assert expression.attributes == attributes


def test_evaluates_over_plain_data():
    context = context_of({"tail": [{"flops": 2}, {"flops": 5}], "limits": {"min_layers": 2}})
    assert compile_expression("size(tail) >= limits.min_layers").evaluate(context) is True
    assert compile_expression("tail.filter(t, t.flops > 3).size()").evaluate(context) == 1


@pytest.mark.parametrize("source", ["1 +", "size(", "tail[0"])
def test_wrong_syntax_is_named(source):
    with pytest.raises(ExpressionError, match="is not a CEL expression") as caught:
        compile_expression(source)
    assert repr(source) in str(caught.value)


def test_a_missing_fact_is_named():
    with pytest.raises(ExpressionError, match="which the facts do not have"):
        compile_expression("layer.nope").evaluate(context_of({"layer": {"name": "a"}}))


def test_types_are_not_mixed_silently():
    with pytest.raises(ExpressionError, match="fails: No such overload"):
        compile_expression("x + 1.0").evaluate(context_of({"x": 1}))


def test_an_expression_cannot_reach_python():
    with pytest.raises(ExpressionError):
        compile_expression("x.__class__").evaluate(context_of({"x": "text"}))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{n} of {total}", "3 of 12"),
        ("{share:.1%}", "25.0%"),
        ("{n > 2 ? 'many' : 'few'}", "many"),
        ("{{{n}}}", "{3}"),
        ("{half}", "0.5"),
        ("{size(names)} {names[0]}", "2 a"),
        ("{'}' + names[1]}", "}b"),
        ("{n:>4d}|", "   3|"),
    ],
)
def test_messages(template, expected):
    context = context_of({"n": 3, "total": 12, "share": 0.25, "half": 0.5, "names": ["a", "b"]})
    assert compile_template(template).format(context) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [("{n", "brace that is not closed"), ("n}", "closing brace that nothing opens"), ("{1 +}", "not a CEL expression")],
)
def test_wrong_templates(template, message):
    with pytest.raises(ExpressionError, match=message):
        compile_template(template)


@pytest.mark.parametrize("field", ["1.5:.999999999f", "1.5:100", "1:>2000000000", "1:,.100f"])
def test_numbers_in_messages_are_short(field):
    with pytest.raises(ExpressionError) as caught:
        compile_template(f"{{{field}}}")
    assert str(caught.value) == f"{{{field}}} asks for more than 99 characters or digits; ask for less"
    assert len(compile_template("{1.5:>99.97f}").format(context_of({}))) == 99


def test_expressions_are_short():
    """The parser of the library ends the process where its stack is full."""
    assert compile_expression("1" + "+1" * 999).evaluate(context_of({})) == 1000
    with pytest.raises(ExpressionError) as caught:
        compile_expression("1" + "+1" * 100_000)
    assert str(caught.value) == (
        f"{'1' + '+1' * 19 + '+'!r}... has 200,001 characters, at most 2,000 are read; write a shorter one"
    )


def test_the_interactive_shell_of_cel_stays_out():
    assert "cel" in sys.modules
    assert not any(name.startswith("cel.cli") for name in sys.modules)
