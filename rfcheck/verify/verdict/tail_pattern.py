"""The tail pattern in a sequence of saturations.

Source: Richter 2022, section 8.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from rfcheck.verify.conclusions import TailPattern


def tail_pattern(layers: Sequence[str], saturation: Sequence[float], min_layers: int, share: float) -> TailPattern | None:
    """The consecutive layers whose mean saturation is lower than that of the rest by at least a share of it.

    The definition mostly holds for many subsequences at once: a tail stays one with a few layers of the rest added, or some of its
    own taken away. The one is chosen that parts the network best: with the largest sum of squares between the pattern and the rest,
    which leaves least within the two. So a saturation that falls gradually is parted where it is half-way down, and not at
    its lowest few layers. Of equals the longest, and of these the first.

    A layer of unknown saturation belongs neither to a pattern nor to the rest, and no pattern reaches across it.

    Args:
        layers: names, in execution order.
        saturation: s_l of each, from 0 to 1; nan where unknown.
        min_layers: fewest layers of a pattern.
        share: smallest drop of the mean, relative to that of the rest.

    Returns:
        None where nothing fulfils the definition, or no layer would be left as the rest.
    """
    known = [not math.isnan(value) for value in saturation]
    sums = [0.0, *accumulate(value if one else 0.0 for value, one in zip(saturation, known, strict=True))]
    counts = [0, *accumulate(known)]
    best: tuple[float, int, int] | None = None
    found: TailPattern | None = None
    for start in range(len(layers)):
        for end in range(start + min_layers, len(layers) + 1):
            inside = counts[end] - counts[start]
            outside = counts[-1] - inside
            if inside < end - start:
                break
            if not outside:
                continue
            mean = (sums[end] - sums[start]) / inside
            rest = (sums[-1] - sums[end] + sums[start]) / outside
            if not rest > 0 or mean / rest > 1 - share:
                continue
            rank = (-inside * outside * (rest - mean) ** 2, start - end, start)
            if best is None or rank < best:
                best, found = rank, TailPattern(tuple(layers[start:end]), mean, rest)
    return found
