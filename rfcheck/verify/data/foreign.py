"""Images as users' data sets give them: PIL images, tensors and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_pixels(image: Any) -> np.ndarray:
    """The values of an image.

    Args:
        image: of PIL in any mode, or uint8 or floating-point numbers from 0 to 1 in a tensor (C, H, W) or (H, W), or in an array
            (H, W) or (H, W, C).

    Returns:
        uint8 (C, H, W).

    Raises:
        ValueError: if it is none of these; the message continues a sentence about the image.
    """
    import torch
    from PIL.Image import Image

    from rfcheck.verify.data.decoding import eight_bits

    if isinstance(image, Image):
        return _channels_first(np.asarray(eight_bits(image)))
    if isinstance(image, torch.Tensor):
        values = image.detach().cpu()
        return _bytes(_three_axes(values.float().numpy() if values.is_floating_point() else values.numpy(), 0))
    if isinstance(image, np.ndarray):
        return _bytes(_channels_first(_three_axes(image, -1)))
    raise ValueError(f"is of the type {type(image).__name__}, not an image; give PIL images, tensors (C, H, W) or arrays (H, W, C)")


def _three_axes(values: np.ndarray, channel_axis: int) -> np.ndarray:
    if values.ndim == 2 and values.size:
        return np.expand_dims(values, channel_axis)
    if values.ndim != 3 or not values.size:
        raise ValueError(f"has the shape {values.shape}; give tensors (C, H, W) or arrays (H, W, C)")
    return values


def _channels_first(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values[None] if values.ndim == 2 else values.transpose(2, 0, 1))


def _bytes(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"has values of the type {values.dtype}; give uint8, or floating-point numbers from 0 to 1")
    lowest, highest = float(values.min()), float(values.max())
    if not (lowest >= 0 and highest <= 1):
        raise ValueError(
            f"has values from {lowest:.3g} to {highest:.3g}; give uint8, or floating-point numbers from 0 to 1, "
            "and leave the normalisation out, which follows later"
        )
    return np.asarray(np.rint(values * 255), dtype=np.uint8)
