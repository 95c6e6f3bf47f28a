"""How operators gather that read where a tensor of places says: grid sampling and deformable convolution.

Where the places are constants, or bounded (an offset behind a tanh), the positions that can be read are known, and with them the
window. Everywhere else they are not, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rfcheck.graph.axes import plain
from rfcheck.graph.calls import Call, Edge, Gathered
from rfcheck.graph.limits import Limits, limits_of
from rfcheck.graph.operators import Sampling
from rfcheck.graph.reach import GLOBAL, Reach, shortest, window
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg
from rfcheck.graph.selecting import meet, whole
from rfcheck.graph.windows import slide

_NEAREST, _CUBIC = 1, 2
_BORDER, _REFLECTION = 1, 2
_ROUNDING = 1e-3
"""Places so close to a position are that position, and single precision missed it."""


def sampling(meaning: Sampling, call: Call) -> Gathered:
    """Dispatch by what gives the places: a grid, or offsets of a kernel's taps."""
    return _by_offsets(call, meaning.reason) if meaning.by_offsets else _by_grid(call, meaning.reason)


def _by_offsets(call: Call, reason: str) -> Gathered:
    x, weight, offset, mask = call.record.args[:4]
    limits = limits_of(call, offset)
    if limits is None or x.value is None or weight.value is not None:
        return call.unknown(reason)
    stride, padding, dilation = ((call.arg(f"{name}_h"), call.arg(f"{name}_w")) for name in ("stride", "pad", "dilation"))
    kernel = weight.shape[2:]
    taps = torch.arange(kernel[0] * kernel[1])
    apart = (offset.shape[0], -1, len(taps), 2, *offset.shape[2:])
    reaches: list[Reach] = []
    for axis, place in enumerate((taps // kernel[1], taps % kernel[1])):
        starts = _along(torch.arange(call.out_shape[2 + axis]) * stride[axis] - padding[axis], axis, 2)
        low, high = (
            side.expand(offset.shape).reshape(apart)[:, :, :, axis] + place.view(-1, 1, 1) * dilation[axis] + starts
            for side in limits
        )
        if bool((limits[0] == 0).all()) and bool((limits[1] == 0).all()):
            reaches.append(window(kernel[axis], stride[axis], dilation[axis], padding[axis]))
        else:
            reaches.append(_reach(_lines(_floor(low), axis, torch.amin), _lines(_ceil(high), axis, torch.amax)))
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
        "groups": call.arg("groups"),
        "transposed": False,
        "in_channels": x.shape[1],
        "out_channels": weight.shape[0],
    }
    gathered = slide(call, x, reaches, "conv", attributes)
    for tensor in (offset, mask):
        if tensor.value is not None:
            edge = call.edge(tensor, Reading(call.layout(tensor)), gathered.layouts[0])
            edge.gate = tensor is mask and tensor.value in call.weights
            gathered.edges.append(edge)
    return gathered


def _along(values: torch.Tensor, axis: int, axes: int) -> torch.Tensor:
    return values.view(-1, *[1] * (axes - 1 - axis))


def _lines(places: torch.Tensor, axis: int, end: object) -> list[int]:
    """The lowest or highest place of each line of outputs across an axis of the last two dimensions."""
    lines = places.movedim(places.dim() - 2 + axis, 0).flatten(1)
    return [int(value) for value in (lines.amin(1) if end is torch.amin else lines.amax(1))]


def _floor(places: torch.Tensor) -> torch.Tensor:
    return (places + _ROUNDING).floor()


def _ceil(places: torch.Tensor) -> torch.Tensor:
    return (places - _ROUNDING).ceil()


def _reach(first: Sequence[int], last: Sequence[int]) -> Reach:
    """A map given output by output, as a pattern that repeats where it does."""
    count = len(first)
    advance = round((first[-1] - first[0]) * count / max(count - 1, 1))
    repeated = shortest(Reach(count, advance, tuple(first), tuple(last)))
    return repeated if repeated.period < count else repeated._replace(finite=True)


def _by_grid(call: Call, reason: str) -> Gathered:
    x, grid = call.record.args[:2]
    if x.value is None:  # a table that is looked up at each position
        places = whole(call, grid, [len(grid.shape) - 1])
        places.dims = [places.dims[0], (), *places.dims[1:-1]]
        return meet(call, [(grid, places)], "resample")
    limits = limits_of(call, grid)
    sides = None if limits is None else _read(call, x, grid, limits)
    if sides is None:
        return call.unknown(reason)
    axes = len(x.shape) - 2
    reading = Reading(call.layout(x))
    dims = list(reading.dims)
    for axis, (first, last) in enumerate(sides):
        line = _only_line(first, last, axis)
        if line is None or (reading.single_digit(2 + axis) is None and reading.is_spatial(2 + axis)):
            return call.unknown(reason)
        lowest, highest = (side.movedim(line, 0).flatten(1)[:, 0].tolist() for side in (first, last))
        size = x.shape[2 + axis]
        reach = GLOBAL if max(lowest) <= 0 and min(highest) >= size - 1 else _reach(list(map(int, lowest)), list(map(int, highest)))
        if reading.is_spatial(2 + axis):
            reading.resize(2 + axis, reach, len(lowest))
        else:
            reading.dims[2 + axis] = plain(len(lowest))
        dims[2 + line] = reading.dims[2 + axis]
    if len({_only_line(first, last, axis) for axis, (first, last) in enumerate(sides)}) < axes:
        return call.unknown(reason)
    reading.dims = dims
    edges = [call.edge(x, reading, reading.layout), *_grid_edge(call, grid, reading)]
    return Gathered([reading.layout], edges, "resample")


def _grid_edge(call: Call, grid: TensorArg, result: Reading) -> list[Edge]:
    if grid.value is None:
        return []
    places = whole(call, grid, [len(grid.shape) - 1])
    places.dims = [places.dims[0], (), *places.dims[1:-1]]
    return [call.edge(grid, places, result.layout)]


def _read(call: Call, x: TensorArg, grid: TensorArg, limits: Limits) -> list[tuple[torch.Tensor, torch.Tensor]] | None:
    """Per image axis the first and last position that each output reads, over all images of the batch."""
    mode, beyond, corners = call.arg("interpolation_mode"), call.arg("padding_mode"), call.arg("align_corners")
    axes = len(x.shape) - 2
    found: list[tuple[torch.Tensor, torch.Tensor]] = []
    for axis in range(axes):
        size = x.shape[2 + axis]
        ends = [side.expand(grid.shape)[..., axes - 1 - axis] for side in limits]
        low, high = ((end + 1) / 2 * (size - 1) if corners else ((end + 1) * size - 1) / 2 for end in ends)
        if beyond == _BORDER:
            low, high = low.clamp(0, size - 1), high.clamp(0, size - 1)
        elif beyond == _REFLECTION and (bool((low < -_ROUNDING).any()) or bool((high > size - 1 + _ROUNDING).any())):
            return None
        if mode == _NEAREST:
            first, last = low.round(), high.round()
        else:
            first, last = _floor(low), _ceil(high)
            if mode == _CUBIC:
                between = last > first
                first, last = first - between.to(first), last + between.to(last)
        found.append((first.amin(0), last.amax(0)))
    return found


def _only_line(first: torch.Tensor, last: torch.Tensor, axis: int) -> int | None:
    """The dimension of the output along which alone the positions read change, its own where none does; None for several."""
    changing = [
        dim
        for dim in range(first.dim())
        if bool((first != first.narrow(dim, 0, 1)).any()) or bool((last != last.narrow(dim, 0, 1)).any())
    ]
    if len(changing) > 1:
        return None
    return changing[0] if changing else axis
