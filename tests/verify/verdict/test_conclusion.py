from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.linting.finding import Finding
from rfcheck.verify.verdict.conclusion import conclude
from rfcheck.verify.verdict.evidence import Opinion
from tests.verify.verdict.test_evidence import result
from tests.verify.verdict.test_tail import FLAT, GOOD, evidence_of

EVIDENCE = replace(evidence_of(FLAT), border=None, before_border=None, after_border=None)


def judged(*statuses: str):
    return [(Finding(f"RF10{i}", "any", "info", "", None), Opinion(status, "")) for i, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "status", "summary"),
    [
        (["confirmed"], "confirmed", "1 confirmed (RF100)"),
        (["inconclusive"], "inconclusive", "1 inconclusive (RF100)"),
        (["confirmed", "inconclusive", "confirmed"], "confirmed", "2 confirmed (RF100, RF102), 1 inconclusive (RF101)"),
        (["confirmed", "refuted", "inconclusive"], "refuted", "1 confirmed (RF100), 1 refuted (RF101), 1 inconclusive (RF102)"),
    ],
)
def test_the_whole(statuses, status, summary):
    assert conclude(judged(*statuses), EVIDENCE, (), 3, "Net") == (status, f"Net: measured predictions: {summary}")


def test_trained_cuts_are_part_of_the_summary():
    evidence = evidence_of(FLAT, result("truncate", *GOOD), result("remove-stem", *GOOD))
    _, summary = conclude(judged("confirmed"), evidence, (), 3, "Net")
    assert summary == (
        "Net: measured predictions: 1 confirmed (RF100); truncate, trained, changes the accuracy by 0.0 points (95%: -0.5 to +0.5)"
    )


def test_without_findings_that_were_measured():
    unmeasured = [(judged("inconclusive")[0][0], Opinion("inconclusive", "", measured=False))]
    for findings in ([], unmeasured):
        assert conclude(findings, EVIDENCE, ("3", "4"), 3, "Net") == (
            "confirmed",
            "Net: no tail was predicted, and the probes improve up to the last layers",
        )
        assert conclude(findings, EVIDENCE, ("2", "3", "4"), 3, "Net") == (
            "inconclusive",
            "Net: no tail was predicted, but the probes show no gain in the last 3 layers, from 2 on: "
            "the task may need fewer layers than the image has room for",
        )


def test_what_could_not_be_measured():
    assert conclude([], evidence_of(FLAT), (), 3, "Net") == ("inconclusive", "Net: the predicted tail could not be measured")
    nothing = replace(EVIDENCE, probes=replace(EVIDENCE.probes, names=()))
    assert conclude([], nothing, (), 3, "Net") == ("inconclusive", "Net: no tail was predicted, and no layer has a probe")
    unlearned = replace(EVIDENCE, unlearned="the model did not learn")
    assert conclude(judged("confirmed"), unlearned, (), 3, "Net") == ("inconclusive", "Net: the model did not learn")
