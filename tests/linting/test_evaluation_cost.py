"""Bounds against the evaluation itself: the values that it makes are no larger than the bound says, and copies are counted."""

from __future__ import annotations

import pytest

from rfcheck.linting.evaluation_cost import MOST_STEPS, Size, size_of, steps_of
from rfcheck.linting.expressions import cel

LAYERS = [{"name": f"layer.{number}", "params": number} for number in range(20)]
FACTS = {"layers": LAYERS, "text": "abc" * 40, "none": None}
SIZES = {name: size_of(value) for name, value in FACTS.items()}


@pytest.mark.parametrize(
    "source",
    [
        "layers",
        "layers + layers",
        "layers.map(x, x.name)",
        "layers.map(x, [x, x])",
        "layers.map(x, layers)",
        "layers.filter(x, x.params > 3)",
        "layers.map(x, layers.map(y, x.name + y.name))",
        "[text].map(x, x + x).map(x, x + x).map(x, x + x)",
        "[[text]].map(x, x + x).map(x, x + x).map(x, x + x)",
        "true ? layers : [layers[0]]",
        "{'a': layers, 'b': text}",
        "layers[0]",
        "text + string(1)",
    ],
)
def test_values_are_no_larger_than_the_bound(source):
    made = cel.compile(source).execute(cel.Context(variables=FACTS))
    assert size_of(made).total <= steps_of(source, SIZES)


def test_sizes():
    assert size_of(3) == Size(1)
    assert size_of("x" * 32) == Size(3)
    assert size_of([1, "x" * 16]) == Size(3, Size(2))
    assert size_of({"a": [1]}) == Size(2, Size(2, Size(1)))
    assert size_of([1, 2]).total == 6


def test_macros_inside_others_multiply():
    one, two, three = (steps_of(source, SIZES) for source in _nested(3))
    assert 20 < one < 2_000
    assert 15 * one < two < 50 * one
    assert 15 * two < three < 50 * two


def _nested(levels: int) -> list[str]:
    sources = ["a0.params > 0"]
    for level in range(levels):
        sources.append(f"layers.all(a{level}, {sources[-1]})")
    return sources[1:]


@pytest.mark.parametrize(
    "source",
    [
        _nested(6)[-1],
        "['a']" + ".map(x, x + x)" * 30 + " == []",
        "layers.all(x, x.name.matches(r'(\\w{20}){20}{20}'))",
        "layers.all(x, layers.all(y, x.name.matches(y.name)))",
    ],
)
def test_what_would_take_too_long(source):
    assert steps_of(source, SIZES) > MOST_STEPS


@pytest.mark.parametrize(
    "source",
    [
        "size(layers.filter(x, x.params > 3)) > 2",
        "layers.all(x, layers.exists(y, y.name == x.name))",
        "layers.exists(x, x.name.matches('conv[0-9]+\\\\.weight'))",
        "layers.exists(x, x.name.startsWith('layer') && x.params > size(layers))",
    ],
)
def test_what_rules_say(source):
    assert steps_of(source, {"layers": size_of(LAYERS * 25)}) < MOST_STEPS


def test_an_expression_that_is_nested_too_deeply():
    with pytest.raises(ValueError, match="^it is nested too deeply$"):
        steps_of("a" + "[0]" * 5000, {})
