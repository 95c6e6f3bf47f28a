"""ONNX operators that slide windows over maps: convolutions, pooling, padding."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional as F

from rfcheck.target.onnx.call import NotCoveredError, OnnxCall, Tensor, together
from rfcheck.target.onnx.elementwise import Operator

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAXIMA = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEANS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_GLOBAL = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
_GLOBAL_MAXIMA = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}


def _spans(kernel: list[int], dilations: list[int]) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]


def _pads(call: OnnxCall, sizes: torch.Size, kernel: list[int], strides: list[int], dilations: list[int]) -> tuple[list[int], ...]:
    """Positions added before the first and after the last, per axis."""
    axes = len(kernel)
    automatic = call.attribute("auto_pad", "NOTSET")
    if automatic == "NOTSET":
        pads = call.ints("pads") or [0] * 2 * axes
        return pads[:axes], pads[axes:]
    if automatic == "VALID":
        return [0] * axes, [0] * axes
    totals = [
        max((math.ceil(size / stride) - 1) * stride + span - size, 0)
        for size, stride, span in zip(sizes, strides, _spans(kernel, dilations), strict=True)
    ]
    return _halves(totals, more_before=automatic == "SAME_LOWER")


def _halves(totals: list[int], *, more_before: bool) -> tuple[list[int], list[int]]:
    less = [total // 2 for total in totals]
    more = [total - total // 2 for total in totals]
    return (more, less) if more_before else (less, more)


def _less(amounts: list[int], shared: list[int]) -> list[int]:
    return [amount - part for amount, part in zip(amounts, shared, strict=True)]


def _padded(x: Tensor, before: list[int], after: list[int], value: float = 0.0) -> Tensor:
    """A map with positions added around it, the last axis first as torch has it."""
    amounts = [n for pair in zip(reversed(before), reversed(after), strict=True) for n in pair]
    return F.pad(x, amounts, value=value) if any(amounts) else x


def _convolution(call: OnnxCall) -> Tensor:
    weight_at, bias_at = {"QLinearConv": (3, 8), "ConvInteger": (1, 9)}.get(call.operator, (1, 2))
    x, weight = together([call.tensor(0), call.tensor(weight_at)])
    weight = weight.to(x.dtype)
    bias = call.optional(bias_at)
    kernel = list(weight.shape[2:])
    axes = len(kernel)
    strides, dilations = call.ints("strides") or [1] * axes, call.ints("dilations") or [1] * axes
    before, after = _pads(call, x.shape[2:], kernel, strides, dilations)
    if before != after:  # as torch has it for padding="same": what both sides share belongs to the convolution
        shared = [max(min(pair), 0) for pair in zip(before, after, strict=True)]
        x, before = _padded(x, _less(before, shared), _less(after, shared)), shared
    if bias is not None:
        bias = together([x, bias])[1].to(x.dtype)
    made: Tensor = _of_axes(_CONVOLUTIONS, axes)(x, weight, bias, strides, before, dilations, call.attribute("group", 1))
    return made


def _of_axes(functions: dict[int, Any], axes: int) -> Any:
    if axes not in functions:
        raise NotCoveredError
    return functions[axes]


def _transposed(call: OnnxCall) -> Tensor:
    x, weight, *bias = call.tensors()
    kernel = list(weight.shape[2:])
    axes = len(kernel)
    strides, dilations = call.ints("strides") or [1] * axes, call.ints("dilations") or [1] * axes
    extra = call.ints("output_padding") or [0] * axes
    before, after = _pads_of_transposed(call, x.shape[2:], kernel, strides, dilations, extra)
    function = _of_axes(_TRANSPOSED, axes)
    groups = call.attribute("group", 1)
    bias_or_none = bias[0] if bias else None
    if before == after and min(before) >= 0:
        result: Tensor = function(x, weight, bias_or_none, strides, before, extra, groups, dilations)
        return result
    whole: Tensor = function(x, weight, bias_or_none, strides, 0, extra, groups, dilations)
    return _padded(whole, [-n for n in before], [-n for n in after])


def _pads_of_transposed(
    call: OnnxCall, sizes: torch.Size, kernel: list[int], strides: list[int], dilations: list[int], extra: list[int]
) -> tuple[list[int], ...]:
    """Positions cut off before the first and after the last, per axis."""
    axes = len(kernel)
    automatic = call.attribute("auto_pad", "NOTSET")
    wanted = call.ints("output_shape")
    if wanted is None and not automatic.startswith("SAME"):
        return _pads(call, sizes, kernel, strides, dilations)
    wanted = [size * stride for size, stride in zip(sizes, strides, strict=True)] if wanted is None else wanted[-axes:]
    spans = _spans(kernel, dilations)
    totals = [strides[a] * (sizes[a] - 1) + extra[a] + spans[a] - wanted[a] for a in range(axes)]
    return _halves(totals, more_before=automatic != "SAME_UPPER")


def _pool(call: OnnxCall) -> Any:
    x = call.tensor(0)
    kernel = call.ints("kernel_shape") or []
    axes = len(kernel)
    strides, dilations = call.ints("strides") or [1] * axes, call.ints("dilations") or [1] * axes
    before, after = _pads(call, x.shape[2:], kernel, strides, dilations)
    ceil = bool(call.attribute("ceil_mode", 0))
    is_maximum = call.operator == "MaxPool"
    if before != after or any(2 * pad > k for pad, k in zip(before, kernel, strict=True)):
        x, before = _padded(x, before, after, -math.inf if is_maximum else 0.0), [0] * axes
    if is_maximum:
        function = _of_axes(_MAXIMA, axes)
        return function(x, kernel, strides, before, dilations, ceil, return_indices=call.outputs > 1)
    if any(d != 1 for d in dilations):
        raise NotCoveredError
    return _of_axes(_MEANS, axes)(x, kernel, strides, before, ceil, bool(call.attribute("count_include_pad", 0)))


def _global_pool(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    functions = _GLOBAL_MAXIMA if call.operator == "GlobalMaxPool" else _GLOBAL
    pooled: Tensor = _of_axes(functions, x.dim() - 2)(x, 1)
    return pooled


def _pad(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    amounts = call.ints("pads", 1) or []
    axes = call.ints("axes", 3) or list(range(x.dim()))
    before, after = [0] * x.dim(), [0] * x.dim()
    for position, axis in enumerate(axes):
        before[axis], after[axis] = amounts[position], amounts[position + len(axes)]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}[
        call.attribute("mode", "constant")
    ]
    if mode == "constant":
        return _padded(x, before, after)
    padded_axes = max(x.dim() - 2, 1)
    if any(before[:-padded_axes]) or any(after[:-padded_axes]):
        raise NotCoveredError
    amounts = [n for pair in zip(reversed(before[-padded_axes:]), reversed(after[-padded_axes:]), strict=True) for n in pair]
    return F.pad(x, amounts, mode=mode)


WINDOWS: dict[str, Operator] = {
    "Conv": _convolution,
    "ConvInteger": _convolution,
    "QLinearConv": _convolution,
    "ConvTranspose": _transposed,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "LRN": lambda call: F.local_response_norm(call.tensor(0), int(call.attribute("size", 1))),
    "Pad": _pad,
}
"""ONNX operator -> what it computes."""
