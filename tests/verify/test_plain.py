from __future__ import annotations

import math

import numpy as np
import pytest

from rfcheck.report.json_v1 import dump
from rfcheck.verify.plain import interval_to_dict, known
from rfcheck.verify.records import Interval


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_json_cannot_hold(value):
    assert known(value) is None


def test_numbers_of_other_types_are_plain_floats():
    assert dump({"a": known(np.float32(0.5)), "b": known(1)}) == '{\n  "a": 0.5,\n  "b": 1.0\n}'


def test_intervals():
    assert interval_to_dict(Interval(0.5, 0.25, math.nan)) == {"value": 0.5, "low": 0.25, "high": None}
    assert interval_to_dict(None) is None
