"""How patches as columns gather (im2col), and columns laid over one another to a map again (col2im).

A window is a position of its own, and so is each place in it: what is done inside the windows stays inside them, and what mixes
them reads them whole.
"""

from __future__ import annotations

import math
from functools import lru_cache

from rfcheck.graph.axes import (
    Digit,
    digits_of,
    plain,
    regroup,
)
from rfcheck.graph.calls import Call, Gathered, edge_from
from rfcheck.graph.reach import Position, Reach, shortest, transposed
from rfcheck.graph.reading import Reading
from rfcheck.graph.windows import per_axis


def unfolded(call: Call) -> Gathered:
    """Patches as columns: (N, C * kernel, L) with the windows in the last dimension, and their values beside the channels."""
    kernel, stride, dilation, padding = (per_axis(call.arg(name), 2) for name in ("kernel_size", "stride", "dilation", "padding"))
    x = call.images[0]
    layout = call.layout(x)
    reading = Reading(layout)
    first = len(layout) - 2
    counts = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, d, p in zip(x.shape[first:], kernel, stride, dilation, padding, strict=True)
    ]
    for index in (1, 0):  # (..., C, H, W) to (..., C, rows of windows, rows in a window, columns of windows, columns in one)
        if not reading.frames(first + index, kernel[index], stride[index], dilation[index], padding[index], counts[index]):
            return call.unknown("unfolds positions that are not a plain feature map", "unfold")
    channels, rows, y, columns, x_ = reading.dims[first - 1 :]
    reading.dims[first - 1 :] = [channels, y, x_, rows, columns]
    for dim in (first + 2, first - 1, first - 1):
        reading.merge(dim)
    attributes = {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding, "transposed": False}
    return Gathered([reading.layout], [edge_from(x, reading.reaches)], "unfold", attributes)


def folded(call: Call) -> Gathered:
    """Columns back to a map (col2im): the transpose of unfolding."""
    x = call.images[0]
    axes = 2
    kernel, stride, dilation, padding = (per_axis(call.arg(n), axes) for n in ("kernel_size", "stride", "dilation", "padding"))
    size = per_axis(call.arg("output_size"), axes)
    taken = list(zip(size, kernel, stride, dilation, padding, strict=True))
    counts = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, d, p in taken]
    layout = call.layout(x)
    split = regroup(layout, (*x.shape[:-2], x.shape[-2] // math.prod(kernel), *kernel, *counts))
    if split is None:
        return call.unknown("folds columns that are not the positions of a feature map", "fold")
    first = len(layout) - 1
    reading = Reading((*split[:first], *(split[first + i] for i in (2, 0, 3, 1))))  # columns of windows, columns in one, rows ...
    reading.dims[first:] = [split[first + i] for i in (2, 0, 3, 1)]
    for index, (n, k, s, d, p) in enumerate(taken):
        dim = first + index
        within = reading.single_digit(dim + 1)
        whole = reading.single_digit(dim)
        if within is not None and whole is not None and whole == Digit(within.axis, whole.size, k) and within.spacing == 1:
            reading.merge(dim)
            reading.resize(dim, _overlapping(k, s, d, p), n)
            continue
        if digits_of(reading.dims[dim + 1]) or (digits_of(reading.dims[dim]) and whole is None):
            return call.unknown("folds columns that are not the positions of a feature map", "fold")
        del reading.dims[dim + 1]
        if whole is None:
            reading.dims[dim] = plain(n)
        else:
            reading.resize(dim, transposed(k, s, d, p), n)
    attributes = {"kernel": kernel, "stride": stride}
    return Gathered([reading.layout], [edge_from(x, reading.reaches)], "fold", attributes)


@lru_cache(maxsize=1024)
def _overlapping(kernel: int, stride: int, dilation: int, padding: int) -> Reach:
    """Windows laid over one another: value t of window i, at ``i * kernel + t``, lands on ``i * stride + t * dilation``."""
    first: list[Position] = []
    last: list[Position] = []
    for phase in range(stride):
        place = phase + padding
        read = [
            (place - tap * dilation) // stride * kernel + tap for tap in range(kernel) if (place - tap * dilation) % stride == 0
        ]
        first.append(min(read, default=math.inf))
        last.append(max(read, default=-math.inf))
    common = math.gcd(stride, dilation)
    apart = abs(dilation // common * kernel - stride // common)
    return shortest(Reach(stride, kernel, tuple(first), tuple(last), apart or 1))
