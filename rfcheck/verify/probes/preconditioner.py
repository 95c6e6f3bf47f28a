"""An approximate inverse of the curvature of logistic regressions, which makes them converge in a quarter of the steps or less."""

from __future__ import annotations

import torch
from torch import Tensor

from rfcheck.verify.probes.design import Design

SAMPLE = 1024
"""Images whose features' covariance stands for that of all."""

DIRECTIONS = 256
"""Principal directions whose variances are told apart."""

NEGLIGIBLE = 1e-5
"""Share of the largest variance below which a direction is rounding error."""


class Preconditioner:
    """Principal directions of standardised features, with their variances.

    The Hessian of the mean cross-entropy is about the share h of uncertainty, the mean of p (1 - p), times the covariance of the
    features for each class; the remaining directions count with their mean variance. Only the speed of convergence depends on it.

    Args:
        design: features of P regressions.
    """

    def __init__(self, design: Design) -> None:
        count = min(SAMPLE, design.rows)
        rows = torch.randperm(design.rows, generator=torch.Generator().manual_seed(0))[:count].sort().values
        features = design.sample(rows)
        transposed = features.transpose(1, 2)
        wide = design.features > count
        product = features @ transposed if wide else transposed @ features
        variances, vectors = torch.linalg.eigh(product / count)
        variances, vectors = variances[:, -DIRECTIONS:], vectors[..., -DIRECTIONS:]
        kept = variances > NEGLIGIBLE * variances[:, -1:]
        if wide:
            vectors = transposed @ (vectors / (variances.clamp(min=0) * count).sqrt().masked_fill(~kept, 1)[:, None])
        self._vectors = vectors * kept[:, None]
        self._variances = variances * kept
        total = features.square().sum(dim=(1, 2)) / count
        self._rest = (total - self._variances.sum(dim=1)).clamp(min=0) / max(1, design.features - variances.shape[1])

    def apply(self, gradient: Tensor, uncertainty: Tensor, l2: Tensor) -> Tensor:
        """Product of the approximate inverse Hessian with gradients (P, K, F + 1).

        Args:
            gradient: of weights and, last, the bias.
            uncertainty: mean of p (1 - p); (P,).
            l2: strength of the regularisation; (P,).
        """
        rest = (1 / (uncertainty * self._rest + l2))[:, None]
        inverse = 1 / (uncertainty[:, None] * self._variances + l2[:, None])
        linear = gradient[..., :-1]
        along = (linear @ self._vectors) * (inverse - rest)[:, None]
        return torch.cat(
            (along @ self._vectors.transpose(1, 2) + linear * rest[..., None], gradient[..., -1:] / uncertainty[:, None, None]), 2
        )
