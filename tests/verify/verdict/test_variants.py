from __future__ import annotations

import numpy as np
import pytest

from rfcheck.verify.verdict.intervals import clopper_pearson
from rfcheck.verify.verdict.variants import of_variant, variant_results
from tests.verify.verdict.curves import labels, measurement, variant

ORIGINAL, CUT = variant(2), variant(1, name="truncate")


def results(original: list, changed: list, images: int = 10_000):
    measured = [measurement([0.5, 0.5], accuracy=one, seed=i, images=images) for i, one in enumerate(original)]
    other = [measurement([0.5], accuracy=one, name="truncate", seed=i, images=images) for i, one in enumerate(changed)]
    return variant_results([ORIGINAL, CUT], [*other, *measured])


def test_one_seed_is_compared_on_the_test_images():
    first, second = results([0.8], [0.75])
    assert (first.accuracies, first.difference, first.p_value, first.change) == ((0.8,), None, None, None)
    assert first.mean == clopper_pearson(0.8, 10_000)
    assert second.difference.value == pytest.approx(-0.05)
    assert second.difference.high == pytest.approx(-0.05 + 1.96 * np.sqrt(0.05 * 0.95 / 10_000), abs=0.001)
    assert second.p_value == pytest.approx(2 * 0.5**500, rel=1e-6)
    assert second.change == "worse"
    assert second.seconds_per_image == 0.001


def test_seeds_are_paired():
    accuracies = [[0.80, 0.84, 0.70], [0.82, 0.87, 0.73]]
    _, second = results(*accuracies)
    differences = np.subtract(accuracies[1], accuracies[0])
    half = 4.302652729911275 * differences.std(ddof=1) / np.sqrt(3)  # t table: 0.975, 2 df
    assert second.difference.value == pytest.approx(differences.mean())
    assert second.difference.low == pytest.approx(differences.mean() - half)
    assert second.difference.high == pytest.approx(differences.mean() + half)
    assert second.change == "better"
    assert second.mean.high - second.mean.low == pytest.approx(2 * 4.302652729911275 * np.std(accuracies[1], ddof=1) / np.sqrt(3))


def test_never_better_where_the_interval_contains_zero():
    assert results([0.80, 0.80], [0.82, 0.80])[1].change == "no difference shown"
    assert results([0.80], [0.80])[1].change == "no difference shown"
    noisy = results([labels(0.8, 300, 0.1, 1)], [labels(0.81, 300, 0.1, 2)])[1]
    assert noisy.difference.low < 0 < noisy.difference.value
    assert noisy.change == "no difference shown"


def test_means_stay_between_nothing_and_everything():
    first, _ = results([0.99, 0.5], [0.99, 0.5])
    assert (first.mean.low, first.mean.high) == (0.0, 1.0)


def test_seeds_without_a_partner_are_not_compared():
    _, second = results([0.8, 0.8, 0.8], [0.7])
    assert second.difference.value == pytest.approx(-0.1)
    measured = [measurement([0.5, 0.5], accuracy=0.8), measurement([0.5], accuracy=0.7, name="truncate", seed=5)]
    _, alone = variant_results([ORIGINAL, CUT], measured)
    assert (alone.difference, alone.p_value, alone.change) == (None, None, None)


def test_a_variant_that_was_not_measured_is_left_out():
    assert [one.variant.name for one in variant_results([ORIGINAL, CUT], [measurement([0.5, 0.5])])] == ["original"]


def test_measurements_of_a_variant_come_by_seed():
    measured = [measurement([0.5], seed=2), measurement([0.5], name="truncate"), measurement([0.5], seed=1)]
    assert [one.seed for one in of_variant(measured, "original")] == [1, 2]
