"""The strength of a probe's regularisation, chosen on a part of the training images that is held out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.design import Design
from rfcheck.verify.probes.preconditioner import Preconditioner
from rfcheck.verify.probes.regression import Fitted, fit

GRID = tuple(10 ** (-exponent / 2) for exponent in range(-2, 9))
"""Strengths that are tried, from the strongest: 10 to 0.0001 in half powers of ten."""

HELD_OUT = 5
"""One image in so many is held out."""

FEWEST = 10
"""Training images that a probe needs."""

ROUGHLY = 1e-3
"""Excess over the least objective, in nats, that is good enough to compare strengths."""


def held_out(labels: Tensor) -> Tensor:
    """Which images are held out: a fifth of each class, the same at every call; bool (N,).

    Raises:
        VerifyError: if there are too few images for that.
    """
    if len(labels) < FEWEST:
        raise VerifyError(f"probes need at least {FEWEST} training images, not {len(labels)}; add images")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    order = order[labels[order].argsort(stable=True)]
    held = torch.zeros(len(labels), dtype=torch.bool)
    held[order[::HELD_OUT]] = True
    return held


def select_and_fit(design: Design, labels: Tensor, classes: int) -> tuple[Tensor, Fitted]:
    """Choose the strength of each of P regressions, and fit them to all images.

    From the strongest on, each is fitted to the images that are not held out, beginning where the one before ended, until the
    cross-entropy of those that are held out rises, or has fallen and falls no more. Differences within the roughness of the fits
    do not count.

    Args:
        design: standardised features of N images.
        labels: int64 (N,), on the CPU.
        classes: number.

    Returns:
        the strengths, float64 (P,) on the CPU, and the regressions.

    Raises:
        VerifyError: if there are too few images.
    """
    held = held_out(labels).to(design.device)
    labels = labels.to(design.device)
    shares = (~held).float() / (~held).sum()
    preconditioner = Preconditioner(design)
    least = torch.full((design.problems,), torch.inf, device=design.device)
    chosen = torch.zeros(design.problems, dtype=torch.int64, device=design.device)
    searching, fallen = torch.ones_like(chosen, dtype=torch.bool), torch.zeros_like(chosen, dtype=torch.bool)
    start = best = torch.zeros(design.problems, classes, design.features + 1, device=design.device)
    for index, l2 in enumerate(GRID):
        fitted = fit(design, labels, classes, l2, shares=shares, start=start, preconditioner=preconditioner, tolerance=ROUGHLY)
        start = fitted.weights
        loss = _cross_entropy(fitted.logits[:, held], labels[held])
        better = searching & (loss < least - ROUGHLY)
        searching &= better | ~(fallen | (loss > least + ROUGHLY))
        if not bool(searching.any()):
            break
        fallen |= better & least.isfinite()
        least, chosen = torch.where(better, loss, least), torch.where(better, index, chosen)
        best = torch.where(better[:, None, None], start, best)
    strengths = torch.tensor(GRID, dtype=torch.float64)[chosen.cpu()]
    return strengths, fit(design, labels, classes, strengths, start=best, preconditioner=preconditioner)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the images, for logits (P, N, K); (P,)."""
    return F.cross_entropy(logits.movedim(2, 1), labels.expand(len(logits), -1), reduction="none").mean(dim=1)
