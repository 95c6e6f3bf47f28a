"""Multinomial logistic regressions, several at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rfcheck.verify.probes.curvature import Curvature, dot
from rfcheck.verify.probes.design import Design
from rfcheck.verify.probes.preconditioner import Preconditioner

TOLERANCE = 1e-5
"""Largest excess over the least objective, in nats."""

MOST_STEPS = 500
"""Steps after which a regression is left as it is; only ones that are hardly regularised get there."""

NEWTON_STEPS = 2
"""Steps of a line search."""

STEPS_BETWEEN_CHECKS = 8
"""Steps between looks at whether a device other than the CPU has converged, each of which waits for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Weights of P regressions, with what they say of the images that they were made of.

    Attributes:
        weights: of K classes, the bias last; float32 (P, K, F + 1).
        logits: float32 (P, N, K).
        steps: that it took.
    """

    weights: Tensor
    logits: Tensor
    steps: int


class Point:
    """Weights (P, K, F + 1) with the logits and probabilities (P, N, K) that they give."""

    def __init__(self, weights: Tensor, logits: Tensor) -> None:
        self.weights = weights
        self.logits = logits
        self.probabilities = logits.softmax(dim=2)


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Mean cross-entropy plus l2 / 2 times the squared norm of the weights, the biases left out.

    Attributes:
        design: features.
        wanted: one at the class of each image; float32 (N, K).
        shares: weights of the images in the mean, which sum to one; float32 (N,).
        l2: (P,).
    """

    design: Design
    wanted: Tensor
    shares: Tensor
    l2: Tensor

    def gradient(self, point: Point) -> Tensor:
        """Gradient at a point; (P, K, F + 1)."""
        return self.design.gradient((point.probabilities - self.wanted) * self.shares[:, None]).add_(self.penalty(point.weights))

    def penalty(self, weights: Tensor) -> Tensor:
        """Gradient of the regularisation at weights (P, K, F + 1)."""
        return F.pad(weights[..., :-1] * self.l2[:, None, None], (0, 1))

    def uncertainty(self, point: Point) -> Tensor:
        """Mean of p (1 - p), which scales the curvature; (P,)."""
        spread = point.probabilities * (1 - point.probabilities) * self.shares[:, None]
        return (spread.sum(dim=(1, 2)) / self.wanted.shape[1]).clamp(min=1e-4)

    def step_length(self, point: Point, direction: Tensor, change: Tensor) -> Tensor:
        """How far to go along a direction (P, K, F + 1) that changes the logits by ``change`` (P, N, K); (P,).

        A few steps of Newton's method on the slope, which grows along the way, kept between lengths that are known to be too short
        and too long. They need the logits only, not the features.
        """
        straight = dot(self.penalty(point.weights), direction) - (change * self.wanted * self.shares[:, None]).sum(dim=(1, 2))
        bend = dot(self.penalty(direction), direction)

        def slope(length: Tensor, probabilities: Tensor) -> tuple[Tensor, Tensor]:
            expected = probabilities * change
            mean = expected.sum(dim=2)
            variance = ((expected * change).sum(dim=2) - mean.square()).clamp(min=0)
            return (mean * self.shares).sum(dim=1) + straight + length * bend, (variance * self.shares).sum(dim=1) + bend

        length = torch.zeros_like(self.l2)
        first, second = slope(length, point.probabilities)
        low, high, best, least = length, torch.full_like(length, torch.inf), length, first.abs()
        for _ in range(NEWTON_STEPS):
            newton = length - first / second
            between = torch.where(high.isinf(), 2 * low + 1, (low + high) / 2)
            length = torch.where((newton > low) & (newton < high), newton, between)
            first, second = slope(length, torch.softmax(point.logits + length[:, None, None] * change, dim=2))
            low, high = torch.where(first < 0, length, low), torch.where(first < 0, high, length)
            better = first.abs() < least
            best, least = torch.where(better, length, best), torch.where(better, first.abs(), least)
        return best


def fit(
    design: Design,
    labels: Tensor,
    classes: int,
    l2: float | Tensor,
    *,
    shares: Tensor | None = None,
    start: Tensor | None = None,
    preconditioner: Preconditioner | None = None,
    tolerance: float = TOLERANCE,
) -> Fitted:
    """Minimise mean cross-entropy + l2 / 2 * ||W||^2 by preconditioned L-BFGS over all images at once.

    The objective is strongly convex, so that the squared norm of the gradient over 2 l2 bounds what it exceeds its minimum by;
    this ends the search.

    Args:
        design: features of P regressions over N images.
        labels: int64 (N,).
        classes: number K.
        l2: strength of the regularisation, above zero; one number, or one per regression (P,).
        shares: weight of each image in the mean, summing to one; float32 (N,). Equal by default.
        start: weights to begin with; float32 (P, K, F + 1). Zero by default.
        preconditioner: of the same design; made where none is given.
        tolerance: largest excess over the minimum, in nats.
    """
    device = design.device
    wanted = F.one_hot(labels.to(device), classes).float()
    shares = torch.full((design.rows,), 1 / design.rows, device=device) if shares is None else shares
    strength = torch.as_tensor(l2, dtype=torch.float32, device=device).expand(design.problems)
    objective = Objective(design, wanted, shares, strength)
    preconditioner = preconditioner or Preconditioner(design)
    weights = torch.zeros(design.problems, classes, design.features + 1, device=device) if start is None else start
    return _descend(objective, preconditioner, weights, tolerance)


def _descend(objective: Objective, preconditioner: Preconditioner, weights: Tensor, tolerance: float) -> Fitted:
    """Follow L-BFGS to the minimum; a regression that has arrived waits for the others, so that none depends on them."""
    design, l2 = objective.design, objective.l2
    point = Point(weights, design.logits(weights))
    gradient = objective.gradient(point)
    curvature = Curvature()
    interval = 1 if design.device.type == "cpu" else STEPS_BETWEEN_CHECKS
    for steps in range(MOST_STEPS + 1):
        descending = dot(gradient, gradient) > 2 * l2 * tolerance
        if steps == MOST_STEPS or (steps % interval == 0 and not bool(descending.any())):
            break
        uncertainty = objective.uncertainty(point)
        direction = curvature.direction(gradient, lambda g, h=uncertainty: preconditioner.apply(g, h, l2))  # type: ignore[misc]
        change = design.logits(direction)
        length = torch.where(descending, objective.step_length(point, direction, change), 0)[:, None, None]
        step = length * direction
        point = Point(point.weights + step, point.logits + length * change)
        previous, gradient = gradient, objective.gradient(point)
        curvature.add(step, gradient - previous)
    return Fitted(point.weights, point.logits, steps)
