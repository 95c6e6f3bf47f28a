"""How writes through views gather: slices filled one after another, in-place operators on a part of a tensor."""

from __future__ import annotations

import math

import torch

from rfcheck.graph.axes import (
    Digit,
    Layout,
    axes_held,
    axis_size,
    broadcast,
    digits_of,
    plain,
    regroup,
    with_extras,
)
from rfcheck.graph.calls import Call, Edge, Gathered, edge_from, mismatch
from rfcheck.graph.indexing import without_positions
from rfcheck.graph.mixing import placed
from rfcheck.graph.reach import IDENTITY, Reach, compose, window
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg, ViewStep
from rfcheck.graph.slicing import clamped

_KIND = "rearrange"


def scatter(call: Call, *, wraps: bool) -> Gathered:
    """A write through views into a tensor: the positions written read the new content, all others what was there.

    Args:
        call: of the marker `SCATTER`.
        wraps: whether the new content is a part of the tensor itself. That is circular padding: like all padding, its positions
            are taken to continue the map beyond its border.
    """
    return _written(call, *call.record.args, wraps=wraps)


def part_written(call: Call) -> Gathered:
    """A copy of a tensor with new content in a slice, or at one place of a dimension."""
    base, source = call.record.args[:2]
    dim = call.arg("dim", 0)
    if call.record.func._opname == "select_scatter":
        view = ViewStep(torch.ops.aten.select.int, (None, dim, call.arg("index")), {}, 0, source.shape)
    else:
        view = ViewStep(torch.ops.aten.slice.Tensor, (None, dim, call.arg("start"), None, call.arg("step")), {}, 0, source.shape)
    return _written(call, base, source, (view,), wraps=False)


def _written(call: Call, base: TensorArg, source: TensorArg, path: tuple[ViewStep, ...], *, wraps: bool) -> Gathered:
    layout = call.layout(base) if base.value is not None else None
    edges: list[Edge] = []
    if source.value is None:
        return Gathered([call.layout(base)], [edge_from(base, {})], "join")
    target = _written_layout(base, call.layout(source), path, call.axes)
    if target is None:
        return call.unknown("writes to positions that cannot be followed", _KIND)
    result, reaches = target
    placed_source = Reading(result)
    placed_source.reaches = reaches
    if layout is not None:
        result = broadcast((layout, result), call.out_shape)
        edges.append(call.edge(base, Reading(layout), result))
    if not wraps:
        edges.append(call.edge(source, placed_source, result))
    return Gathered([result], edges, "join", {"wraps": {}} if wraps else {}, note=mismatch(edges))


def _written_layout(
    base: TensorArg, written: Layout, path: tuple[ViewStep, ...], axes: int
) -> tuple[Layout, dict[int, Reach]] | None:
    """The layout that the base takes on when the last view of the path holds ``written``, and what its positions read of it."""
    reaches: dict[int, Reach] = {}
    shapes = [base.shape, *(step.shape for step in path)]
    layout = written
    for step, outer in zip(reversed(path), reversed(shapes[:-1]), strict=True):
        if step.func._opname == "select":
            undone: Layout | None = _undo_select(step, layout, outer, reaches, axes)
        else:
            undone = _undo_view(step, layout, outer, reaches, alone=base.value is None)
        if undone is None:
            return None
        layout = undone
    return layout, reaches


def _undo_view(step: ViewStep, layout: Layout, outer: tuple[int, ...], reaches: dict[int, Reach], *, alone: bool) -> Layout | None:
    name, args = step.func._opname.removesuffix("_"), step.args
    if name in ("view", "squeeze", "unsqueeze", "alias", "detach"):
        return regroup(layout, outer)
    if name in ("permute", "transpose", "t"):
        count = len(outer)
        order = list(range(count))
        if name == "permute":
            order = [d % count for d in args[1]]
        else:
            a, b = args[1:3] if name == "transpose" else (-2, -1)
            order[a], order[b] = order[b], order[a]
        return tuple(layout[order.index(i)] for i in range(count))
    if name == "diagonal":
        return _undo_diagonal(step, layout, outer)
    if name in ("slice", "split", "narrow"):
        return _undo_slice(step, layout, outer, reaches, alone=alone)
    return None


def _undo_select(step: ViewStep, layout: Layout, outer: tuple[int, ...], reaches: dict[int, Reach], axes: int) -> Layout:
    """One place of a dimension: of the image axis that is held there, if what is written is a map without it."""
    dim, index = step.args[1] % len(outer), step.args[2]
    axis = dim - 2
    if len(outer) != axes + 2 or axis < 0 or axis in axes_held(layout):
        return (*layout[:dim], plain(outer[dim]), *layout[dim:])
    reach = placed(clamped(index, outer[dim]), 1, 1, outer[dim])
    reaches[axis] = compose(reach, reaches.get(axis, IDENTITY))
    return (*layout[:dim], (Digit(axis, outer[dim], 1),), *layout[dim:])


def _undo_diagonal(step: ViewStep, layout: Layout, outer: tuple[int, ...]) -> Layout | None:
    """The diagonal of two dimensions without positions."""
    given = dict(zip(("offset", "dim1", "dim2"), step.args[1:], strict=False)) | step.kwargs
    one, two = given.get("dim1", 0) % len(outer), given.get("dim2", 1) % len(outer)
    if not without_positions(layout[-1]):
        return None
    rest = iter(layout[:-1])
    return tuple(plain(n) if dim in (one, two) else next(rest) for dim, n in enumerate(outer))


def _undo_slice(step: ViewStep, layout: Layout, outer: tuple[int, ...], reaches: dict[int, Reach], *, alone: bool) -> Layout | None:
    dim, start, stride = _slice_of(step)
    dim %= len(outer)
    size, total = step.shape[dim], outer[dim]
    start = clamped(start, total)
    if size == total:
        return layout
    if not digits_of(layout[dim]):
        return (*layout[:dim], plain(total), *layout[dim + 1 :])
    reading = Reading(layout)
    tokens = with_extras(layout[dim], start, total - start - size)
    if tokens is not None and stride == 1:
        return (*layout[:dim], tokens, *layout[dim + 1 :])
    digit = reading.single_digit(dim)
    if digit is None or digit.spacing != 1 or digit.size != axis_size(layout, digit.axis):
        return None
    if stride == 1 and alone:
        reach = window(1, padding=start)
    elif start < stride and start + size * stride >= total:
        written = [q == start for q in range(stride)]
        reach = Reach(stride, 1, tuple(0 if w else math.inf for w in written), tuple(0 if w else -math.inf for w in written))
    else:
        reach = placed(start, stride, size, total)
    reaches[digit.axis] = compose(reach, reaches.get(digit.axis, IDENTITY))
    return (*layout[:dim], (Digit(digit.axis, total, 1),), *layout[dim + 1 :])


def _slice_of(step: ViewStep) -> tuple[int, int, int]:
    """Dimension, first value and step of a slicing view."""
    args = step.args
    if step.func._opname == "split":
        dim = args[2] if len(args) > 2 else step.kwargs.get("dim", 0)
        return dim, step.slot * args[1], 1
    dim = args[1] if len(args) > 1 else 0
    start = (args[2] if len(args) > 2 else 0) or 0
    return dim, start, args[4] if len(args) > 4 and step.func._opname == "slice" else 1
