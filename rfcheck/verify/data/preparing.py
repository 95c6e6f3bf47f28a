"""From decoded images to what a model takes: placement, crop, flip, normalisation and resizing, in batches on the device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What is random in the preprocessing of some images, as drawn on the CPU, so that all devices see the same images.

    The output pixel (y, x) shows the image's pixel (y + rows, x + columns), or black outside of the image; before that,
    x is mirrored where `flips` says so.

    Attributes:
        rows: int64 (B,).
        columns: int64 (B,).
        flips: bool (B,).
    """

    rows: Tensor
    columns: Tensor
    flips: Tensor

    def __getitem__(self, chosen: slice) -> Draws:
        return Draws(self.rows[chosen], self.columns[chosen], self.flips[chosen])

    def to(self, device: torch.device) -> Draws:
        """The same numbers on a device."""
        return Draws(*(part.to(device, non_blocking=True) for part in (self.rows, self.columns, self.flips)))


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The steps between a decoded image and the model.

    In training: placement on the canvas if there is one, random crop from the image with black edges, random mirroring,
    normalisation per channel, resizing. In evaluation only placement, normalisation and resizing.

    Attributes:
        image_size: extents of the decoded images in pixels, (h, w).
        input_size: extents that the model takes, (H, W).
        channels: that the model takes; grey images are repeated.
        mean: of the training set per channel of the images, between 0 and 1, the canvas included.
        std: the same for the standard deviation.
        padding: pixels of black edges of which crops are taken, per axis; 0 for no crops.
        flips: whether half of the training images are mirrored.
        canvas: extent in pixels of the black square on which images are placed at random; None for the image alone.

    Source: Richter 2022, sections 8.4.1 and 11.2 (order of the steps), 9.2 (canvas).
    """

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    padding: tuple[int, int]
    flips: bool
    canvas: int | None = None

    @property
    def placed_size(self) -> tuple[int, int]:
        """Extents before resizing, in pixels: those of the canvas, or else of the image."""
        return self.image_size if self.canvas is None else (self.canvas, self.canvas)

    def training(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Images as they are trained on.

        Args:
            pixels: uint8 (B, C, h, w), on any device.
            generator: on the CPU.

        Returns:
            float32 (B, channels, H, W) on the device of the pixels.
        """
        return self.apply(pixels, self.draw_training(len(pixels), generator))

    def evaluation(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Images as they are validated and tested on; arguments and result as in `training`."""
        return self.apply(pixels, self.draw_evaluation(len(pixels), generator))

    def draw_training(self, count: int, generator: torch.Generator) -> Draws | None:
        """What is random for so many training images; None if nothing is."""
        placed = self.draw_evaluation(count, generator)
        if placed is None and not self.flips and self.padding == (0, 0):
            return None
        rows, columns = (torch.randint(0, 2 * padding + 1, (count,), generator=generator) - padding for padding in self.padding)
        flips = torch.rand(count, generator=generator) < (0.5 if self.flips else 0.0)
        if placed is None:
            return Draws(rows, columns, flips)
        return Draws(rows + placed.rows, columns + placed.columns, flips)

    def draw_evaluation(self, count: int, generator: torch.Generator) -> Draws | None:
        """What is random for so many images of a validation or test set; None if nothing is."""
        if self.canvas is None:
            return None
        rows, columns = (-torch.randint(0, self.canvas - extent + 1, (count,), generator=generator) for extent in self.image_size)
        return Draws(rows, columns, torch.zeros(count, dtype=torch.bool))

    def apply(self, pixels: Tensor, draws: Draws | None) -> Tensor:
        """All steps, with given random numbers.

        Args:
            pixels: uint8 (B, C, h, w).
            draws: for B images, on any device; None for no placement, crop and flip.

        Returns:
            float32 (B, channels, H, W).
        """
        if draws is not None:
            pixels = _moved(pixels, draws.to(pixels.device), self.placed_size)
        scale, shift = _normalisation(self.mean, self.std, pixels.device)
        images = pixels.to(torch.float32).mul_(scale).add_(shift)
        if self.input_size != self.placed_size:
            images = F.interpolate(images, self.input_size, mode="bilinear", align_corners=False, antialias=True)
        return images if images.shape[1] == self.channels else images.repeat(1, self.channels, 1, 1)


def _moved(pixels: Tensor, draws: Draws, size: tuple[int, int]) -> Tensor:
    """Every image moved and mirrored on a black ground of some size, uint8 (B, C, *size)."""
    height, width = size
    device = pixels.device
    rows = torch.arange(height, device=device) + draws.rows[:, None]
    columns = torch.arange(width, device=device).expand(len(pixels), -1)
    columns = torch.where(draws.flips[:, None], width - 1 - columns, columns) + draws.columns[:, None]
    edged = F.pad(pixels, (1, 1, 1, 1))  # whatever lies outside of the image reads this edge
    rows = (rows + 1).clamp_(0, edged.shape[2] - 1)
    columns = (columns + 1).clamp_(0, edged.shape[3] - 1)
    sources = (rows[:, :, None] * edged.shape[3] + columns[:, None, :]).flatten(1)[:, None]
    moved = edged.flatten(2).gather(2, sources.expand(-1, pixels.shape[1], -1))
    return moved.reshape(*pixels.shape[:2], height, width)


@lru_cache(maxsize=16)
def _normalisation(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Factor and summand that normalise values of 0 to 255, (C, 1, 1); kept, as sending them to a device waits for it."""
    means, stds = (torch.tensor(values, dtype=torch.float64).view(-1, 1, 1) for values in (mean, std))
    return (1 / (255 * stds)).float().to(device), (-means / stds).float().to(device)
