"""What a probe reads of a layer: its output, averaged to a few positions, as one row of numbers per image."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from rfcheck.errors import VerifyError

AVERAGES: dict[int, Callable[..., Tensor]] = {
    1: F.adaptive_avg_pool1d,
    2: F.adaptive_avg_pool2d,
    3: F.adaptive_avg_pool3d,
}
"""Adaptive average pooling by the number of image axes."""


def pooled(layer: str, module: nn.Module, output: Tensor, images: int, size: int) -> Tensor:
    """A layer's output, averaged to at most ``size`` positions per axis and never up-sampled.

    Positions that a layer keeps on one axis, such as the tokens of a transformer or the time steps of an LSTM, and those on more
    axes than an image has, such as rows and columns of windows and within them, are averaged to at most as many as a map has:
    size * size.

    Args:
        layer: name, for errors.
        module: that made the output.
        output: as `rfcheck.verify.observing.Observer` hands it over.
        images: in the batch.
        size: positions per image axis that are kept.

    Returns:
        float32 (images, features), the channels outermost.

    Raises:
        VerifyError: if the output cannot be told apart by image.

    Source: Richter 2022, section 8.3.3.
    """
    features = channels_first(layer, module, output, images).float()
    if features.dim() - 2 > max(AVERAGES):
        features = features.flatten(2)
    extents = features.shape[2:]
    if not extents:
        return features
    most = [size * size] if _is_sequence(module, extents) else [size] * len(extents)
    wanted = [min(kept, extent) for kept, extent in zip(most, extents, strict=True)]
    if wanted != list(extents):
        features = AVERAGES[len(extents)](features, wanted)
    return features.reshape(images, -1)


def at_positions(features: Tensor) -> Tensor:
    """Features (images, channels, *positions) as float32 (images, positions * channels), the positions outermost."""
    return features.float().flatten(2).transpose(1, 2).flatten(1)


def channels_first(layer: str, module: nn.Module, output: Tensor, images: int) -> Tensor:
    """A layer's output as (images, channels, *positions), whichever way the module orders it.

    A batch that holds several parts of each image, such as the windows of a shifted-window transformer, is taken to have the parts
    of an image next to each other; they become positions of linear layers and channels of convolutions.

    Raises:
        VerifyError: if the output cannot be told apart by image.
    """
    if isinstance(module, nn.modules.conv._ConvNd):
        if output.dim() == len(module.kernel_size) + 2 and output.shape[0] % images == 0:
            return output.reshape(images, -1, *output.shape[2:])
    elif isinstance(module, nn.LSTM):
        if output.dim() == 3 and output.shape[0 if module.batch_first else 1] == images:
            return output.transpose(1, 2) if module.batch_first else output.permute(1, 2, 0)
    elif output.dim() > 2 and output.shape[0] != images and output.shape[1] == images:
        return output.transpose(0, 1).movedim(-1, 1)
    elif output.dim() > 1 and output.shape[0] == images:
        return output.movedim(-1, 1)
    elif output.dim() > 1 and output.shape[0] % images == 0:
        return output.reshape(images, -1, output.shape[-1]).movedim(-1, 1)
    raise VerifyError(
        f"layer {layer!r} puts out {tuple(output.shape)} for {images} images, which cannot be told apart by image; "
        "probes need outputs with the images in the first dimension"
    )


def _is_sequence(module: nn.Module, extents: tuple[int, ...]) -> bool:
    """Whether the positions are tokens or time steps rather than the axis of an image."""
    return len(extents) == 1 and not isinstance(module, nn.modules.conv._ConvNd)
