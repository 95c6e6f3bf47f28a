from __future__ import annotations

import math

import pytest

from rfcheck.report.units import extents, short


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (37_523_456, "37.5 M"),
        (555_422_720, "555 M"),
        (1_814_073_344, "1.81 G"),
        (2.5e12, "2.50 T"),
    ],
)
def test_short_numbers(number, text):
    assert short(number) == text


def test_units():
    assert short(37_523_456, "FLOPs") == "37.5 MFLOPs"
    assert short(12, "B") == "12 B"


@pytest.mark.parametrize(
    ("values", "text"), [((32, 32), "32"), ((32, 48), "32x48"), ((0.5, 0.5), "0.5"), ((math.inf, math.inf), "inf"), (None, "?")]
)
def test_extents(values, text):
    assert extents(values) == text
