from __future__ import annotations

import numpy as np
import pytest

from rfcheck.verify.verdict.resampling import RESAMPLES, best_gain, difference, resample


def test_draws_are_those_of_a_plain_bootstrap():
    generator = np.random.default_rng(1)
    shares = (generator.random((3, 400)) < [[0.5], [0.7], [0.9]]).astype(float)
    resampled = resample(shares)
    assert resampled.accuracies == pytest.approx(shares.mean(axis=1))
    plain = np.stack([shares[:, generator.integers(400, size=400)].mean(axis=1) for _ in range(RESAMPLES)])
    assert resampled.draws.shape == plain.shape
    assert resampled.draws.mean(axis=0) == pytest.approx(plain.mean(axis=0), abs=0.002)
    assert np.cov(resampled.draws.T) == pytest.approx(np.cov(plain.T), abs=4e-5)
    for q in (0.025, 0.5, 0.975):
        assert np.quantile(resampled.draws, q, axis=0) == pytest.approx(np.quantile(plain, q, axis=0), abs=0.004)


def test_draws_are_repeatable_and_paired():
    bits = np.random.default_rng(2).random(300) < 0.6
    shares = np.stack([bits, bits]).astype(float)
    first, second = resample(shares), resample(shares)
    assert np.array_equal(first.draws, second.draws)
    assert np.array_equal(first.draws[:, 0], first.draws[:, 1])


def test_the_interval_of_one_difference_is_that_of_its_normal_approximation():
    generator = np.random.default_rng(3)
    first, second = generator.random((2, 2000)) < [[0.7], [0.75]]
    interval = difference(second, first)
    deltas = second.astype(float) - first
    assert interval.value == pytest.approx(deltas.mean())
    half = 1.959964 * deltas.std(ddof=1) / np.sqrt(2000)
    assert interval.low == pytest.approx(deltas.mean() - half, abs=0.0015)
    assert interval.high == pytest.approx(deltas.mean() + half, abs=0.0015)


def test_seeds_of_an_image_stay_together():
    """Five seeds that always agree hold no more than one."""
    bits = np.random.default_rng(4).random((2, 500)) < [[0.6], [0.7]]
    one = difference(bits[1], bits[0])
    five = difference(np.stack([bits[1]] * 5).mean(axis=0), np.stack([bits[0]] * 5).mean(axis=0))
    assert one == five


def test_models_that_never_disagree_may_still_do_so_on_other_images():
    bits = np.ones(100, dtype=bool)
    interval = difference(bits, bits)
    assert interval.value == 0
    assert interval.high == -interval.low == pytest.approx(1 - 0.025 ** (1 / 100))


def test_the_best_is_named():
    rows = np.zeros((4, 100))
    rows[1, :20], rows[2, :60], rows[3, :40] = 1, 1, 1
    best, interval = best_gain(resample(rows), 1, [0, 2, 3])
    assert best == 2
    assert interval.value == pytest.approx(0.4)
    best, interval = best_gain(resample(rows), 1, [3])
    assert (best, interval.value) == (3, pytest.approx(0.2))


def curves(generator: np.random.Generator, truths: np.ndarray, images: int, flips: float) -> np.ndarray:
    """Labels of probes that mostly agree: right where the image is easy enough, some flipped at random."""
    ease = generator.random(images)
    noise = generator.random((len(truths), images)) < flips
    return np.where(noise, generator.random((len(truths), images)) < 0.5, ease < truths[:, None])


@pytest.mark.parametrize("images", [200, 1000])
@pytest.mark.parametrize(("truths", "flips"), [([0.8] * 9, 0.05), ([0.7, 0.72, 0.74, 0.71], 0.1), ([0.9, 0.5, 0.9], 0.005)])
def test_both_ends_are_wrong_at_most_two_and_a_half_percent_of_the_time(truths, flips, images, monkeypatch):
    monkeypatch.setattr("rfcheck.verify.verdict.resampling.RESAMPLES", 500)
    generator = np.random.default_rng(5)
    true = np.asarray(truths) * (1 - flips) + 0.5 * flips
    gain = float((true[1:] - true[0]).max())
    others = range(1, len(truths))
    runs = [best_gain(resample(curves(generator, np.asarray(truths), images, flips)), 0, others)[1] for _ in range(400)]
    assert np.mean([one.low > gain for one in runs]) < 0.05
    assert np.mean([one.high < gain for one in runs]) < 0.05


def test_luck_alone_does_not_make_a_tail_useful(monkeypatch):
    """Eight layers that are as good as the border: in plain intervals of the luckiest, zero would be excluded too often."""
    monkeypatch.setattr("rfcheck.verify.verdict.resampling.RESAMPLES", 500)
    generator = np.random.default_rng(6)
    runs = [resample(curves(generator, np.full(9, 0.8), 500, 0.1)) for _ in range(200)]
    proper = [best_gain(one, 0, range(1, 9))[1].low > 0 for one in runs]
    naive = []
    for one in runs:
        row = int(one.accuracies[1:].argmax()) + 1
        naive.append(best_gain(one, 0, [row])[1].low > 0)
    assert np.mean(proper) < 0.05
    assert np.mean(naive) > 0.06
