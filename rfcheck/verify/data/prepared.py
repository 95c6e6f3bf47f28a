"""A data set made ready for one model: splits, preprocessing and fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rfcheck.errors import DataError
from rfcheck.verify.data.channels import in_channels
from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.preparing import Preprocessing
from rfcheck.verify.data.splits import split_validation
from rfcheck.verify.recipe import CROP_PADDING

_CPU = torch.device("cpu")

_RESIDENT_SHARE = 0.25
"""Share of a GPU's free memory that images may take; more stay in main memory and are sent in batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a model is trained, validated and tested on.

    Attributes:
        classes: names, by label.
        train: images to learn from, without those for validation.
        validation: cut from the training set.
        test: read once, at the end.
        preprocessing: of all of them.
        fingerprint: SHA-256 of the images, labels and class names as they were given, as hexadecimal digits.
        device: on which batches are made.
    """

    classes: tuple[str, ...]
    train: Images
    validation: Images
    test: Images
    preprocessing: Preprocessing
    fingerprint: str
    device: torch.device = _CPU

    def to(self, device: torch.device | str) -> Prepared:
        """The same data with batches on a device; images that would fill its memory stay where they are and are sent in batches."""
        device = torch.device(device)
        splits = {name: getattr(self, name) for name in ("train", "validation", "test")}
        if _fit(splits.values(), device):
            splits = {name: images.to(device) for name, images in splits.items()}
        return replace(self, device=device, **splits)


def prepare(dataset: Dataset, input_size: tuple[int, ...], *, canvas: int | None = None, augment: bool = True) -> Prepared:
    """Split a data set, and fit it to the input of a model.

    Args:
        dataset: as it was loaded.
        input_size: channels and extents that the model takes, (C, H, W).
        canvas: extent in pixels of a black square on which every image is placed at random; None for the image alone.
        augment: whether training images are cropped and mirrored at random.

    Raises:
        DataError: if the input is not that of an image, the channels cannot be converted, or the canvas is smaller than the images.

    Source: Richter 2022, sections 8.4.1, 9.2 and 11.2.
    """
    if len(input_size) != 3:
        raise DataError(
            f"the input size {input_size} is not that of an image; verify takes models whose input has channels, height and width"
        )
    channels, height, width = input_size
    _require_canvas(dataset, canvas)
    train, validation = split_validation(in_channels(dataset.train, channels))
    mean, std = _statistics(train, canvas)
    return Prepared(
        classes=dataset.classes,
        train=train,
        validation=validation,
        test=in_channels(dataset.test, channels),
        preprocessing=Preprocessing(
            image_size=dataset.train.size,
            input_size=(height, width),
            channels=channels,
            mean=mean,
            std=std,
            padding=_padding(dataset.train.size) if augment else (0, 0),
            flips=augment and dataset.flips,
            canvas=canvas,
        ),
        fingerprint=fingerprint(dataset),
    )


def fingerprint(dataset: Dataset) -> str:
    """SHA-256 of the images, labels and class names of both splits, as hexadecimal digits."""
    digest = hashlib.sha256(repr(dataset.classes).encode())
    for images in (dataset.train, dataset.test):
        digest.update(repr(tuple(images.pixels.shape)).encode())
        for values in (images.pixels, images.labels):
            digest.update(values.cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _require_canvas(dataset: Dataset, canvas: int | None) -> None:
    height, width = dataset.train.size
    if canvas is not None and canvas < max(height, width):
        raise DataError(
            f"a canvas of {canvas}x{canvas} pixels cannot hold the images of {dataset.name}, which have {height}x{width}; "
            f"give --canvas {max(height, width)} or more"
        )


def _padding(size: tuple[int, int]) -> tuple[int, int]:
    """Edges that crops are taken of: an eighth of an image, as 4 of 32 pixels are, and never more than these 4."""
    height, width = (min(CROP_PADDING, -(-extent // (32 // CROP_PADDING))) for extent in size)
    return height, width


def _statistics(images: Images, canvas: int | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, between 0 and 1, with the black of a canvas around each image."""
    counts = torch.stack([_histogram(images.pixels[:, channel]) for channel in range(images.channels)]).double()
    if canvas is not None:
        height, width = images.size
        counts[:, 0] += len(images) * (canvas * canvas - height * width)
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = counts / counts.sum(1, keepdim=True)
    mean = shares @ values
    variance = (shares * (values - mean[:, None]) ** 2).sum(1)
    std = torch.where(variance > 0, variance.sqrt(), 1.0)  # a channel that is the same everywhere becomes zero
    return tuple(mean.tolist()), tuple(std.tolist())


def _histogram(values: Tensor) -> Tensor:
    """How often each of the values 0 to 255 occurs, int64 (256,); in parts, as a flat copy of all would double the memory."""
    return sum(
        (torch.bincount(part.reshape(-1), minlength=256) for part in torch.split(values, 4096)), torch.zeros(256, dtype=torch.int64)
    )


def _fit(splits: Iterable[Images], device: torch.device) -> bool:
    """Whether a device has room for images beside a model and its training."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return sum(images.pixels.nbytes for images in splits) < _RESIDENT_SHARE * free
