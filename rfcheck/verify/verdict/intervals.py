"""Intervals that hold a true value with 95% confidence, and the test of paired labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rfcheck.verify.records import Interval

CONFIDENCE = 0.95
"""Of all intervals."""

TAIL = (1 - CONFIDENCE) / 2
"""Probability that an interval leaves out on either side."""


def clopper_pearson(accuracy: float, images: int) -> Interval:
    """The exact interval of a share of test images.

    Models of several seeds label the same images, so that their labels are no independent draws: pooling them as seeds times images
    would make the interval too narrow. The mean over the seeds therefore counts as one accuracy on the images. That is exact
    for one seed, right where all seeds err on the same images, and too wide otherwise. The beta quantiles take the fraction of
    an image that a mean may hold.

    Args:
        accuracy: share of the images whose label is right, mean over the seeds.
        images: number of test images.

    Source: Clopper and Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.
    """
    from scipy.stats import beta

    right = accuracy * images
    low = 0.0 if right <= 0 else float(beta.ppf(TAIL, right, images - right + 1))
    high = 1.0 if right >= images else float(beta.ppf(1 - TAIL, right + 1, images - right))
    return Interval(accuracy, low, high)


def students(values: Sequence[float], step: float = 0.0) -> Interval:
    """Student's interval of a mean.

    Args:
        values: independent draws, at least two: accuracies per seed, or their differences.
        step: that measured values come in. The standard deviation counts as at least that of rounding to this step, so that values
            which agree by chance do not look certain.
    """
    from scipy.stats import t

    count = len(values)
    deviation = max(float(np.std(values, ddof=1)), step / math.sqrt(12))
    half = float(t.ppf(1 - TAIL, count - 1)) * deviation / math.sqrt(count)
    mean = float(np.mean(values))
    return Interval(mean, mean - half, mean + half)


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """The p-value of McNemar's exact test: how likely two models of equal accuracy disagree as unevenly as these.

    Args:
        first: whether each label is right; bool (N,).
        second: the same of another model on the same images; bool (N,).

    Source: McNemar 1947, Note on the sampling error of the difference between correlated proportions or percentages.
    """
    from scipy.stats import binomtest

    only_first = int(np.sum(first & ~second))
    only_second = int(np.sum(~first & second))
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0


def unseen(images: int) -> float:
    """The largest share of cases that may well not occur once among so many images: 3.7 of 360, say."""
    return float(1 - TAIL ** (1 / images))
