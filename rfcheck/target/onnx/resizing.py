"""ONNX operators that resize maps: interpolation, sampling at positions."""

from __future__ import annotations

import math
from typing import Any

from torch.nn import functional as F

from rfcheck.target.budgets import MOST_RESIZED, elements
from rfcheck.target.onnx.call import NotCoveredError, OnnxCall, Tensor
from rfcheck.target.onnx.elementwise import Operator

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""torch's name of linear interpolation, by number of image axes."""


def _resize(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    sizes = resized_shape(call, x)
    elements(sizes)
    if any(size > MOST_RESIZED for size in sizes[2:]):
        raise ValueError(f"resizes to {'x'.join(map(str, sizes[2:]))}; axes of up to {MOST_RESIZED:,} positions are followed")
    if list(x.shape[:2]) != sizes[:2]:
        raise NotCoveredError
    mode = call.attribute("mode", "nearest")
    if mode == "linear" and _positions(call) == "asymmetric" and x.dim() - 2 in _LINEAR and not call.attribute("antialias", 0):
        return _asymmetric(x, sizes[2:])
    arguments = _nearest(call, x, sizes) if mode == "nearest" else _smooth(call, mode, x.dim() - 2)
    return F.interpolate(x, size=sizes[2:], **arguments)


def _asymmetric(x: Tensor, sizes: list[int]) -> Tensor:
    """Interpolation from the first position of each axis on, which torch has with the corners aligned: up to one position more."""
    axes = len(sizes)
    longer = F.pad(x, [0, 1] * axes, mode="replicate")
    resized = F.interpolate(longer, size=[size + 1 for size in sizes], mode=_LINEAR[axes], align_corners=True)
    for axis, size in enumerate(sizes, 2):
        resized = resized.narrow(axis, 0, size)
    return resized


def _positions(call: OnnxCall) -> str:
    default = "half_pixel" if call.operator == "Resize" and call.opset >= 11 else "asymmetric"
    return str(call.attribute("coordinate_transformation_mode", default))


def _smooth(call: OnnxCall, mode: str, axes: int) -> dict[str, Any]:
    """Arguments of torch's interpolation between neighbours; torch has no cubic one with asymmetric positions."""
    names = {**{("linear", number): name for number, name in _LINEAR.items()}, ("cubic", 2): "bicubic"}
    positions = _positions(call)
    if (mode, axes) not in names or positions not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise NotCoveredError
    arguments: dict[str, Any] = {"mode": names[mode, axes], "align_corners": positions == "align_corners"}
    return {**arguments, "antialias": True} if call.attribute("antialias", 0) and axes == 2 else arguments


def _nearest(call: OnnxCall, x: Tensor, sizes: list[int]) -> dict[str, Any]:
    """Arguments of that nearest interpolation of torch which reads the same positions."""
    rounding = call.attribute("nearest_mode", "round_prefer_floor" if call.opset >= 11 else "floor")
    axes = list(zip(x.shape[2:], sizes[2:], strict=True))
    wanted = [[_read(i, old, new, _positions(call), rounding) for i in range(new)] for old, new in axes]
    if wanted == [[i * old // new for i in range(new)] for old, new in axes]:
        return {"mode": "nearest"}
    if wanted == [[(2 * i + 1) * old // (2 * new) for i in range(new)] for old, new in axes]:
        return {"mode": "nearest-exact"}
    raise NotCoveredError


def _read(index: int, old: int, new: int, positions: str, rounding: str) -> int:
    """The position that a position of a resized axis reads."""
    at = index * old / new
    if positions in ("half_pixel", "pytorch_half_pixel"):
        at = (index + 0.5) * old / new - 0.5
    elif positions == "align_corners":
        at = index * (old - 1) / (new - 1) if new > 1 else 0.0
    elif positions != "asymmetric":
        raise NotCoveredError
    down = {"floor": math.floor(at), "ceil": math.ceil(at), "round_prefer_floor": math.ceil(at - 0.5)}
    return min(max(down.get(rounding, math.floor(at + 0.5)), 0), old - 1)


def resized_shape(call: OnnxCall, x: Tensor) -> list[int]:
    """The shape that a map is resized to.

    Raises:
        ValueError: if the operator is given the size, and the image has another size than the one that the file was made for.
    """
    scales_at, sizes_at = (1, None) if call.operator == "Upsample" or call.opset < 11 else (2, 3)
    axes = call.ints("axes") or list(range(x.dim()))
    if sizes_at is not None and call.has(sizes_at):
        if call.is_resized:
            raise ValueError("resizes to a size that may come from the image that the file was made for")
        if call.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
            raise NotCoveredError
        given = call.known(sizes_at).tolist()
    else:
        scales = call.attribute("scales") or call.known(scales_at).tolist()
        if not all(0 <= scale < math.inf for scale in scales):
            raise ValueError(f"resizes by {', '.join(f'{scale:g}' for scale in scales)}; factors are numbers from 0 on")
        given = [math.floor(x.shape[axis] * scale) for axis, scale in zip(axes, scales, strict=True)]
    wanted = list(x.shape)
    for axis, size in zip(axes, given, strict=True):
        wanted[axis] = int(size)
    return wanted


def _grid_sample(call: OnnxCall) -> Tensor:
    x, grid = call.tensors()
    if x.dim() != 4:
        raise NotCoveredError
    return F.grid_sample(x, grid, align_corners=bool(call.attribute("align_corners", 0)))


RESIZING: dict[str, Operator] = {
    "Resize": _resize,
    "Upsample": _resize,
    "GridSample": _grid_sample,
}
"""ONNX operator -> what it computes."""
