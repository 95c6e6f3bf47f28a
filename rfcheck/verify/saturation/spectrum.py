"""From the covariance of a layer's outputs to how much of its feature space they fill."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from rfcheck.verify.recipe import DELTA
from rfcheck.verify.records import LayerSaturation
from rfcheck.verify.saturation.covariance import RunningCovariance


def eigenvalues(covariance: Tensor) -> Tensor:
    """Variances along the principal directions, largest first.

    Args:
        covariance: (C, C) float64, symmetric, finite.

    Returns:
        (C,) float64; what rounding makes negative is zero.
    """
    ascending: Tensor = torch.linalg.eigvalsh(covariance)
    return ascending.clamp(min=0).flip(0)


def intrinsic_dimension(variances: Tensor, delta: float = DELTA) -> int:
    """Smallest number of principal directions that explain a share of the variance.

    Args:
        variances: along the principal directions, (C,), largest first.
        delta: share of their sum, above 0 and at most 1.

    Returns:
        0 where nothing varies: the outputs are one point, which needs no direction.

    Source: Richter 2022, section 8.1.
    """
    explained = variances.cumsum(0)
    if float(explained[-1]) == 0:
        return 0
    return 1 + int((explained < delta * explained[-1]).sum())


def effective_rank(variances: Tensor) -> float:
    """Exp of the entropy of the shares of the principal directions: C where all vary alike, 1 where one does, 0 where none does.

    Args:
        variances: along the principal directions, (C,).

    Source: Roy and Vetterli, The effective rank: a measure of effective dimensionality, 2007.
    """
    total = float(variances.sum())
    return math.exp(float(torch.special.entr(variances / total).sum())) if total > 0 else 0.0


def saturation_of(layer: str, rows: RunningCovariance, delta: float = DELTA) -> LayerSaturation:
    """How much of its feature space a layer's outputs fill.

    Where every feature varies by less than the distance of neighbouring float32 numbers of its size, the outputs count as
    constant: what is left is rounding, and its directions would say nothing.

    Args:
        layer: name.
        rows: covariance of its outputs.
        delta: share of the variance that is to be explained.

    Returns:
        Saturation, trace and effective rank nan where no output was finite, or where their products overflow.
    """
    moments = rows.moments()
    count, not_finite = int(moments.count), int(moments.not_finite)
    covariance = moments.scatter / max(count, 1)
    trace = float(covariance.trace())
    if count == 0 or not math.isfinite(trace):
        return LayerSaturation(layer, rows.features, count, 0, math.nan, math.nan, math.nan, not_finite)
    rounding = torch.finfo(torch.float32).eps * moments.mean
    if bool((covariance.diagonal() <= rounding.square()).all()):
        return LayerSaturation(layer, rows.features, count, 0, 0.0, 0.0, 0.0, not_finite)
    variances = eigenvalues(covariance)
    dimension = intrinsic_dimension(variances, delta)
    return LayerSaturation(
        layer, rows.features, count, dimension, dimension / rows.features, trace, effective_rank(variances), not_finite
    )


def mean_saturation(saturation: Iterable[float]) -> float:
    """s_mu, the mean over the layers.

    Args:
        saturation: s_l of each layer, from 0 to 1; nan where unknown, which is left out.

    Returns:
        From 0 to 1; nan where none is known.

    Source: Richter 2022, section 8.4.1.
    """
    known = [value for value in saturation if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
