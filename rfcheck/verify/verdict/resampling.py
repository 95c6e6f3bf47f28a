"""Accuracies on the same test images, compared by a paired bootstrap over the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.intervals import TAIL, unseen

RESAMPLES = 4000
"""Draws of the bootstrap; the ends of an interval then vary by 4% of its standard error."""

_NUMBERS_AT_ONCE = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Accuracies, and how they vary over draws of the test images.

    Attributes:
        accuracies: of each probe or model; float (L,).
        draws: the same on every draw; all of them share the images of a draw; float (B, L).
        images: number of test images.
    """

    accuracies: np.ndarray
    draws: np.ndarray
    images: int


def resample(shares: np.ndarray) -> Resampled:
    """Draw the test images anew, with replacement, from a fixed generator.

    All seeds of an image stay together, for they are no independent images. What is resampled are the images, not the trained
    models: an interval speaks of these models on new images. Images on which all rows agree are interchangeable, so that
    a draw is one of the multinomial distribution over the kinds of images.

    Args:
        shares: for each probe or model and each test image, the share of the seeds whose label is right; (L, N).
    """
    images = shares.shape[1]
    kinds, counts = np.unique(shares.T, axis=0, return_counts=True)
    generator = np.random.default_rng(0)
    at_once = max(1, _NUMBERS_AT_ONCE // len(counts))
    parts = [
        generator.multinomial(images, counts / images, size=min(at_once, RESAMPLES - start)) @ kinds / images
        for start in range(0, RESAMPLES, at_once)
    ]
    return Resampled(shares.mean(axis=1), np.concatenate(parts), images)


def best_gain(resampled: Resampled, reference: int, others: Sequence[int]) -> tuple[int, Interval]:
    """By how much the best of several exceeds a reference.

    The best is chosen by the same images that measure it, so that its lead is partly luck, the more so the more there are to
    choose from. Therefore the lower end lies below the lead by what the luckiest of all gains over its own truth: the 97.5%
    quantile of the largest deviation in each draw. The upper end is the highest of the upper ends of all by themselves;
    whichever is truly the best, its own holds. Each end is wrong at most 2.5% of the time, whatever the number of others.

    Few disagreements between two models say little, though they hardly vary over draws: an end is never nearer to the
    difference than the share of images that may well not occur once.

    Args:
        resampled: all accuracies.
        reference: row that is compared with.
        others: rows to choose the best from, at least one.

    Returns:
        The row of the best, and its difference to the reference.
    """
    rows = np.asarray(others)
    differences = resampled.accuracies[rows] - resampled.accuracies[reference]
    draws = resampled.draws[:, rows] - resampled.draws[:, [reference]]
    value = float(differences.max())
    least = unseen(resampled.images)
    luck = float(np.quantile((draws - differences).max(axis=1), 1 - TAIL))
    highs = np.maximum(np.quantile(draws, 1 - TAIL, axis=0), differences + least)
    return int(rows[differences.argmax()]), Interval(value, value - max(luck, least), float(highs.max()))


def difference(shares: np.ndarray, reference: np.ndarray) -> Interval:
    """By how much one accuracy exceeds another on the same images.

    Args:
        shares: share of the seeds whose label is right, per image; (N,).
        reference: the same of what it is compared with; (N,).
    """
    return best_gain(resample(np.stack([reference, shares]).astype(float)), 0, [1])[1]
