"""Labelled images, held in memory as they were decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images of one size, with their labels.

    Attributes:
        pixels: uint8 (N, C, H, W).
        labels: positions in the names of the classes, int64 (N,).
    """

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def channels(self) -> int:
        """Colours per pixel."""
        return int(self.pixels.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """Extents in pixels, (H, W)."""
        return int(self.pixels.shape[2]), int(self.pixels.shape[3])

    def subset(self, indices: Tensor) -> Images:
        """A copy of the images at some positions, int64 (n,)."""
        return Images(self.pixels[indices], self.labels[indices])

    def to(self, device: torch.device | str) -> Images:
        """The same images on a device."""
        return Images(self.pixels.to(device), self.labels.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A training and a test set.

    Attributes:
        name: as reports call it.
        classes: names, by label.
        train: images to learn from.
        test: images to judge by, which no part of training sees.
        flips: whether a mirrored image still is one of its class.
    """

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Images
    flips: bool
