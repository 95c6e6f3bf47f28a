"""Standardised features as a design matrix: what a regression multiplies with, in as much memory as it may take."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 32 * 1024**2
"""Bytes of float32 that are made of float16 at a time where a whole copy has no room."""


class Design:
    """Features of some regressions over the same images, which are standardised in passing: z = values * factor + offset.

    Args:
        values: float16 or float32 (P, N, F) of P regressions.
        factor: float32 (P, F).
        offset: float32 (P, F).
        device: to compute on.
        memory: bytes that a float32 copy may take; without room for one, blocks of rows are converted in every product.
    """

    def __init__(self, values: Tensor, factor: Tensor, offset: Tensor, device: torch.device, memory: int) -> None:
        fits = 4 * values.numel() <= memory
        self._values = values.to(device, torch.float32) if fits else values
        self._step = max(1, values.shape[1] if fits else BLOCK // (4 * values.shape[0] * values.shape[2]))
        self._factor = factor.to(device)[:, None]
        self._offset = offset.to(device)[:, None]
        self.problems, self.rows, self.features = values.shape
        self.device = device

    def logits(self, weights: Tensor) -> Tensor:
        """Products of the features with weights (P, K, F + 1), the last of which belongs to a feature that is one; (P, N, K)."""
        linear = weights[..., :-1]
        scaled = (linear * self._factor).transpose(1, 2)
        constant = ((linear * self._offset).sum(dim=2) + weights[..., -1])[:, None]
        blocks = [block @ scaled for _, block in self._blocks()]
        return (torch.cat(blocks, dim=1) if len(blocks) > 1 else blocks[0]).add_(constant)

    def gradient(self, residuals: Tensor) -> Tensor:
        """Products of residuals (P, N, K) with the features and the one beside them, summed over the images; (P, K, F + 1)."""
        total = residuals.new_zeros(self.problems, residuals.shape[2], self.features)
        for rows, block in self._blocks():
            total += residuals[:, rows].transpose(1, 2) @ block
        sums = residuals.sum(dim=1)[..., None]
        return torch.cat((total * self._factor + sums * self._offset, sums), dim=2)

    def sample(self, rows: Tensor) -> Tensor:
        """Standardised features of some images; float32 (P, len(rows), F)."""
        values = self._values[:, rows.to(self._values.device)].to(self.device, torch.float32)
        return values * self._factor + self._offset

    def _blocks(self) -> Iterator[tuple[slice, Tensor]]:
        for start in range(0, self.rows, self._step):
            rows = slice(start, min(start + self._step, self.rows))
            yield rows, self._values[:, rows].to(self.device, torch.float32)
