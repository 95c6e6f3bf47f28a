from __future__ import annotations

import math

import pytest

from rfcheck.verify.verdict.width import width_factor


@pytest.mark.parametrize("mean", [0.2, 0.25, 0.3, 0.0, math.nan])
def test_no_factor_in_the_range_or_where_nothing_is_known(mean):
    assert width_factor(mean, 0.2, 0.3) is None


@pytest.mark.parametrize(("dimension", "width"), [(8, 16), (8, 64), (40, 100), (3, 30)])
def test_the_factor_brings_a_constant_dimension_to_the_middle(dimension, width):
    factor = width_factor(dimension / width, 0.2, 0.3)
    assert factor is not None
    assert dimension / (width * factor) == pytest.approx(0.25)
