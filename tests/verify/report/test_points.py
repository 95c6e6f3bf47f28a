from __future__ import annotations

import math

import pytest

from rfcheck.verify.records import Interval
from rfcheck.verify.report.points import (
    change_in_percent,
    duration,
    p_value,
    percent,
    percent_with_interval,
    points_with_interval,
)

UNKNOWN = Interval(math.nan, math.nan, math.nan)


def test_percent():
    assert [percent(share) for share in (0, 0.12345, 1, math.nan)] == ["0.0", "12.3", "100.0", "?"]


def test_percent_with_interval():
    assert percent_with_interval(Interval(0.846, 0.822, 0.8684)) == "84.6 [82.2, 86.8]"
    assert percent_with_interval(UNKNOWN) == "?"


def test_points_have_a_sign_unless_they_round_to_zero():
    assert points_with_interval(Interval(0.012, -0.0004, 0.0246)) == "+1.2 [0.0, +2.5]"
    assert points_with_interval(Interval(-0.3, -0.5, 0.0004)) == "-30.0 [-50.0, 0.0]"
    assert points_with_interval(UNKNOWN) == "?"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.0004, 0.0082, "+0.40 [+0.04, +0.82]"),
        (-0.0082, -0.00004, "-0.400 [-0.820, -0.004]"),
        (0.0, 0.0082, "+0.4 [0.0, +0.8]"),
        (-0.0004, 0.0082, "+0.4 [0.0, +0.8]"),
        (1e-12, 0.0082, "+0.4 [0.0, +0.8]"),
    ],
)
def test_an_interval_without_zero_reads_as_such(low, high, text):
    assert points_with_interval(Interval(math.copysign(0.004, low + high), low, high)) == text


def test_p_values():
    assert [p_value(value) for value in (None, 0.0, 0.0009, 0.001, 0.0404, 1.0)] == [
        "",
        "<0.001",
        "<0.001",
        "0.001",
        "0.040",
        "1.000",
    ]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (200, 100, "-50%"),
        (100, 231, "+131%"),
        (100, 100, ""),
        (1000, 1001, ""),
        (1000, 999, ""),
        (0, 5, ""),
        (math.nan, 5, ""),
        (5, math.nan, ""),
    ],
)
def test_changes(before, after, text):
    assert change_in_percent(before, after) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12.34, "12.3 s"),
        (1.0, "1.00 s"),
        (0.1234, "123 ms"),
        (0.01, "10.0 ms"),
        (2.5e-4, "250 µs"),
        (1.234e-6, "1.23 µs"),
        (9.996e-3, "10.0 ms"),
        (math.nan, "?"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
