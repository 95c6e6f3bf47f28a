"""ONNX operators that move values or make tensors: shapes, slices, transpositions, constants."""

from __future__ import annotations

import math
from typing import Any

import torch

from rfcheck.target.onnx.call import NotCoveredError, OnnxCall, Tensor, together
from rfcheck.target.onnx.elementwise import Operator
from rfcheck.target.onnx.values import DTYPES, LARGEST, filled, scalar_or_list, values


def constant(call: OnnxCall) -> Tensor:
    """The tensor that an operator of the file holds in its attributes."""
    for name in ("value", "value_int", "value_ints", "value_float", "value_floats"):
        if name in call.attributes:
            given = call.attributes[name]
            held = values(given) if name == "value" else scalar_or_list(given)
            if held is not None:
                return held
    raise NotCoveredError


def _constant_of_shape(call: OnnxCall) -> Tensor:
    value = call.attribute("value")
    held = torch.zeros(1) if value is None else values(value)
    if held is None:
        raise NotCoveredError
    return filled(call.known(0).tolist(), held.flatten()[0])


def _shape(call: OnnxCall) -> Tensor:
    sizes = list(call.tensor(0).shape)
    return torch.tensor(sizes[call.attribute("start", 0) : call.attribute("end", len(sizes))], dtype=torch.int64)


def _range(call: OnnxCall) -> Tensor:
    start, end, step = (call.known(index).item() for index in range(3))
    large = abs(end - start) > LARGEST * abs(step)
    return torch.arange(start, end, step, dtype=call.tensor(0).dtype, device="meta" if large else "cpu")


def _reshape(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    wanted = call.ints("shape", 1) or []
    if not call.attribute("allowzero", 0):
        wanted = [x.shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    between = _between(list(x.shape), wanted)
    return x.reshape(wanted) if between is None else x.reshape(between).reshape(wanted)


def _between(old: list[int], wanted: list[int]) -> list[int] | None:
    """The shape between two reshapes that a file has as one: windows put together, then cut into those of another size.

    Returns:
        the old shape with dimensions joined where others begin in the middle of them; None where there are none.
    """
    given = math.prod(size for size in wanted if size != -1)
    new = [math.prod(old) // given if size == -1 and given else size for size in wanted]
    if 0 in old or math.prod(new) != math.prod(old):
        return None
    joined: list[int] = []
    at = begin = 0
    is_needed = False
    while at < len(old) and begin < len(new):
        left, right, first, end = old[at], new[begin], at, begin + 1
        at += 1
        while left != right:
            if left < right:
                left, at = left * old[at], at + 1
            else:
                right, end = right * new[end], end + 1
        both_split = min(sum(size > 1 for size in part) for part in (old[first:at], new[begin:end])) > 1
        joined += [left] if both_split else new[begin:end]
        is_needed, begin = is_needed or both_split, end
    return [*joined, *new[begin:]] if is_needed else None


def _flatten(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    axis = int(call.attribute("axis", 1))
    axis = axis + x.dim() if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _transpose(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    return x.permute(call.ints("perm") or list(reversed(range(x.dim()))))


def _squeeze(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    axes = call.ints("axes", 1)
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


def _unsqueeze(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    axes = call.ints("axes", 1) or []
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _expand(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    wanted = tuple(call.ints("shape", 1) or ())
    return x.expand(torch.broadcast_shapes(x.shape, wanted))  # type: ignore[no-untyped-call]


def _concat(call: OnnxCall) -> Tensor:
    tensors = call.tensors()
    return torch.cat(tensors, call.axis(0, tensors[0].dim()))


def _split(call: OnnxCall) -> Any:
    x = call.tensor(0)
    axis = call.axis(0, x.dim())
    sizes = call.ints("split", 1)
    return torch.split(x, sizes or math.ceil(x.shape[axis] / call.outputs), axis)


def _slice(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    starts, ends = call.ints("starts", 1) or [], call.ints("ends", 2) or []
    axes = call.ints("axes", 3) or list(range(len(starts)))
    steps = call.ints("steps", 4) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        x = _sliced(x, axis % x.dim(), start, end, step)
    return x


def _sliced(x: Tensor, axis: int, start: int, end: int, step: int) -> Tensor:
    kept = range(x.shape[axis])[slice(start, end if end >= -x.shape[axis] or step > 0 else None, step)]
    if step < 0:
        x = x.flip(axis)
        kept = range(x.shape[axis] - 1 - kept.start, x.shape[axis] - 1 - kept.stop, -kept.step)
    whole = kept == range(x.shape[axis])
    return x if whole else torch.ops.aten.slice.Tensor(x, axis, kept.start, kept.stop, kept.step)  # one operator, whatever the axis


def _gather(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    axis = call.axis(0, x.dim())
    index = call.data[1] if call.data[1] is not None else call.tensor(1)
    if index.dim() == 0 and not index.is_meta:
        return x.select(axis, int(index))
    x, index = together([x, torch.where(index < 0, index + x.shape[axis], index)])
    chosen = x.index_select(axis, index.flatten().long())
    return chosen.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def _gather_elements(call: OnnxCall) -> Tensor:
    x, index = call.tensors()
    axis = call.axis(0, x.dim())
    return torch.gather(x, axis, torch.where(index < 0, index + x.shape[axis], index).long())


def _tile(call: OnnxCall) -> Tensor:
    return call.tensor(0).repeat(call.ints("repeats", 1) or [])


def _depth_to_space(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    size = int(call.attribute("blocksize"))
    if call.attribute("mode", "DCR") == "CRD":
        return torch.pixel_shuffle(x, size)
    images, channels, height, width = x.shape
    less = channels // size**2
    blocks = x.reshape(images, size, size, less, height, width).permute(0, 3, 4, 1, 5, 2)
    return blocks.reshape(images, less, height * size, width * size)


def _space_to_depth(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    size = int(call.attribute("blocksize"))
    images, channels, height, width = x.shape
    blocks = x.reshape(images, channels, height // size, size, width // size, size).permute(0, 3, 5, 1, 2, 4)
    return blocks.reshape(images, channels * size**2, height // size, width // size)


def _roll(call: OnnxCall) -> Tensor:
    """A cyclic shift, in the direction that is nearer."""
    x = call.tensor(0)
    axis = call.axis(0, x.dim())
    shift = int(call.attribute("shift")) % x.shape[axis]
    return torch.roll(x, shift if 2 * shift <= x.shape[axis] else shift - x.shape[axis], axis)


def _triangle(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    function = torch.triu if call.attribute("upper", 1) else torch.tril
    return function(x, int(call.number("k", 1, 0) or 0))


def _one_hot(call: OnnxCall) -> Tensor:
    depth = int(call.known(1).flatten()[0])
    axis = int(call.attribute("axis", -1))
    index, (off, on) = call.tensor(0).unsqueeze(axis), call.known(2)
    places = torch.arange(depth, device=index.device).reshape([-1] + [1] * ((-axis - 1) % index.dim()))
    return torch.where(index % depth == places, on.item(), off.item()).to(on.dtype)


def _cumulative(call: OnnxCall) -> Tensor:
    return torch.cumsum(call.tensor(0), int(call.known(1)))


def _random(call: OnnxCall) -> Tensor:
    dtype = DTYPES.get(call.attribute("dtype", 1), torch.float32)
    shape = call.tensor(0).shape if call.operator.endswith("Like") else call.ints("shape") or []
    return torch.empty(shape, dtype=dtype, device="meta")


def _non_zero(call: OnnxCall) -> Tensor:
    return torch.nonzero(call.known(0)).t()


ARRANGEMENTS: dict[str, Operator] = {
    "Constant": constant,
    "ConstantOfShape": _constant_of_shape,
    "Shape": _shape,
    "Size": lambda call: torch.tensor(call.tensor(0).numel()),
    "Range": _range,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Expand": _expand,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "Tile": _tile,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "Roll": _roll,
    "Trilu": _triangle,
    "OneHot": _one_hot,
    "CumSum": _cumulative,
    "NonZero": _non_zero,
    "RandomNormal": _random,
    "RandomNormalLike": _random,
    "RandomUniform": _random,
    "RandomUniformLike": _random,
    "EyeLike": lambda call: torch.zeros_like(call.tensor(0)),
}
"""ONNX operator -> what it computes."""
