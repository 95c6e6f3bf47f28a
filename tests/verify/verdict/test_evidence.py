from __future__ import annotations

import pytest

from rfcheck.verify.conclusions import VariantResult
from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.evidence import Evidence, meaning, no_gain, promise_kept
from rfcheck.verify.verdict.probed import probed
from tests.verify.verdict.curves import chain_of, measurement, variant


def result(name: str, low: float, value: float, high: float) -> VariantResult:
    change = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
    mean = Interval(0.8, 0.7, 0.9)
    return VariantResult(variant(1, name=name), (0.8,), mean, Interval(value, low, high), 0.5, 0.001, change)


def evidence_of(*results: VariantResult) -> Evidence:
    probes = probed(variant(2).layers, [measurement([0.5, 0.6])])
    return Evidence(probes, chain_of(probes.names), None, (), None, None, None, results, 0.01)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.02, 0.009, "confirmed"),
        (0.001, 0.009, "confirmed"),  # a gain, but none that counts
        (-0.02, 0.01, "inconclusive"),
        (0.0, 0.02, "inconclusive"),
        (0.001, 0.02, "refuted"),
        (0.001, 0.018, "inconclusive"),  # a gain, but perhaps none that counts
        (0.02, 0.03, "refuted"),
    ],
)
def test_layers_predicted_to_gain_nothing(low, high, expected):
    assert no_gain(Interval((low + high) / 2, low, high), 0.01) == expected


@pytest.mark.parametrize(
    ("name", "low", "value", "high", "expected"),
    [
        ("truncate", -0.009, 0.0, 0.01, "confirmed"),  # a loss that counts is ruled out
        ("truncate", -0.009, -0.005, -0.001, "confirmed"),  # a loss, but none that counts
        ("truncate", -0.03, -0.02, -0.001, "refuted"),
        ("truncate", -0.03, -0.009, -0.001, "inconclusive"),
        ("truncate", -0.05, -0.02, 0.01, "inconclusive"),
        ("remove-stem", 0.001, 0.02, 0.04, "confirmed"),
        ("remove-stem", -0.001, 0.02, 0.04, "inconclusive"),
        ("remove-stem", -0.04, -0.02, -0.001, "refuted"),
        ("move-downsampling-2", 0.001, 0.02, 0.04, "confirmed"),
    ],
)
def test_what_fixes_promise(name, low, value, high, expected):
    assert promise_kept(result(name, low, value, high), 0.01) == expected


def test_a_result_without_a_difference_promises_nothing():
    lone = VariantResult(variant(1, name="truncate"), (0.8,), Interval(0.8, 0.7, 0.9), None, None, 0.001, None)
    assert promise_kept(lone, 0.01) == "inconclusive"
    assert evidence_of(lone).trained(("truncate",)) == ()


def test_which_results_belong_to_a_fix():
    evidence = evidence_of(
        result("truncate", 0, 0, 0), result("truncate-before", -0.02, -0.01, 0.0), result("remove-stem", 0, 0, 0)
    )
    assert [one.variant.name for one in evidence.trained(("truncate-before", "remove-stem"))] == ["truncate-before", "remove-stem"]
    assert evidence.changes(("truncate-before",)) == [
        "truncate-before, trained, changes the accuracy by -1.0 points (95%: -2.0 to 0.0)"
    ]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("confirmed", "which rules out the 1.0 points that count"),
        ("refuted", "which is beyond doubt a gain, and reaches the 1.0 points that count"),
        ("inconclusive", "which leaves open whether it gains the 1.0 points that count"),
    ],
)
def test_meanings(status, text):
    assert meaning(status, 0.01) == text
