from __future__ import annotations

from math import comb, sqrt

import numpy as np
import pytest

from rfcheck.verify.verdict.intervals import clopper_pearson, mcnemar, students, unseen


def at_least(right: int, images: int, p: float) -> float:
    return sum(comb(images, k) * p**k * (1 - p) ** (images - k) for k in range(right, images + 1))


@pytest.mark.parametrize(("right", "images"), [(1, 10), (7, 10), (45, 50), (499, 500), (812, 1000)])
def test_clopper_pearson_leaves_two_and_a_half_percent_on_either_side(right, images):
    interval = clopper_pearson(right / images, images)
    assert interval.value == right / images
    assert at_least(right, images, interval.low) == pytest.approx(0.025, abs=1e-9)
    assert 1 - at_least(right + 1, images, interval.high) == pytest.approx(0.025, abs=1e-9)


def test_clopper_pearson_of_published_values():
    # 0 of 10 and 10 of 10: the end is the tenth root of 0.025
    assert clopper_pearson(0.0, 10).high == pytest.approx(1 - 0.025 ** (1 / 10))
    assert clopper_pearson(1.0, 10).low == pytest.approx(0.025 ** (1 / 10))
    assert (clopper_pearson(0.0, 10).low, clopper_pearson(1.0, 10).high) == (0.0, 1.0)


def test_seeds_are_not_pooled_as_if_their_images_were_new():
    generator = np.random.default_rng(0)
    inside = pooled = 0
    for _ in range(500):
        difficulty = generator.random(200) < 0.7
        seeds = np.where(generator.random((5, 200)) < 0.1, ~difficulty, difficulty)  # five seeds that mostly agree
        truth = 0.7 * 0.9 + 0.3 * 0.1
        one = clopper_pearson(float(seeds.mean()), 200)
        many = clopper_pearson(float(seeds.mean()), 1000)
        inside += one.low <= truth <= one.high
        pooled += many.low <= truth <= many.high
    assert inside >= 475
    assert pooled < 450


def test_students_interval():
    values = [0.8, 0.82, 0.87]
    interval = students(values)
    deviation = sqrt(sum((v - 0.83) ** 2 for v in values) / 2)
    assert interval.value == pytest.approx(0.83)
    assert interval.high - interval.value == pytest.approx(4.302652729911275 * deviation / sqrt(3))  # t table: 0.975, 2 df
    assert interval.value - interval.low == pytest.approx(interval.high - interval.value)


def test_students_interval_covers_its_truth():
    generator = np.random.default_rng(0)
    drawn = generator.normal(0.5, 0.1, (2000, 3))
    covered = [low <= 0.5 <= high for low, high in ((i.low, i.high) for i in map(students, drawn))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_differences_that_agree_by_chance_are_not_certain():
    interval = students([0.01, 0.01], 1 / 500)
    assert interval.low < 0.01 < interval.high
    assert interval.high - 0.01 == pytest.approx(12.706204736432095 * (1 / 500) / sqrt(12) / sqrt(2))  # t table: 0.975, 1 df


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (1, 0), (3, 12), (20, 20), (40, 11)])
def test_mcnemar_is_the_sign_test_of_the_disagreements(only_first, only_second):
    first = np.array([True] * only_first + [False] * only_second + [True, False] * 30)
    second = np.array([False] * only_first + [True] * only_second + [True, False] * 30)
    total = only_first + only_second
    expected = min(1.0, 2 * sum(comb(total, k) for k in range(min(only_first, only_second) + 1)) / 2**total)
    assert mcnemar(first, second) == pytest.approx(expected)


def test_what_may_well_not_occur_once():
    assert (1 - unseen(360)) ** 360 == pytest.approx(0.025)
    assert 360 * unseen(360) == pytest.approx(3.67, abs=0.01)
