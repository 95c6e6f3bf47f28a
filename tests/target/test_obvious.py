"""Arguments whose values follow from the input and the task."""

from __future__ import annotations

import pytest

from rfcheck.config import Settings
from rfcheck.target.obvious import Example, Given, example_value, meaning_of, parameters_of


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("num_classes", "classes"),
        ("classes_num", "classes"),
        ("nClasses", "classes"),
        ("in_channels", "channels"),
        ("n_channels", "channels"),
        ("img_size", "extent"),
        ("resolution", "extent"),
        ("num_in", None),
        ("block", None),
        ("depth", None),
    ],
)
def test_meanings(name, meaning):
    assert meaning_of(name) == meaning


def net(num_classes, in_channels, image_size, depth, width=3, *rest, dropout=0.5, **others):
    """Takes arguments of every kind."""


def test_values_of_what_must_be_given():
    filled = Given(7, 1, (32, 32)).filled(net)
    assert (filled.values, filled.missing) == ({"num_classes": 7, "in_channels": 1, "image_size": 32}, ("depth",))
    assert Given(extents=(32, 48)).filled(net).values["image_size"] == (32, 48)
    assert Given().filled(net).missing == ("image_size", "depth")
    filled = Given(arguments={"depth": 2, "width": 4, "more": 5, "num_classes": 3}, extents=8).filled(net, 1, {"in_channels": 9})
    assert (filled.values, filled.missing) == ({"image_size": 8, "depth": 2, "width": 4, "more": 5}, ())
    given = Given(extents=8).like(Example((1, 2, 3, 18), {"width": 5}))
    assert given.filled(net).values == {"num_classes": 10, "in_channels": 3, "image_size": 8, "depth": 18}


def test_what_is_given_by_position_is_not_given_by_name():
    def made(num_classes, width=3, /):
        pass

    assert Given(arguments={"width": 4}).filled(made).missing == ("num_classes",)
    assert Given(arguments={"width": 4}).filled(made, 1).values == {}
    assert Given().filled(type).values == {}


def test_annotations_that_ask_for_a_pair():
    def made(img_size: tuple[int, int]):
        pass

    assert Given(extents=32).filled(made).values == {"img_size": (32, 32)}
    assert Given(extents=(32, 48)).filled(made).values == {"img_size": (32, 48)}


@pytest.mark.parametrize(
    ("size", "channels", "extents"),
    [
        (32, 5, 32),
        ((32, 48), 5, (32, 48)),
        ((1, 32, 48), 1, (32, 48)),
        ((1, 4, 32, 48), 4, (32, 48)),
        ((1, 16000), 1, (16000,)),
        (None, 5, None),
    ],
)
def test_what_the_input_size_says(size, channels, extents):
    given = Given.of(size, Settings(channels=5, classes=4))
    assert (given.classes, given.channels, given.extents) == (4, channels, extents)


def test_examples():
    example = Example((1,), {"b": 2})
    assert [example.value(name, ["a", "c"], 0) for name in "abc"] == [1, 2, 0]
    assert example.named(parameters_of(net)) == {"num_classes": 1, "b": 2}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_in", "3"),
        ("in_planes", "3"),
        ("inp_dim", "3"),
        ("n_inputs", "..."),
        ("depth", "..."),
        ("inner", "..."),
        ("width", "..."),
    ],
)
def test_messages_write_likely_values(name, value):
    assert example_value(name) == value
