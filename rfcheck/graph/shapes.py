"""Output shapes of the most frequent operators, without running torch's kernels for them.

On the meta device torch derives shapes with Python code that imports its compiler on first use (about a second) and then costs
up to half a millisecond a call. The rules here cover the plain cases of the operators that convolutional networks are
made of, and return NotImplemented for anything else: broadcast dtypes, unusual strides, wrong shapes. Torch's own kernel then
answers, or raises its own error. A rule must return what that kernel would: shape, dtype and strides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

_aten = torch.ops.aten
Tensor = torch.Tensor


def _empty(shape: Sequence[int], like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device="meta")


def _is_dense(x: Tensor) -> bool:
    """Whether the strides are a permutation of contiguous ones, so that an elementwise result keeps them."""
    expected = 1
    for stride, size in sorted((stride, size) for stride, size in zip(x.stride(), x.shape, strict=True) if size != 1):
        if stride != expected:
            return False
        expected *= size
    return True


def _same(x: Tensor, *_: Any, **kwargs: Any) -> Any:
    """Elementwise on one tensor."""
    if "dtype" in kwargs or not x.dtype.is_floating_point:
        return NotImplemented
    if x.is_contiguous():
        return _empty(x.shape, x)
    if 1 not in x.shape and _is_dense(x):
        return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")
    return NotImplemented


def _in_place(x: Tensor, *others: Any, **_: Any) -> Any:
    """Elementwise, written over the first tensor."""
    for other in others:
        if isinstance(other, Tensor) and (other.dtype != x.dtype or other.device != x.device or not _fits(other.shape, x.shape)):
            return NotImplemented
    return x if x.dtype.is_floating_point else NotImplemented


def _fits(shape: torch.Size, into: torch.Size) -> bool:
    """Whether a shape broadcasts to another without changing it."""
    if len(shape) > len(into):
        return False
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(into), strict=False))


def _binary(x: Tensor, y: Any, **kwargs: Any) -> Any:
    """Elementwise on two tensors, or a tensor and a number."""
    if not isinstance(y, Tensor):
        return NotImplemented if isinstance(y, complex) else _same(x)
    if x.dtype != y.dtype or not x.dtype.is_floating_point or x.device != y.device or kwargs.get("rounding_mode"):
        return NotImplemented
    if x.shape == y.shape and x.stride() == y.stride():
        return _same(x)
    if not (x.is_contiguous() and y.is_contiguous()):
        return NotImplemented
    if _fits(y.shape, x.shape):
        return _empty(x.shape, x)
    if _fits(x.shape, y.shape):
        return _empty(y.shape, x)
    return NotImplemented


def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    is_transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Any:
    axes = weight.dim() - 2
    if axes < 1 or groups < 1 or x.dim() != axes + 2 or x.device != weight.device or x.dtype != weight.dtype or 0 in x.shape:
        return NotImplemented
    filters = weight.shape[1] * groups if is_transposed else weight.shape[0]
    read = weight.shape[0] if is_transposed else weight.shape[1] * groups
    if x.shape[1] != read or filters % groups or read % groups or not x.dtype.is_floating_point:
        return NotImplemented
    if bias is not None and (bias.dtype != x.dtype or tuple(bias.shape) != (filters,)):
        return NotImplemented
    if not _has_channels_first(x) or not _has_channels_first(weight):
        return NotImplemented
    stride, padding, dilation, extra = (
        v if len(v) == axes else list(v) * axes for v in (stride, padding, dilation, output_padding)
    )
    if min(stride) <= 0 or min(padding) < 0 or min(dilation) <= 0:
        return NotImplemented
    spans = [dilation[a] * (weight.shape[2 + a] - 1) + 1 for a in range(axes)]
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        return NotImplemented
    if is_transposed:
        out = [(x.shape[2 + a] - 1) * stride[a] - 2 * padding[a] + spans[a] + extra[a] for a in range(axes)]
    else:
        padded = [x.shape[2 + a] + 2 * padding[a] for a in range(axes)]
        _require_room(padded, spans)
        out = [(padded[a] - spans[a]) // stride[a] + 1 for a in range(axes)]
    return _empty((x.shape[0], filters, *out), x) if min(out) > 0 else NotImplemented


def _has_channels_first(x: Tensor) -> bool:
    """Whether a result is laid out with channels first, too; versions of torch differ in what becomes of other layouts."""
    return x.stride(1) != 1 or max(x.stride()[2:]) <= 1


def _require_room(padded: Sequence[int], spans: Sequence[int]) -> None:
    """Refuse a map that is smaller than the kernel, as kernels with data do; older versions of torch return an empty map instead.

    Raises:
        RuntimeError: in the words of torch.
    """
    if any(span > extent for span, extent in zip(spans, padded, strict=True)):
        sizes, kernel = (" x ".join(map(str, extents)) for extents in (padded, spans))
        raise RuntimeError(
            f"Calculated padded input size per channel: ({sizes}). Kernel size: ({kernel}). "
            "Kernel size can't be greater than actual input size"
        )


def _batch_norm(
    x: Tensor, weight: Any, bias: Any, mean: Tensor | None, var: Any, training: bool, momentum: float, eps: float
) -> Any:
    if training or mean is None or x.dim() < 2 or not x.is_contiguous() or mean.shape[0] != x.shape[1] or mean.device != x.device:
        return NotImplemented
    if mean.dtype != x.dtype or x.dtype not in (torch.float32, torch.float64):
        return NotImplemented
    return _empty(x.shape, x), _empty((x.shape[1],), x), _empty((x.shape[1],), x)


def _layer_norm(x: Tensor, shape: Sequence[int], weight: Any, bias: Any, eps: float) -> Any:
    normalized = len(shape)
    if list(x.shape[x.dim() - normalized :]) != list(shape) or not x.is_contiguous() or x.dtype != torch.float32:
        return NotImplemented
    if any(w is not None and (w.dtype != x.dtype or list(w.shape) != list(shape)) for w in (weight, bias)):
        return NotImplemented
    kept = [*x.shape[: x.dim() - normalized], *[1] * normalized]
    return _empty(x.shape, x), _empty(kept, x), _empty(kept, x)


def _group_norm(x: Tensor, weight: Any, bias: Any, n: int, c: int, hw: int, groups: int, eps: float) -> Any:
    if not x.is_contiguous() or x.dtype != torch.float32 or x.numel() != n * c * hw or groups < 1 or c % groups:
        return NotImplemented
    if any(w is not None and (w.dtype != x.dtype or tuple(w.shape) != (c,)) for w in (weight, bias)):
        return NotImplemented
    return _empty(x.shape, x), _empty((n, groups), x), _empty((n, groups), x)


def _mm(x: Tensor, y: Tensor) -> Any:
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[0] or x.dtype != y.dtype or x.device != y.device:
        return NotImplemented
    return _empty((x.shape[0], y.shape[1]), x)


def _addmm(bias: Tensor, x: Tensor, y: Tensor, **_: Any) -> Any:
    out = _mm(x, y)
    if out is NotImplemented or bias.dtype != x.dtype or bias.device != x.device or not _fits(bias.shape, out.shape):
        return NotImplemented
    return out


def _bmm(x: Tensor, y: Tensor) -> Any:
    if x.dim() != 3 or y.dim() != 3 or x.shape[0] != y.shape[0] or x.shape[2] != y.shape[1] or x.dtype != y.dtype:
        return NotImplemented
    return _empty((x.shape[0], x.shape[1], y.shape[2]), x) if x.device == y.device else NotImplemented


def _reduce(x: Tensor, dims: Sequence[int] | None = None, keepdim: bool = False, **kwargs: Any) -> Any:
    if kwargs or not dims or not x.is_contiguous() or not x.dtype.is_floating_point or x.dim() == 0:
        return NotImplemented
    if any(not -x.dim() <= d < x.dim() for d in dims):
        return NotImplemented
    gone = {d % x.dim() for d in dims}
    if len(gone) != len(dims):
        return NotImplemented
    shape = [1 if i in gone else n for i, n in enumerate(x.shape) if keepdim or i not in gone]
    return _empty(shape, x)


def _pooled(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], ceil_mode: bool
) -> list[int] | None:
    """Shape after pooling over the last two dimensions; None where torch's kernel must answer."""
    if x.dim() != 4 or not x.is_contiguous() or not x.dtype.is_floating_point or 0 in x.shape:
        return None
    k, s, p, d = (list(v) * (2 if len(v) == 1 else 1) for v in (kernel, stride or kernel, padding, dilation))
    if any(2 * p[a] > k[a] or s[a] <= 0 or p[a] < 0 for a in (0, 1)) or (x.stride(1) == 1 and x.shape[1] > 1):
        return None
    out = [_pooled_size(x.shape[2 + a], (k[a] - 1) * d[a] + 1, s[a], p[a], ceil_mode) for a in (0, 1)]
    return [x.shape[0], x.shape[1], *out] if min(out) > 0 else None


def _pooled_size(size: int, span: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """Number of windows; rounded up, the last one must still start inside the map or its left padding."""
    windows = (size + 2 * padding - span + (stride - 1 if ceil_mode else 0)) // stride + 1
    return windows - 1 if ceil_mode and (windows - 1) * stride >= size + padding else windows


def _max_pool(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    ceil_mode: bool = False,
) -> Any:
    shape = _pooled(x, kernel, stride, padding, dilation, ceil_mode)
    if shape is None:
        return NotImplemented
    return _empty(shape, x), torch.empty(shape, dtype=torch.int64, device="meta")


def _avg_pool(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0,), ceil_mode: bool = False, *_: Any
) -> Any:
    shape = _pooled(x, kernel, stride, padding, (1,), ceil_mode)
    return NotImplemented if shape is None else _empty(shape, x)


def _resized(x: Tensor, size: Sequence[int] | None, *_: Any) -> Any:
    """Two-dimensional maps of a given size: adaptive pooling, interpolation."""
    if x.dim() != 4 or size is None or len(size) != 2 or min(size) <= 0 or 0 in x.shape or not x.dtype.is_floating_point:
        return NotImplemented
    if not x.is_contiguous() or (x.stride(1) == 1 and x.shape[1] > 1):
        return NotImplemented
    return _empty((x.shape[0], x.shape[1], *size), x)


def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    head = tensors[0]
    if head.dim() == 0 or not -head.dim() <= dim < head.dim():
        return NotImplemented
    dim %= head.dim()
    rest = [n for i, n in enumerate(head.shape) if i != dim]
    for t in tensors:
        if not t.is_contiguous() or t.dtype != head.dtype or t.device != head.device or t.dim() != head.dim():
            return NotImplemented
        if [n for i, n in enumerate(t.shape) if i != dim] != rest or (
            t.dim() > 1 and t.stride(1) == 1 and t.shape[1] > 1 and dim == 1
        ):
            return NotImplemented
    return _empty([sum(t.shape[i] for t in tensors) if i == dim else n for i, n in enumerate(head.shape)], head)


def _softmax(x: Tensor, dim: int, half_to_float: bool = False) -> Any:
    return _empty(x.shape, x) if x.is_contiguous() and not half_to_float and -x.dim() <= dim < x.dim() else NotImplemented


def _clone(x: Tensor, *, memory_format: torch.memory_format | None = None) -> Any:
    if memory_format is torch.contiguous_format:
        return _empty(x.shape, x)
    return _same(x) if memory_format in (None, torch.preserve_format) else NotImplemented


def _unsafe_view(x: Tensor, shape: Sequence[int]) -> Any:
    if not x.is_contiguous() or -1 in shape or math.prod(shape) != x.numel():
        return NotImplemented
    return _empty(shape, x)


_ELEMENTWISE = (
    *("relu", "sigmoid", "silu", "gelu", "hardswish", "hardsigmoid", "hardtanh", "leaky_relu", "elu", "tanh", "mish", "softplus"),
    *("exp", "sqrt", "abs", "neg", "rsqrt", "log", "relu6"),
)

_RULES: dict[Any, Callable[..., Any]] = {
    _aten.convolution.default: _convolution,
    _aten.native_batch_norm.default: _batch_norm,
    _aten.native_layer_norm.default: _layer_norm,
    _aten.native_group_norm.default: _group_norm,
    _aten.mm.default: _mm,
    _aten.addmm.default: _addmm,
    _aten.bmm.default: _bmm,
    _aten.mean.dim: _reduce,
    _aten.max_pool2d_with_indices.default: _max_pool,
    _aten.avg_pool2d.default: _avg_pool,
    _aten._adaptive_avg_pool2d.default: _resized,
    _aten.upsample_nearest2d.default: _resized,
    _aten.upsample_bilinear2d.default: _resized,
    _aten.upsample_bicubic2d.default: _resized,
    _aten.cat.default: _cat,
    _aten._softmax.default: _softmax,
    _aten.clone.default: _clone,
    _aten._unsafe_view.default: _unsafe_view,
    _aten.div.Tensor: _binary,
    **{getattr(_aten, name).Tensor: _binary for name in ("add", "sub", "mul")},
    **{getattr(_aten, name).Scalar: _binary for name in ("add", "sub", "mul", "div")},
    **{getattr(_aten, f"{name}_").Tensor: _in_place for name in ("add", "sub", "mul", "div")},
    **{getattr(_aten, name).default: _same for name in _ELEMENTWISE if hasattr(_aten, name)},
    **{getattr(_aten, f"{name}_").default: _in_place for name in _ELEMENTWISE if hasattr(_aten, f"{name}_")},
}


def _without_data(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule that answers for meta tensors only: values of real ones may still be asked for."""

    def guarded(first: Any, *args: Any, **kwargs: Any) -> Any:
        head = first[0] if isinstance(first, (list, tuple)) else first
        is_meta = isinstance(head, Tensor) and head.is_meta  # a number may stand in the place of a tensor
        return rule(first, *args, **kwargs) if is_meta else NotImplemented

    return guarded


SHAPE_RULES = {func: _without_data(rule) for func, rule in _RULES.items()}
"""Operator overload -> rule. A rule takes the operator's arguments."""
