from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import VerifyError
from rfcheck.linting.finding import Finding
from rfcheck.verify.verdict.flow import Flow
from tests.verify.verdict.curves import TAIL, judged, labels, measurement, variant

STEM = Finding("RF201", "aggressive-stem", "warning", "a stem", "0", ("remove-stem",))
FLAT, SATURATION = [0.4, 0.6, 0.7, 0.7, 0.7, 0.7], [0.5, 0.5, 0.55, 0.1, 0.08, 0.05]
TAILED = variant(6, "2", [TAIL])


def test_a_planted_tail_is_confirmed():
    judgement = judged([TAILED], [measurement(FLAT, SATURATION)])
    assert judgement.status == "confirmed"
    assert judgement.summary == "Net at 8x8 px: measured predictions: 1 confirmed (RF101)"
    assert [verdict.status for verdict in judgement.verdicts] == ["confirmed"]
    assert judgement.plateau == "2"
    assert (judgement.before_border.reference, judgement.before_border.difference.value) == ("1", pytest.approx(0.1))
    assert (judgement.after_border.reference, judgement.after_border.difference.value) == ("2", pytest.approx(0.0))
    assert judgement.tail_pattern.layers == ("3", "4", "5")
    assert judgement.mean_saturation == pytest.approx(np.mean(SATURATION))
    assert judgement.width_factor is None
    assert [one.code for one in judgement.findings] == ["RF701", "RF704"]
    assert [one.layer.name for one in judgement.layers] == ["0", "1", "2", "3", "4", "5", "head"]
    assert len(judgement.variants) == 1


def test_a_tail_that_works_is_refuted():
    judgement = judged([TAILED], [measurement([0.4, 0.5, 0.55, 0.6, 0.65, 0.7], [0.25] * 6)])
    assert (judgement.status, judgement.plateau) == ("refuted", None)
    assert [one.code for one in judgement.findings] == ["RF703", "RF704"]


def test_a_healthy_network():
    judgement = judged([variant(5)], [measurement([0.4, 0.5, 0.6, 0.7, 0.8], [0.25] * 5)])
    assert judgement.status == "confirmed"
    assert judgement.summary == "Net at 8x8 px: no tail was predicted, and the probes improve up to the last layer, 4"
    assert (judgement.plateau, judgement.before_border, judgement.after_border, judgement.tail_pattern) == (None,) * 4
    assert (judgement.width_factor, judgement.verdicts, judgement.findings) == (None, (), ())


def test_a_task_that_needs_fewer_layers():
    judgement = judged([variant(5)], [measurement([0.4, 0.8, 0.8, 0.8, 0.8], [0.25] * 5)])
    assert judgement.status == "inconclusive"
    assert [one.code for one in judgement.findings] == ["RF703"]


def test_variants():
    cut, stem = variant(3, name="truncate"), variant(6, name="remove-stem")
    seeds = range(4)
    measured = [
        *(measurement(FLAT, accuracy=labels(0.80, 2000, 0.01, seed), seed=seed, images=2000) for seed in seeds),
        *(measurement([], accuracy=labels(0.80, 2000, 0.01, 9 + seed), name="truncate", seed=seed, images=2000) for seed in seeds),
        *(measurement([], accuracy=labels(0.85 + seed / 500, 2000, 0.01, seed), name="remove-stem", seed=seed) for seed in seeds),
    ]
    measured = [replace(one, correct=one.correct[:2000]) for one in measured]
    judgement = judged([variant(6, "2", [TAIL, STEM]), cut, stem], measured)
    assert [one.change for one in judgement.variants] == [None, "no difference shown", "better"]
    assert [verdict.status for verdict in judgement.verdicts] == ["confirmed", "confirmed"]
    assert judgement.summary == (
        "Net at 8x8 px: measured predictions: 2 confirmed (RF101, RF201); "
        "truncate, trained, changes the accuracy by 0.0 points (95%: 0.0 to 0.0)"
    )


def test_a_model_that_did_not_learn():
    judgement = judged([TAILED], [measurement([0.1] * 6, SATURATION, 0.1)])
    assert judgement.status == "inconclusive"
    assert "the model did not learn" in judgement.summary
    assert [one.code for one in judgement.findings] == ["RF701"]


def test_guessing_the_most_frequent_class_is_no_learning():
    learnt = judged([TAILED], [measurement(FLAT, accuracy=0.7)])
    assert learnt.status == "confirmed"
    assert judged([TAILED], [measurement(FLAT, accuracy=0.7)], chance=0.7).status == "inconclusive"
    assert judged([TAILED], [measurement(FLAT, accuracy=0.7)], chance=0.5).status == "confirmed"


def test_probes_that_are_not_known():
    one = measurement(FLAT, [math.nan] * 6)
    lacking = replace(one, probes=tuple(replace(probe, train_accuracy=math.nan) for probe in one.probes))
    judgement = judged([TAILED], [lacking])
    assert (judgement.status, judgement.plateau) == ("inconclusive", None)
    assert judgement.verdicts[0].evidence == "the border layer 2 has no probe; the saturation shows no tail pattern"
    assert not judgement.verdicts[0].measured
    assert math.isnan(judgement.mean_saturation)
    assert judgement.findings == ()
    assert (
        judgement.caveats[-1]
        == "6 layers without a usable probe, as outputs were not finite or not recorded: 0, 1, 2, 3, 4 and 1 more"
    )


def test_limits_of_the_user():
    measured = [measurement([0.4, 0.6, 0.7, 0.715, 0.715, 0.715], SATURATION)]
    assert judged([TAILED], measured).status == "refuted"
    gain = {"RF703": RuleOverride(limits={"relevant_gain": 0.03})}
    assert judged([TAILED], measured, Settings(rules=gain)).status == "confirmed"
    assert judged([TAILED], measured, Settings(rules={"RF701": RuleOverride(limits={"share": 0.9})})).tail_pattern is None
    ends = {"RF702": RuleOverride(limits={"low": 0.4, "high": 0.6})}
    assert judged([TAILED], measured, Settings(rules=ends)).width_factor == pytest.approx(np.mean(SATURATION) / 0.5)


def test_the_flow_decides_what_is_skipped():
    measured = [measurement([0.4, 0.6, 0.5, 0.7, 0.7, 0.7])]
    assert [one.layer.name for one in judged([TAILED], measured).layers if one.skipped] == ["2"]
    through = Flow({str(i): (str(i - 1),) for i in range(1, 6)}, frozenset())
    assert not any(one.skipped for one in judged([TAILED], measured, flow=through).layers)


def test_measurements_that_do_not_fit():
    with pytest.raises(VerifyError, match=r"^there is no measurement of the model 'original' to judge; train it first$"):
        judged([TAILED], [])
    mixed = [measurement(FLAT), measurement(FLAT, seed=1, images=500)]
    with pytest.raises(
        VerifyError, match=r"^the measurements are of different test images \(500 and 10000\); verify anew in an empty folder$"
    ):
        judged([TAILED], mixed)


def test_the_same_measurements_give_the_same_judgement():
    measured = [measurement([labels(p, 500, 0.05, i) for i, p in enumerate(FLAT)], SATURATION, labels(0.9, 500))]
    first, second = judged([TAILED], measured), judged([TAILED], measured)
    assert first == second


@pytest.mark.parametrize("rise", [0.0, 0.03])
def test_verdicts_are_rarely_wrong(rise):
    """Four equal layers in a tail are never called useful more than a few times, and useful ones hardly idle."""
    wrong = {0.0: "refuted", 0.03: "confirmed"}[rise]
    count = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        ease = generator.random(800)
        truths = [0.4, 0.6, *(0.7 + rise * i / 3 for i in range(4))]
        bits = [np.where(generator.random(800) < 0.06, generator.random(800) < 0.5, ease < truth) for truth in truths]
        count += judged([TAILED], [measurement(bits, accuracy=labels(0.9, 800))]).status == wrong
    assert count <= 4
