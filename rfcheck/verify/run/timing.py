"""How long a forward pass takes."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from rfcheck.verify.modes import evaluating

if TYPE_CHECKING:
    from torch import Tensor, nn

REPETITIONS = 7


def seconds_per_image(model: nn.Module, images: Tensor) -> float:
    """Time of a forward pass in evaluation mode, divided by the number of images: the median of several.

    Args:
        model: on the device of the images.
        images: a batch, (N, C, H, W).
    """
    import torch

    durations = []
    with evaluating(model), torch.no_grad():
        model(images)  # the first pass also sets up what later ones reuse
        for _ in range(REPETITIONS):
            _wait(images.device)
            begun = time.perf_counter()
            model(images)
            _wait(images.device)
            durations.append(time.perf_counter() - begun)
    return statistics.median(durations) / len(images)


def _wait(device: object) -> None:
    """Wait for what a GPU has still to do."""
    import torch

    if getattr(device, "type", "") == "cuda":
        torch.cuda.synchronize()
