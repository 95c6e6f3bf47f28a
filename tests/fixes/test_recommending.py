from __future__ import annotations

from itertools import permutations

import pytest

from rfcheck.fixes.fix import Fix, Plan, Prediction
from rfcheck.fixes.outcome import Outcome
from rfcheck.fixes.recommending import AIMS, Recommendation, recommend
from rfcheck.fixes.snippet import NOTHING


def outcome(tail: int, productive: int, flops: int) -> Outcome:
    return Outcome(tail, tail, productive, flops, 100, 1000, (9, 9), ((5, 5), (9, 9)))


BEFORE = outcome(6, 4, 1000)


def fix(name: str, tail: int, productive: int, flops: int) -> Fix:
    return Fix(name, False, name, NOTHING, Prediction(BEFORE, outcome(tail, productive, flops)), Plan(), (32, 32))


SHORT = fix("short", 0, 3, 400)
SHORTER = fix("shorter", 0, 2, 300)
CHEAP = fix("cheap", 2, 4, 100)
LARGE = fix("large", 0, 10, 8000)
NEARLY = fix("nearly", 1, 9, 4000)
SAME = fix("same", 6, 4, 900)


@pytest.mark.parametrize(
    ("aim", "fixes", "most", "name", "reason"),
    [
        ("efficiency", [SHORT, SHORTER, CHEAP, LARGE], None, "shorter", "least FLOPs with no tail"),
        ("efficiency", [SHORT, LARGE], 400, "short", "least FLOPs with no tail"),
        ("efficiency", [CHEAP, NEARLY, SAME], None, "nearly", "the smallest tail (1), at the least FLOPs"),
        ("efficiency", [CHEAP, SAME], 899, "cheap", "the smallest tail (2), at the least FLOPs"),
        ("efficiency", [SAME], None, "same", "the smallest tail (6), at the least FLOPs"),
        ("accuracy", [SHORT, SHORTER, CHEAP, LARGE, NEARLY], None, "large", "most productive layers (10)"),
        ("accuracy", [SHORT, LARGE, NEARLY], 4000, "nearly", "most productive layers (9) within --max-flops"),
        ("accuracy", [NEARLY, fix("less tail", 0, 9, 9000)], None, "less tail", "most productive layers (9)"),
        ("accuracy", [NEARLY, fix("cheaper", 1, 9, 3999)], None, "cheaper", "most productive layers (9)"),
    ],
)
def test_the_best_for_an_aim_in_whatever_order_fixes_come(aim, fixes, most, name, reason):
    for order in permutations(fixes):
        found = recommend(order, aim, most)
        assert found.fix is not None
        assert (found.fix.name, found.reason) == (name, reason)


@pytest.mark.parametrize(
    ("aim", "fixes", "most", "reason"),
    [
        ("efficiency", [], None, "no fix applies"),
        ("accuracy", [], 1e9, "no fix applies"),
        ("efficiency", [SHORT, LARGE], 399, "every fix is over --max-flops"),
        ("accuracy", [SHORT, LARGE], 399.5, "every fix is over --max-flops"),
        ("accuracy", [SHORT, SAME], None, "no fix makes more layers productive"),
        ("efficiency", [fix("worse", 6, 4, 1000)], None, "no fix makes the tail smaller or the network cheaper"),
        ("efficiency", [fix("worse", 7, 4, 1000)], None, "no fix makes the tail smaller or the network cheaper"),
    ],
)
def test_nothing_is_recommended_where_nothing_helps(aim, fixes, most, reason):
    assert recommend(fixes, aim, most) == Recommendation(None, reason)


def test_the_aims():
    assert AIMS == ("efficiency", "accuracy")
