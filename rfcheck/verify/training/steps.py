"""One pass over the training set: the plain loop, and what is noted in it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rfcheck.verify.training.failures import LossNotFiniteError
from rfcheck.verify.training.outputs import logits

if TYPE_CHECKING:
    from accelerate import Accelerator
    from accelerate.optimizer import AcceleratedOptimizer

LOOK_EVERY = 0.5
"""Seconds between looks at what a GPU has computed, each of which waits for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """What a step needs.

    Attributes:
        model: as Accelerate prepared it.
        optimizer: likewise.
        accelerator: that prepared them.
    """

    model: nn.Module
    optimizer: AcceleratedOptimizer
    accelerator: Accelerator

    def look(self, images: Tensor, labels: Tensor, batch: int) -> tuple[Tensor, Tensor]:
        """Score this process' share of a batch.

        Args:
            images: float32 (B, C, H, W).
            labels: int64 (B,).
            batch: images in the batch, over all processes.

        Returns:
            The share's part of the mean cross-entropy of the batch, float32 (), and the scores, (B, classes).
        """
        self.optimizer.zero_grad()
        scores = logits(self.model(images))
        if batch == len(labels):
            return F.cross_entropy(scores, labels), scores
        return F.cross_entropy(scores, labels, reduction="sum") / batch, scores

    def learn(self, loss: Tensor) -> None:
        """Change the weights by the gradients of what `look` returned, summed over the processes, which Accelerate averages."""
        processes = self.accelerator.num_processes
        self.accelerator.backward(loss if processes == 1 else loss * processes)
        self.optimizer.step()


class Tally:
    """Losses and right labels of one epoch, kept on the device, as reading them would make the processor wait for it.

    Args:
        sizes: images of each batch, over all processes.
        device: of the model.
    """

    def __init__(self, sizes: list[int], device: torch.device) -> None:
        self._sizes = sizes
        self._losses = torch.zeros(len(sizes), device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)
        self._steps = self._seen = self._checked = 0

    def add(self, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Take note of a step; loss and scores as `Learner.look` gives them."""
        self._losses[self._steps] = loss
        self._correct += (scores.argmax(1) == labels).sum()
        self._seen += self._sizes[self._steps]
        self._steps += 1

    def losses(self) -> list[float]:
        """The loss of each step until now; waits for the device."""
        return self._losses[: self._steps].tolist()

    def accuracy(self, processes: int = 1) -> float:
        """Share of right labels until now, where each of some processes has as many images; waits for the device."""
        return int(self._correct) * processes / max(1, self._seen)

    def add_other_processes(self) -> None:
        """Count what the other processes did, each of which must call this."""
        torch.distributed.all_reduce(self._losses)
        torch.distributed.all_reduce(self._correct)

    def require_finite(self, images: Tensor | None = None) -> None:
        """Refuse to go on after a loss that is NaN or infinite; waits for the device.

        Args:
            images: of the last step, where the model has not learnt from it yet.
        """
        for step, loss in enumerate(self._losses[self._checked : self._steps].tolist(), self._checked + 1):
            if not math.isfinite(loss):
                raise LossNotFiniteError(step, loss, images if step == self._steps else None)
        self._checked = self._steps

    def mean_loss(self) -> float:
        """Mean cross-entropy over the images until now; waits for the device."""
        return math.fsum(loss * size for loss, size in zip(self.losses(), self._sizes, strict=False)) / self._seen


def train_pass(
    learner: Learner, batches: Iterable[tuple[Tensor, Tensor]], sizes: list[int], tell: Callable[[float], None]
) -> Tally:
    """Learn from every batch once.

    Args:
        learner: model and optimizer; the model is left in training mode.
        batches: images, float32 (B, C, H, W), and labels, int64 (B,): this process' share of each.
        sizes: images of each batch, over all processes.
        tell: called after each step with the share of right labels so far.

    Returns:
        Losses and right labels, over all processes.

    Raises:
        LossNotFiniteError: if a loss is NaN or infinite; on a CPU before it changes the weights, and at the next look elsewhere.
    """
    processes, device = learner.accelerator.num_processes, learner.accelerator.device
    tally = Tally(sizes, device)
    learner.model.train()
    looked, accuracy = -math.inf, 0.0
    for (images, labels), size in zip(batches, sizes, strict=True):
        loss, scores = learner.look(images, labels, size)
        tally.add(loss.detach(), scores.detach(), labels)
        if device.type == "cpu" or time.monotonic() - looked >= LOOK_EVERY:
            if processes == 1:  # of several, one must not leave the others waiting
                tally.require_finite(images)
            looked, accuracy = time.monotonic(), tally.accuracy(processes)
        learner.learn(loss)
        tell(accuracy)
    if processes > 1:
        tally.add_other_processes()
    tally.require_finite()
    return tally
