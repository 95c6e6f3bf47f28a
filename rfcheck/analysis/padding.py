"""How much of a kernel ever reads a real pixel, and how much of what it reads is padding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_Window = tuple[int, int, int, int, int, int, tuple[int, int]]


def live_taps(node: Mapping[str, Any]) -> float:
    """Share of a convolution's or pooling's taps that read at least one real position at some output position.

    Zero padding is not real, whether the layer adds it or a padding operator right before it.

    Args:
        node: attributes of a node with kernel, stride, dilation and padding per image axis.

    Returns:
        Between 0 and 1; 1 where every tap is used somewhere. A 3x3 kernel with padding 1 on a 1x1 map has 1/9.
    """
    is_transposed = bool(node["transposed"])
    return math.prod(_live_share(*window, is_transposed) for window in _windows(node))


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
    return 1.0 - math.prod(_real_share(*window) for window in _windows(node))


def _windows(node: Mapping[str, Any]) -> Iterator[_Window]:
    """Per image axis: kernel, stride, dilation, padding, positions before and after, and those that a padding operator added."""
    margins: Mapping[int, tuple[int, int]] = node.get("margins", {})
    for axis in range(len(node["kernel"])):
        k, s, d, p, size, outputs = (node[name][axis] for name in ("kernel", "stride", "dilation", "padding", "in_sizes", "sizes"))
        yield k, s, d, p, size, outputs, margins.get(axis, (0, 0))


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
