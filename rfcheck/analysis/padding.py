"""How much of a kernel ever reads a real pixel, and how much of what it reads is padding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def live_taps(node: Mapping[str, Any]) -> float:
    """Share of a convolution's or pooling's taps that read at least one real position at some output position.

    Zero padding is not real, whether the layer adds it or a padding operator right before it.

    Args:
        node: attributes of a node with kernel, stride, dilation and padding per image axis.

    Returns:
        Between 0 and 1; 1 where every tap is used somewhere. A 3x3 kernel with padding 1 on a 1x1 map has 1/9.
    """
    margins: Mapping[int, tuple[int, int]] = node.get("margins", {})
    axes = range(len(node["kernel"]))
    shares = (
        _live_share(
            node["kernel"][a],
            node["stride"][a],
            node["dilation"][a],
            node["padding"][a],
            node["in_sizes"][a],
            node["sizes"][a],
            margins.get(a, (0, 0)),
            bool(node["transposed"]),
        )
        for a in axes
    )
    return math.prod(shares)


def padding_share(node: Mapping[str, Any]) -> float:
    """Share of a convolution's or pooling's reads that fall on zero padding.

    A read is a pair of an output position and a tap. Whether it hits a real position is decided on each axis by the coordinates on
    that axis alone, so the real pairs are the product set of the real pairs per axis, and their share is the product of
    the shares per axis.

    Args:
        node: attributes of a node with kernel, stride, dilation and padding per image axis.

    Returns:
        Between 0 and 1; 8/9 for a 3x3 kernel with padding 1 on a 1x1 map. 0 for transposed convolutions, whose padding crops the
        result and is never read.
    """
    if node["transposed"]:
        return 0.0
    margins: Mapping[int, tuple[int, int]] = node.get("margins", {})
    shares = (
        _real_share(
            node["kernel"][a],
            node["stride"][a],
            node["dilation"][a],
            node["padding"][a],
            node["in_sizes"][a],
            node["sizes"][a],
            margins.get(a, (0, 0)),
        )
        for a in range(len(node["kernel"]))
    )
    return 1.0 - math.prod(shares)


@lru_cache(maxsize=4096)
def _live_share(
    kernel: int, stride: int, dilation: int, padding: int, size: int, outputs: int, margin: tuple[int, int], is_transposed: bool
) -> float:
    first, end = margin[0], size - margin[1]
    live = 0
    for tap in range(kernel):
        offset = tap * dilation - padding
        if is_transposed:
            used = any(0 <= i * stride + offset < outputs for i in range(first, end))
        else:
            used = _real_outputs(offset, stride, outputs, first, end) > 0
        live += used
    return live / kernel


@lru_cache(maxsize=4096)
def _real_share(kernel: int, stride: int, dilation: int, padding: int, size: int, outputs: int, margin: tuple[int, int]) -> float:
    """Share of the pairs of output position and tap along one axis that read a real position."""
    first, end = margin[0], size - margin[1]
    real = sum(_real_outputs(tap * dilation - padding, stride, outputs, first, end) for tap in range(kernel))
    return real / (kernel * outputs)


def _real_outputs(offset: int, stride: int, outputs: int, first: int, end: int) -> int:
    """Number of output positions q with first <= q * stride + offset < end."""
    lowest = max(-((offset - first) // stride), 0)
    beyond = min(-((offset - end) // stride), outputs)
    return max(beyond - lowest, 0)
