"""How windowed operators gather: convolution, pooling, adaptive pooling, interpolation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rfcheck.graph.axes import (
    Blend,
    Digit,
    axes_held,
    axis_size,
    digits_of,
    image_layout,
    plain,
    resized,
    size_of,
)
from rfcheck.graph.calls import Call, Gathered, edge_from
from rfcheck.graph.operators import Adaptive, Convolution, Resample, Window
from rfcheck.graph.reach import IDENTITY, Reach, from_table, shortest, transposed, window
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg


def per_axis(value: Any, axes: int) -> tuple[int, ...]:
    """A number, or numbers, as one number per axis."""
    if isinstance(value, int):
        return (value,) * axes
    values = tuple(value)
    return values * axes if len(values) == 1 else values


@lru_cache(maxsize=4096)
def _conv_reach(kernel: int, stride: int, dilation: int, padding: int, is_transposed: bool) -> Reach:
    return transposed(kernel, stride, dilation, padding) if is_transposed else window(kernel, stride, dilation, padding)


def convolution(_: Convolution, call: Call) -> Gathered:
    """Windows over the last dimensions; all channels of a group are read."""
    record = call.record
    x, weight = record.args[0], record.args[1]
    axes = len(weight.shape) - 2
    kernel = weight.shape[2:]
    stride, padding, dilation = (per_axis(call.arg(name, 1), axes) for name in ("stride", "padding", "dilation"))
    is_transposed = bool(call.arg("transposed", "transpose" in record.func._schema.name))
    groups = call.arg("groups", 1)
    channels = (weight.shape[0], weight.shape[1] * groups) if is_transposed else (weight.shape[1] * groups, weight.shape[0])
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
        "groups": groups,
        "transposed": is_transposed,
        "in_channels": channels[0],
        "out_channels": channels[1],
    }
    reaches = [_conv_reach(*taps, is_transposed) for taps in zip(kernel, stride, dilation, padding, strict=True)]
    gathered = slide(call, x, reaches, "conv", attributes, groups=groups)
    if weight.value is not None and len(call.images) > 1 and all(e.reaches is not None for e in gathered.edges):
        gathered.edges.append(call.edge(weight, Reading(()), gathered.layouts[0]))
        gathered.edges[-1].gate = True  # a kernel made from the image weighs what it reads
    return gathered


def slide(
    call: Call, x: TensorArg, reaches: Sequence[Reach], kind: str, attributes: dict[str, Any], *, groups: int = 1
) -> Gathered:
    """Apply one map per trailing dimension of ``x``; for convolutions, mix the dimension before them, group by group."""
    if x.value is None:
        return call.all_global("other", "takes its weights, not its input, from the image")
    layout, shape = call.layout(x), call.out_shape
    axes = len(reaches)
    if len(layout) == axes + 2 and axes == call.axes and layout == image_layout(x.shape, tuple(range(axes))):
        attributes["axes"] = own_axes = tuple(range(axes))
        named = {axis: reach for axis, reach in zip(own_axes, reaches, strict=True) if reach != IDENTITY}
        return Gathered([image_layout(shape, own_axes)], [edge_from(x, named)], kind, attributes)
    reading = Reading(layout)
    first = len(layout) - axes
    if kind == "conv" and first > 0:
        reading.multiply(first - 1, shape[first - 1], groups)
    _adopt_axes(reading, first, call.axes)
    windowed = [next((digit.axis for digit in digits_of(dim)), None) for dim in reading.dims[first:]]
    if axes == call.axes and set(windowed) == {None} and axes_held(reading.layout):
        windowed = [*range(axes)]  # places within windows that all hold copies of one position
    if any(axis is not None for axis in windowed):
        attributes["axes"] = tuple(windowed)
    for index, reach in enumerate(reaches):
        dim = first + index
        if not reading.is_spatial(dim):
            reading.dims[dim] = resized(reading.dims[dim], shape[dim])
        elif reading.single_digit(dim) is not None or reading.absorb(dim):
            if reach != IDENTITY or shape[dim] != x.shape[dim]:
                reading.resize(dim, reach, shape[dim])
        elif (reach != IDENTITY or shape[dim] != x.shape[dim]) and not slide_over_tokens(reading, dim, reach, shape[dim]):
            unknown = call.unknown("slides a window over positions of several axes in one dimension", kind)
            unknown.attributes = attributes
            return unknown
    gathered = Gathered([reading.layout], [edge_from(x, reading.reaches)], kind, attributes)
    gathered.in_sizes = _own_sizes(x.shape, windowed, first)
    gathered.out_sizes = _own_sizes(shape, windowed, first)
    return gathered


def _adopt_axes(reading: Reading, first: int, axes: int) -> None:
    """Dimensions that a window slides over are those of the image axes that the tensor has lost, one for one."""
    lost = [axis for axis in range(axes) if axis not in axes_held(reading.layout)]
    free = [dim for dim in range(first, len(reading.dims)) if size_of(reading.dims[dim]) > 1 and not digits_of(reading.dims[dim])]
    blended = [dim for dim in free if any(isinstance(factor, Blend) for factor in reading.dims[dim])]
    if len(lost) == len(free) and (blended or len(reading.dims) - first == axes):
        for dim, axis in zip(free, lost, strict=True):
            reading.adopt(dim, axis)


def _own_sizes(shape: Sequence[int], windowed: Sequence[int | None], first: int) -> dict[int, int]:
    """Extents that the windows of a layer run over, per image axis that they slide along."""
    once = [axis for axis in windowed if axis is not None and windowed.count(axis) == 1]
    return {axis: shape[first + windowed.index(axis)] for axis in once}


def pooling(meaning: Window, call: Call) -> Gathered:
    """Windows whose kernel, stride, dilation and padding are arguments, or given."""
    x = call.images[0]
    taps = windows_of(meaning, call)
    kernel, stride, dilation, padding = (tuple(values) for values in zip(*taps, strict=True))
    attributes = {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding, "transposed": False}
    attributes["ceil_mode"] = bool(call.arg("ceil_mode", False))
    return slide(call, x, [_conv_reach(*one, False) for one in taps], meaning.kind, attributes)


def windows_of(meaning: Window, call: Call) -> list[tuple[int, int, int, int]]:
    """Kernel, stride, dilation and padding of a pooling along each of the dimensions that it runs over, the last ones."""
    named = [meaning.kernel, meaning.stride, meaning.dilation, meaning.padding]
    given = [_extent(extent, call) for extent in named]
    lengths = [len(value) for value in given if isinstance(value, (tuple, list)) and len(value) > 1]
    axes = max([*lengths, 0]) or _pooled_axes(call, call.images[0])
    kernel = per_axis(given[0], axes)
    stride, dilation, padding = per_axis(given[1] or kernel, axes), per_axis(given[2] or 1, axes), per_axis(given[3] or 0, axes)
    return list(zip(kernel, stride, dilation, padding, strict=True))


def _extent(extent: Any, call: Call) -> Any:
    return call.arg(extent) if isinstance(extent, str) else extent


def _pooled_axes(call: Call, x: TensorArg) -> int:
    """Number of axes that a pooling runs over: the digit of its name, else all dimensions after the channels."""
    digits = [c for c in call.record.func._schema.name if c in "123"]
    return int(digits[0]) if digits else max(len(x.shape) - 2, 1)


def slide_over_tokens(reading: Reading, dim: int, reach: Reach, size: int) -> bool:
    """A window over a list of positions of several axes, row after row; False where the dimension holds anything else.

    Exact where the windows cut each row evenly; else the rows that a window touches are, and all of them is taken to be read.
    """
    digits = reading.dims[dim]
    own = [digit for digit in digits if isinstance(digit, Digit)]
    if len(own) != len(digits) or len({digit.axis for digit in own}) != len(own) or reach.period != 1 or reach.is_global:
        return False
    low, high, step = int(reach.first[0]), int(reach.last[0]), reach.advance
    inner = own[-1].size
    if step > 1 and inner % step == 0 and low >= 0 and high < step and size == size_of(digits) // step:
        reading.split(dim, size_of(digits) // inner)
        reading.resize(dim + 1, reach, inner // step)
        reading.merge(dim)
        return True
    below = size_of(digits[1:])
    rows = Reach(step and 1, step, (low // below,), (-(-high // below),)) if step == 1 else None
    if any(digit.spacing * digit.size < axis_size(reading.layout, digit.axis) for digit in own):
        return False
    if rows is None or size != size_of(digits):
        first = [max((q * step + low) // below, 0) for q in range(size)]
        last = [min((q * step + high) // below, own[0].size - 1) for q in range(size)]
        reading.scan(dim, Reach(size, own[0].size, tuple(first), tuple(last), finite=True), size)
    else:
        reading.scan(dim, rows, None)
    return True


def adaptive(_: Adaptive, call: Call) -> Gathered:
    """Pooling windows that tile the input evenly; one output value on an axis makes it global."""
    x = call.images[0]
    size = call.arg("output_size")
    axes = _pooled_axes(call, x)
    wanted = per_axis(size, axes)
    reading = Reading(call.layout(x))
    first = len(x.shape) - axes
    for index in range(axes):
        dim = first + index
        if not reading.is_spatial(dim):
            reading.dims[dim] = plain(wanted[index])
        elif wanted[index] == 1:
            reading.drop(dim)
        elif wanted[index] != x.shape[dim]:
            if reading.single_digit(dim) is None:
                return call.unknown("pools positions of several axes in one dimension", "pool")
            reading.resize(dim, adaptive_reach(x.shape[dim], wanted[index]), wanted[index])
    return Gathered([reading.layout], [edge_from(x, reading.reaches)], "pool", {"adaptive": wanted})


@lru_cache(maxsize=1024)
def adaptive_reach(size: int, wanted: int) -> Reach:
    """The map of adaptive pooling along one axis, from ``size`` to ``wanted`` values."""
    common = math.gcd(size, wanted)
    period = wanted // common
    first = [q * size // wanted for q in range(period)]
    last = [-(-(q + 1) * size // wanted) - 1 for q in range(period)]
    return from_table(first, last, size // common)


def resample(meaning: Resample, call: Call) -> Gathered:
    """Interpolation over the dimensions after the channels."""
    x = call.images[0]
    axes = len(x.shape) - 2
    align_corners = bool(call.arg("align_corners", False))
    scales = call.arg("scale_factors") or _scales(call, axes)
    reading = Reading(call.layout(x))
    for index in range(axes):
        dim = 2 + index
        size, wanted = x.shape[dim], call.out_shape[dim]
        if not reading.is_spatial(dim):
            reading.dims[dim] = plain(wanted)
            continue
        if reading.single_digit(dim) is None and not reading.absorb(dim):
            return call.unknown("interpolates positions of several axes in one dimension", "resample")
        reading.resize(dim, _resample_reach(meaning.mode, size, wanted, align_corners, scales[index]), wanted)
    return Gathered([reading.layout], [edge_from(x, reading.reaches)], "resample", weights=x.value in call.weights)


def _scales(call: Call, axes: int) -> list[float | None]:
    """The scale factors per axis that the operator uses instead of the ratio of the sizes; None for the ratio."""
    names = {1: ("scales",), 2: ("scales_h", "scales_w"), 3: ("scales_d", "scales_h", "scales_w")}[axes]
    return [call.arg(name) for name in names]


@lru_cache(maxsize=1024)
def _resample_reach(mode: str, size: int, wanted: int, align_corners: bool, scale: float | None) -> Reach:
    """Interior pattern of an interpolation from ``size`` to ``wanted`` values; what is clamped at the borders reads no further."""
    kind = mode.removesuffix("-antialias")
    corners = align_corners and kind in ("linear", "cubic")
    if corners:
        ratio = Fraction(size - 1, wanted - 1) if wanted > 1 else Fraction(0)
    elif scale:
        ratio = 1 / Fraction(scale).limit_denominator(4096)
    else:
        ratio = Fraction(size, wanted)
    half = Fraction(1, 2)
    first: list[int] = []
    last: list[int] = []
    for q in range(ratio.denominator):
        source = q * ratio if corners and mode == kind else (q + half) * ratio - half
        low, high = _resampled_span(kind, ratio, q, source, mode != kind)
        first.append(low)
        last.append(high)
    return shortest(Reach(ratio.denominator, ratio.numerator, tuple(first), tuple(last)))


def _resampled_span(kind: str, ratio: Fraction, q: int, source: Fraction, antialias: bool) -> tuple[int, int]:
    """First and last input of output ``q``, whose centre lies at ``source`` in input positions."""
    if kind == "nearest":
        return math.floor(q * ratio), math.floor(q * ratio)
    if kind == "nearest-exact":
        nearest = math.floor(source + Fraction(1, 2))
        return nearest, nearest
    if antialias and ratio > 1:
        support = ratio * (1 if kind == "linear" else 2)
        return math.floor(source - support) + 1, math.ceil(source + support) - 1
    below = math.floor(source)
    if source == below:
        return below, below
    return (below, below + 1) if kind == "linear" else (below - 1, below + 2)
