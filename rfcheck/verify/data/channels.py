"""Grey images for models that take colours, and colour images for models that take grey."""

from __future__ import annotations

import torch

from rfcheck.errors import DataError
from rfcheck.verify.data.images import Images

_LUMA = (19595, 38470, 7471)
"""Weights of red, green and blue in the luma of ITU-R BT.601: 0.299, 0.587 and 0.114, in parts of 65536."""


def in_channels(images: Images, channels: int) -> Images:
    """Images as a model with so many input channels can use them.

    Args:
        images: any number of channels.
        channels: that the model takes.

    Returns:
        The same images where the channels agree or there is one, which preprocessing repeats; their luma where the model takes one.

    Raises:
        DataError: if neither number is 1 and they differ, or the images are not in three colours for a model that takes grey.
    """
    if images.channels in (1, channels):
        return images
    if channels == 1 and images.channels == 3:
        return Images(_luma(images), images.labels)
    raise DataError(
        f"the images have {images.channels} channels and the model takes {channels}; "
        "only grey images can be given several channels and colour images one, so use a model or images that fit"
    )


def _luma(images: Images) -> torch.Tensor:
    """The brightness of colours, uint8 (N, 1, H, W); in parts, as sums need four times the memory."""
    weights = torch.tensor(_LUMA, dtype=torch.int32).view(3, 1, 1)
    parts = [
        ((part.int() * weights).sum(1, keepdim=True, dtype=torch.int32) + 0x8000) >> 16 for part in torch.split(images.pixels, 1024)
    ]
    return torch.cat([part.to(torch.uint8) for part in parts])
