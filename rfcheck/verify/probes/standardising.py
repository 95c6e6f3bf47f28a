"""Features counted in standard deviations from their mean over the training images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rfcheck.verify.probes.design import BLOCK, Design
from rfcheck.verify.probes.storage import LayerFeatures

CONSTANT = 1e-6
"""Standard deviation, as a share of the mean, up to which a feature is constant but for rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """Mean and standard deviation of features over the training images; float64 (P, F) on the CPU.

    A constant feature has an infinite deviation, so that it becomes zero everywhere.
    """

    mean: Tensor
    deviation: Tensor

    def design(self, values: Tensor, features: LayerFeatures, device: torch.device, memory: int) -> Design:
        """The standardised design of values (P, N, F), which are in the units of ``features``."""
        scale, shift = _units(features, values)
        return Design(
            values, (scale / self.deviation).float(), ((shift - self.mean) / self.deviation).float(), device=device, memory=memory
        )


def standard(values: Tensor, features: LayerFeatures) -> Standard:
    """Measure values (P, N, F) that are in the units of ``features``."""
    scale, shift = _units(features, values)
    step = max(1, BLOCK // (4 * values.shape[0] * values.shape[2]))
    count = values.shape[1]
    shares, variances, means = [], [], []
    for start in range(0, count, step):
        block = values[:, start : start + step].float()
        variance, mean = (moment.cpu().double() for moment in torch.var_mean(block, dim=1, correction=0))
        shares.append(block.shape[1] / count)
        variances.append(variance)
        means.append(mean)
    weights = torch.tensor(shares, dtype=torch.float64)[:, None, None]
    mean = (weights * torch.stack(means)).sum(dim=0)
    variance = (weights * (torch.stack(variances) + (torch.stack(means) - mean).square())).sum(dim=0)
    deviation = variance.sqrt()
    deviation = torch.where(deviation > CONSTANT * mean.abs(), deviation, torch.inf)
    return Standard(mean * scale + shift, deviation * scale)


def _units(features: LayerFeatures, values: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift of values (P, N, F), the features of the P regressions being next to each other in those of the layer."""
    shape = (values.shape[0], values.shape[2])
    return features.scale.cpu().double().reshape(shape), features.shift.cpu().double().reshape(shape)
