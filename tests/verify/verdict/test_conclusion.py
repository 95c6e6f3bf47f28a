from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.linting.finding import Finding
from rfcheck.verify.conclusions import Gain
from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.conclusion import conclude
from rfcheck.verify.verdict.evidence import Opinion
from tests.verify.verdict.curves import TAIL, measurement, variant
from tests.verify.verdict.curves import judged as curve_judged
from tests.verify.verdict.test_evidence import result
from tests.verify.verdict.test_tail import FLAT, GOOD, evidence_of

EVIDENCE = replace(evidence_of(FLAT), border=None, tail=(), before_border=None, after_border=None)


def judged(*statuses: str):
    return [(Finding(f"RF10{i}", "any", "info", "", None), Opinion(status, "")) for i, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "status", "summary"),
    [
        (["confirmed"], "confirmed", "1 confirmed (RF100)"),
        (["inconclusive"], "inconclusive", "1 inconclusive (RF100)"),
        (["confirmed", "inconclusive", "confirmed"], "inconclusive", "2 confirmed (RF100, RF102), 1 inconclusive (RF101)"),
        (["inconclusive", "confirmed"], "confirmed", "1 confirmed (RF101), 1 inconclusive (RF100)"),
        (["inconclusive", "inconclusive", "refuted"], "refuted", "1 refuted (RF102), 2 inconclusive (RF100, RF101)"),
        (["confirmed", "refuted", "inconclusive"], "refuted", "1 confirmed (RF100), 1 refuted (RF101), 1 inconclusive (RF102)"),
    ],
)
def test_the_whole(statuses, status, summary):
    assert conclude(judged(*statuses), EVIDENCE, None, 3, "Net") == (status, f"Net: measured predictions: {summary}")


def test_trained_cuts_are_part_of_the_summary():
    evidence = evidence_of(FLAT, result("truncate", *GOOD), result("remove-stem", *GOOD))
    _, summary = conclude(judged("confirmed"), evidence, None, 3, "Net")
    assert summary == (
        "Net: measured predictions: 1 confirmed (RF100); truncate, trained, changes the accuracy by 0.0 points (95%: -0.5 to +0.5)"
    )


def stops_at(layer: str, high: float = 0.005) -> Gain:
    return Gain(layer, "4", Interval(0.001, -0.003, high))


@pytest.mark.parametrize(
    ("stop", "status", "why"),
    [
        (None, "confirmed", "and the probes improve up to the last layer, 4"),
        (stops_at("2"), "confirmed", "and the probes improve up to 2, 2 layers before the last one, which is too few for a tail"),
        (
            stops_at("1"),
            "inconclusive",
            "but the best probe behind 1, that of 4, gains +0.1 points on it (95%: -0.3 to +0.5), which rules out the 1.0 points that "
            "count: the task may need fewer layers than the image has room for",
        ),
        (
            stops_at("1", 0.02),
            "inconclusive",
            "but the best probe behind 1, that of 4, gains +0.1 points on it (95%: -0.3 to +2.0), which leaves open whether it gains the "
            "1.0 points that count",
        ),
    ],
)
def test_without_findings_that_were_measured(stop, status, why):
    unmeasured = [(judged("inconclusive")[0][0], Opinion("inconclusive", "", measured=False))]
    for findings in ([], unmeasured):
        assert conclude(findings, EVIDENCE, stop, 3, "Net") == (status, f"Net: no tail was predicted, {why}")


def test_a_tail_without_a_finding_as_it_is_too_short():
    short = replace(evidence_of(FLAT), tail=("3", "4"))
    assert conclude([], short, stops_at("2"), 3, "Net") == (
        "confirmed",
        "Net: the predicted tail of 2 layers is not among the findings, and the probes improve up to 2, "
        "2 layers before the last one, which is too few for a tail",
    )


@pytest.mark.parametrize("accuracies", [(0.6,), (0.6, 0.6), (0.6, 0.6, 0.6)])
def test_a_short_network_without_any_gain_confirms_nothing(accuracies):
    judgement = curve_judged([variant(len(accuracies))], [measurement(accuracies)])
    assert (judgement.status, judgement.plateau) == ("inconclusive", "0" if len(accuracies) > 1 else None)


def test_what_could_not_be_measured():
    unmeasured = [(TAIL, Opinion("inconclusive", "", measured=False))]
    assert conclude(unmeasured, evidence_of(FLAT), None, 3, "Net") == (
        "inconclusive",
        "Net: the predicted tail could not be measured",
    )
    nothing = replace(EVIDENCE, probes=replace(EVIDENCE.probes, names=()))
    assert conclude([], nothing, None, 3, "Net") == ("inconclusive", "Net: no tail was predicted, and no layer has a probe")
    unlearned = replace(EVIDENCE, unlearned="the model did not learn")
    assert conclude(judged("confirmed"), unlearned, None, 3, "Net") == ("inconclusive", "Net: the model did not learn")
