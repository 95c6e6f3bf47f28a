from __future__ import annotations

import math

import pytest

from rfcheck.quantities import parse_limit, parse_number


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5.0), ("-1.5k", -1500.0), ("2e8", 2e8), ("200M", 2e8), ("3G", 3e9), (".5T", 5e11), ("inf", math.inf)]
)
def test_numbers(text, value):
    assert parse_number(text) == parse_limit(text) == value


@pytest.mark.parametrize("text", ["", "M", "5m", "off?", "1 000"])
def test_what_is_no_number(text):
    assert math.isnan(parse_number(text))
    assert math.isnan(parse_limit(text))


def test_off_is_a_limit_and_no_number():
    assert parse_limit("off") == math.inf
    assert math.isnan(parse_number("off"))
