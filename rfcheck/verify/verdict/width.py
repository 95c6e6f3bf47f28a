"""The width of a network, read off its mean saturation.

Source: Richter 2022, sections 8.4 and 11.3.
"""

from __future__ import annotations

import math


def width_factor(mean: float, low: float, high: float) -> float | None:
    """By which to scale all widths to bring s_mu into a range.

    Aims at the middle of the range, and assumes that outputs keep their intrinsic dimension while the width changes: s_l is
    that dimension divided by the width, so it changes as one over the factor. In truth the dimension grows somewhat with the
    width, hence the factor is a first step that rather changes too little than too much; the source gives the direction, but no
    law for the amount. Train and measure again.

    Args:
        mean: s_mu; nan where unknown.
        low: lower end of the range.
        high: upper end of the range.

    Returns:
        Below 1 for a network that is too wide; None where the mean is in the range, unknown or zero.
    """
    if math.isnan(mean) or low <= mean <= high or mean <= 0:
        return None
    return mean / ((low + high) / 2)
