from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.verify.conclusions import Gain, TailPattern
from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.evidence import Evidence
from rfcheck.verify.verdict.plateau import gain_after_border, gain_before_border
from rfcheck.verify.verdict.probed import probed
from rfcheck.verify.verdict.tail import judge_tail
from tests.verify.verdict.curves import TAIL, chain_of, labels, measurement, variant
from tests.verify.verdict.test_evidence import result

BEHIND = ("2", "3", "4")
FLAT, RISING = (0.4, 0.6, 0.7, 0.7, 0.7), (0.4, 0.6, 0.7, 0.75, 0.8)
GOOD, BAD, OPEN = (-0.005, 0.0, 0.005), (-0.05, -0.04, -0.03), (-0.05, 0.0, 0.05)
NOISY = tuple(labels(0.7, 300, 0.1, seed) for seed in range(5))


def evidence_of(probes, *results, pattern=None) -> Evidence:
    images = 300 if probes is NOISY else 10_000
    curve = probed(variant(len(probes)).layers, [measurement(probes, accuracy=labels(0.9, images))])
    flow = chain_of(curve.names)
    before, after = gain_before_border(curve, "2", BEHIND, flow), gain_after_border(curve, "2", BEHIND, flow)
    return Evidence(curve, flow, "2", BEHIND, before, after, pattern, results, 0.01)


@pytest.mark.parametrize(
    ("probes", "cut", "expected"),
    [
        (FLAT, None, "confirmed"),
        (RISING, None, "refuted"),
        (NOISY, None, "inconclusive"),
        (FLAT, GOOD, "confirmed"),
        (FLAT, OPEN, "confirmed"),
        (FLAT, BAD, "inconclusive"),
        (RISING, GOOD, "inconclusive"),
        (RISING, OPEN, "refuted"),
        (RISING, BAD, "refuted"),
        (NOISY, GOOD, "confirmed"),
        (NOISY, OPEN, "inconclusive"),
        (NOISY, BAD, "refuted"),
    ],
)
def test_probes_and_the_trained_cut_together(probes, cut, expected):
    results = [] if cut is None else [result("truncate", *cut)]
    opinion = judge_tail(TAIL, evidence_of(probes, *results))
    assert (opinion.status, opinion.measured) == (expected, True)
    told = "; the probes and the trained cut contradict each other;" in opinion.evidence
    assert told == ((probes is FLAT and cut is BAD) or (probes is RISING and cut is GOOD))


def test_the_cut_before_the_border_does_not_decide():
    assert judge_tail(TAIL, evidence_of(FLAT, result("truncate-before", *BAD))).status == "confirmed"


def test_the_whole_sentence():
    pattern = TailPattern(("1", "2", "3", "4"), 0.08, 0.5)
    opinion = judge_tail(TAIL, evidence_of(FLAT, result("truncate", *GOOD), result("truncate-before", *BAD), pattern=pattern))
    assert opinion.evidence == (
        "the best probe behind 2, that of 3, gains 0.0 points on it (95%: 0.0 to 0.0), which rules out the 1.0 points that count; "
        "before the border layer, the probe of 2 gains +10.0 points on that of 1 (95%: +9.4 to +10.6); "
        "truncate, trained, changes the accuracy by 0.0 points (95%: -0.5 to +0.5); "
        "truncate-before, trained, changes the accuracy by -4.0 points (95%: -5.0 to -3.0); "
        "the saturation shows a tail pattern of 4 layers from 1 on, 3 of them in the tail (8.0% against 50.0% in the rest)"
    )


def test_what_a_shortcut_joins_with_the_border_layer_is_named():
    joined = replace(evidence_of(FLAT), after_border=Gain("1", "3", Interval(0.0, -0.001, 0.001)), before_border=None)
    assert judge_tail(TAIL, joined).evidence == (
        "the best probe behind the border layer 2, that of 3, gains 0.0 points on that of 1, which is joined with it (95%: -0.1 to +0.1), "
        "which rules out the 1.0 points that count; the saturation shows no tail pattern"
    )


def test_a_border_without_a_probe_is_not_measured():
    whole = evidence_of(FLAT)
    opinion = judge_tail(TAIL, replace(whole, border="block/conv2d", before_border=None, after_border=None))
    assert opinion.evidence == "the border layer block/conv2d has no probe; the saturation shows no tail pattern"
    assert (opinion.status, opinion.measured) == ("inconclusive", False)
    opinion = judge_tail(TAIL, replace(whole, before_border=None, after_border=None))
    assert opinion.evidence == "no layer behind the border layer 2 has a probe; the saturation shows no tail pattern"


def test_a_trained_cut_is_enough():
    lone = replace(evidence_of(FLAT, result("truncate", *GOOD)), border="block/conv2d", before_border=None, after_border=None)
    assert (judge_tail(TAIL, lone).status, judge_tail(TAIL, lone).measured) == ("confirmed", True)
