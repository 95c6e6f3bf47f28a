"""Batches of preprocessed images: shuffled and augmented for training, in order for evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rfcheck.errors import DataError
from rfcheck.verify.data.images import Images
from rfcheck.verify.data.prepared import Prepared
from rfcheck.verify.data.preparing import Draws

Split = Literal["train", "validation", "test"]
"""A part of a data set."""


def training_batches(
    data: Prepared, *, batch_size: int, seed: int, epoch: int, rank: int = 0, world: int = 1
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of training: every image once, in an order and with augmentation that only depend on seed and epoch.

    All random numbers of an epoch are drawn on the CPU before its first batch. Several processes draw the same ones and take
    their share of each batch, so together they see what one process would.

    Args:
        data: with the device that batches are made on.
        batch_size: images per step, over all processes. A last, smaller batch with less than two images per process is left
            out, as batch normalisation needs two.
        seed: of the training.
        epoch: its number.
        rank: number of this process, from 0.
        world: number of processes.

    Yields:
        Images, float32 (B, C, H, W), and labels, int64 (B,), on the device of the data.

    Raises:
        DataError: if a batch has less than one image per process.
    """
    if batch_size < world:
        raise DataError(f"a batch of {batch_size} cannot be shared by {world} processes; give --batch-size {world} or more")
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0]))
    count = len(data.train)
    order = torch.randperm(count, generator=generator)
    draws = data.preprocessing.draw_training(count, generator)
    parts = [_share(part, rank, world) for part in _slices(count, batch_size, world)]
    yield from _batches(data, data.train, order, draws, parts)


def evaluation_batches(data: Prepared, split: Split, *, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """A split in its order, without augmentation; on a canvas, every image is at the same place each time.

    Args:
        data: with the device that batches are made on.
        split: "train", "validation" or "test".
        batch_size: images per batch; the last may be smaller.

    Yields:
        Images, float32 (B, C, H, W), and labels, int64 (B,), on the device of the data.
    """
    images: Images = getattr(data, split)
    generator = torch.Generator().manual_seed(("train", "validation", "test").index(split))
    draws = data.preprocessing.draw_evaluation(len(images), generator)
    parts = [slice(start, min(start + batch_size, len(images))) for start in range(0, len(images), batch_size)]
    yield from _batches(data, images, None, draws, parts)


def batch_count(data: Prepared, *, batch_size: int, world: int = 1) -> int:
    """Number of batches in an epoch of training, over all processes together."""
    return len(_slices(len(data.train), batch_size, world))


def _slices(count: int, batch_size: int, world: int) -> list[slice]:
    """The positions of each training batch, of all processes together."""
    slices = [slice(start, min(start + batch_size, count)) for start in range(0, count, batch_size)]
    last = slices[-1].stop - slices[-1].start
    return slices[:-1] if last < min(batch_size, 2 * world) else slices


def _share(part: slice, rank: int, world: int) -> slice:
    """What one process takes of a batch; shares differ by one image at most."""
    size = part.stop - part.start
    return slice(part.start + size * rank // world, part.start + size * (rank + 1) // world)


def _batches(
    data: Prepared, images: Images, order: Tensor | None, draws: Draws | None, parts: list[slice]
) -> Iterator[tuple[Tensor, Tensor]]:
    """The images of each part of the order, preprocessed; None for images in their own order."""
    order = None if order is None else order.to(images.pixels.device)
    draws = None if draws is None else draws.to(data.device)
    for part in parts:
        chosen = part if order is None else order[part]
        pixels = images.pixels[chosen].to(data.device, non_blocking=True)
        labels = images.labels[chosen].to(data.device, non_blocking=True)
        yield data.preprocessing.apply(pixels, None if draws is None else draws[part]), labels
