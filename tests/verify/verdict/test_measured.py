from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rfcheck.verify.verdict.intervals import clopper_pearson
from rfcheck.verify.verdict.measured import measured_layers
from tests.verify.verdict.curves import measurement, variant

LAYERS = variant(2).layers


def test_means_over_the_seeds():
    first, second = measurement([0.5, 0.7], [0.2, 0.4]), measurement([0.6, 0.7], [0.4, 0.4], seed=1)
    second = replace(second, saturation={**second.saturation, "eval": first.saturation["eval"]})
    zero, one, head = measured_layers(LAYERS, [first, second], {"1"})
    assert zero.accuracy == clopper_pearson(0.55, 10_000)
    assert (zero.train_accuracy, zero.saturation, zero.eval_saturation) == pytest.approx((0.9, 0.3, 0.2))
    assert (zero.skipped, one.skipped, head.skipped) == (False, True, False)
    assert math.isnan(head.accuracy.value)
    assert math.isnan(head.saturation)


def test_what_one_seed_lacks_is_not_known():
    first, second = measurement([0.5, 0.7], [0.2, math.nan]), measurement([0.6], [0.4, 0.4], seed=1)
    zero, one, _ = measured_layers(LAYERS, [first, replace(second, saturation={"train": second.saturation["train"]})], ())
    assert math.isnan(one.accuracy.value)
    assert math.isnan(one.train_accuracy)
    assert math.isnan(one.saturation)
    assert zero.saturation == pytest.approx(0.3)
    assert math.isnan(zero.eval_saturation)
