"""The memory of a limited-memory quasi-Newton method (L-BFGS), for several problems at once and without waiting for a device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

PAIRS = 10
"""Steps that are remembered."""

ALMOST_NONE = 1e-10
"""Cosine of a step and the change of the gradient along it below which the pair tells nothing of the curvature."""


def dot(left: Tensor, right: Tensor) -> Tensor:
    """Inner products of (P, K, F) with (P, K, F); (P,)."""
    return (left * right).sum(dim=(1, 2))


class Curvature:
    """Steps of P problems and how their gradients changed along them.

    Source: Nocedal and Wright 2006, algorithm 7.4.
    """

    def __init__(self) -> None:
        self._pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=PAIRS)

    def add(self, step: Tensor, change: Tensor) -> None:
        """Remember a step (P, K, F) and the change of the gradient along it; problems that stood still are left as they were."""
        product = dot(step, change)
        told = product > ALMOST_NONE * (dot(step, step) * dot(change, change)).sqrt()
        self._pairs.append((step, change, torch.where(told, 1 / product, 0)))

    def direction(self, gradient: Tensor, initial: Callable[[Tensor], Tensor]) -> Tensor:
        """The quasi-Newton direction of descent.

        Args:
            gradient: (P, K, F).
            initial: multiplies with a first approximation of the inverse Hessian, whose scale does not matter.
        """
        direction = gradient
        factors = []
        for step, change, inverse in reversed(self._pairs):
            factors.append(inverse * dot(step, direction))
            direction = direction - factors[-1][:, None, None] * change
        direction = initial(direction)
        if self._pairs:
            _, change, inverse = self._pairs[-1]
            scale = 1 / (inverse * dot(change, initial(change)))
            direction = direction * torch.where(inverse > 0, scale, 1)[:, None, None]
        for (step, change, inverse), factor in zip(self._pairs, reversed(factors), strict=True):
            direction = direction + (factor - inverse * dot(change, direction))[:, None, None] * step
        return -direction
