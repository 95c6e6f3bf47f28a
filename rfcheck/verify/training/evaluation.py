"""How well a model labels images that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rfcheck.verify.modes import evaluating
from rfcheck.verify.training.outputs import logits


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model did on a split.

    Attributes:
        loss: mean cross-entropy.
        accuracy: share of right labels.
    """

    loss: float
    accuracy: float


def evaluate(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], *, rank: int = 0, world: int = 1) -> Evaluation:
    """Loss and accuracy of a model in evaluation mode; afterwards its modules are in the modes in which they were.

    Args:
        model: on the device of the batches.
        batches: images, float32 (B, C, H, W), and labels, int64 (B,); at least one.
        rank: number of this process among those that share the batches, from 0.
        world: number of processes; each gets the result over all batches.
    """
    sums: Tensor | None = None
    with evaluating(model), torch.no_grad():
        for images, labels in islice(batches, rank, None, world):
            scores = logits(model(images)).float()
            loss = F.cross_entropy(scores, labels, reduction="sum").double()
            correct = (scores.argmax(1) == labels).sum()
            batch = torch.stack([loss, correct.double(), torch.full_like(loss, len(labels))])
            sums = batch if sums is None else sums + batch
    if world > 1:
        sums = _summed(sums, next(model.parameters()).device)
    assert sums is not None
    loss_sum, right, count = sums.tolist()
    return Evaluation(loss_sum / count, right / count)


def _summed(sums: Tensor | None, device: torch.device) -> Tensor:
    """Sums over all processes, some of which may have had no batch."""
    total = torch.zeros(3, dtype=torch.float64, device=device) if sums is None else sums
    torch.distributed.all_reduce(total)
    return total
