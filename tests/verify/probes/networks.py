"""Small networks and images for the tests of probes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn


def network(classes: int = 10) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, classes),
    )


LAYERS = ["0", "3", "7"]


def digits(count: int, start: int = 0) -> tuple[Tensor, Tensor]:
    """Scans of digits, (count, 1, 8, 8), and their classes."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rows = slice(start, start + count)
    return torch.tensor(images[rows], dtype=torch.float32).reshape(-1, 1, 8, 8) / 16, torch.tensor(labels[rows])


def batches(images: Tensor, labels: Tensor, size: int = 100) -> Iterator[tuple[Tensor, Tensor]]:
    return iter(list(zip(images.split(size), labels.split(size), strict=True)))
