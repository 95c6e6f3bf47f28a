"""Multiply-accumulates of operators that multiply matrices, from the shapes of what they read and return: a formula each.

Every formula is a sum over weights or factors of how often each of their entries is multiplied. Tests hold them against torch's
counter where it knows the operator, and against sums by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rfcheck.graph.records import TensorArg

Shape = tuple[int, ...]
Formula = Callable[[tuple[Any, ...], dict[str, Any], list[Shape]], int]
"""Takes arguments, keyword arguments and shapes of the outputs."""


def _convolution(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    return _applied(args[0].shape[2:] if args[6] else outs[0][2:], args)


def _window(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """A convolution of one backend: the whole kernel at every position of the output."""
    return _applied(outs[0][2:], args)


def _transposed_window(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """A transposed convolution of one backend: the whole kernel at every position of the input."""
    return _applied(args[0].shape[2:], args)


def _applied(positions: Shape, args: tuple[Any, ...]) -> int:
    return int(math.prod(positions) * args[0].shape[0] * math.prod(args[1].shape))


def _product(x: int) -> Formula:
    """A product of matrices or vectors, the first of which is argument ``x``: the inner size for every value of the result."""

    def formula(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
        return int(math.prod(outs[0]) * args[x].shape[-1])

    return formula


def _summed_products(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """The sum of a batch of products."""
    return int(math.prod(args[1].shape) * args[2].shape[-1])


def _trilinear(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """Three factors, each missing some dimensions of their joint extent, multiplied entry by entry and summed."""
    rank = len(args[0].shape) + len(args[3])
    extents = [1] * rank
    for factor, missing in zip(args[:3], args[3:6], strict=True):
        sizes = iter(factor.shape)
        for dim in range(rank):
            if dim not in missing:
                extents[dim] = max(extents[dim], next(sizes))
    return math.prod(extents)


def _distances(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """Distances of every point of one set from every point of another."""
    return int(math.prod(outs[0]) * args[0].shape[-1])


def _deformed(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """A convolution whose taps lie at computed positions."""
    return _applied(outs[0][2:], args)


def _attention(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """Queries (..., L, E) times keys (..., S, E), then weights (..., L, S) times values (..., S, F)."""
    query, key, value = (arg.shape for arg in args[:3])
    return int(math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


def _attention_by_token(first_length: int) -> Formula:
    """Attention over (batch, tokens, heads, features); argument ``first_length`` may begin the lengths of packed sequences.

    Packed are (tokens, heads, features); their lengths are data, so all are counted as long as the longest.
    """

    def formula(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
        query, key, value = (arg.shape for arg in args[:3])
        starts, _, longest_query, longest_key = args[first_length : first_length + 4]
        per_pair = query[-2] * (query[-1] + value[-1])
        if isinstance(starts, TensorArg):
            return int((starts.shape[0] - 1) * longest_query * longest_key * per_pair)
        return int(query[0] * query[1] * key[1] * per_pair)

    return formula


def _multi_head_attention(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """Projections of (N, T, E) queries, keys and values, attention, and the projection of its result."""
    (batch, queries, embedded), keys = args[0].shape, args[1].shape[1]
    projected = (queries + 2 * keys) * embedded**2 + queries * math.prod(args[7].shape)
    return int(batch * (projected + 2 * queries * keys * embedded))


def _encoder_layer(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """A whole encoder layer of a transformer over (N, T, E): attention and two linear layers."""
    batch, tokens, embedded = args[0].shape
    per_token = 4 * embedded**2 + math.prod(args[14].shape) + math.prod(args[16].shape)
    return int(batch * (tokens * per_token + 2 * tokens**2 * embedded))


def _recurrent(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """Recurrent layers: every weight matrix once per step and sequence."""
    listed = [arg for part in args[1:] if isinstance(part, (list, tuple)) for arg in part]
    matrices = [arg.shape for arg in listed if isinstance(arg, TensorArg) and len(arg.shape) == 2]
    return int(math.prod(args[0].shape[:-1]) * sum(map(math.prod, matrices)))


def _recurrent_of_backend(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    """One direction of one recurrent layer: the weights of inputs and of states."""
    return int(math.prod(args[0].shape[:-1]) * (math.prod(args[1].shape) + math.prod(args[2].shape)))


def _named(text: str, formula: Formula, library: str = "aten") -> dict[str, Formula]:
    return {f"{library}::{name}": formula for name in text.split()}


FORMULAS: dict[str, Formula] = {
    **_named("convolution _convolution convolution_overrideable", _convolution),
    **_named("mkldnn_convolution cudnn_convolution cudnn_convolution_relu cudnn_convolution_add_relu thnn_conv2d", _window),
    **_named("_slow_conv2d_forward slow_conv3d slow_conv3d_forward slow_conv_dilated2d slow_conv_dilated3d", _window),
    **_named("_conv_depthwise2d conv_depthwise3d _nnpack_spatial_convolution _mps_convolution miopen_convolution", _window),
    **_named("miopen_depthwise_convolution conv1d conv2d conv3d", _window),
    **_named("conv_transpose1d conv_transpose2d conv_transpose3d slow_conv_transpose2d slow_conv_transpose3d", _transposed_window),
    **_named("cudnn_convolution_transpose miopen_convolution_transpose", _transposed_window),
    **_named("mm bmm matmul linear mv dot vdot linalg_vecdot mkldnn_linear _int_mm _scaled_mm", _product(0)),
    **_named("_weight_int8pack_mm _weight_int4pack_mm _weight_int4pack_mm_for_cpu _dyn_quant_matmul_4bit", _product(0)),
    **_named("addmm baddbmm addmv _addmm_activation", _product(1)),
    **_named("addbmm", _summed_products),
    **_named("_trilinear", _trilinear),
    **_named("_cdist_forward _euclidean_dist", _distances),
    **_named("scaled_dot_product_attention _scaled_dot_product_flash_attention _scaled_dot_product_cudnn_attention", _attention),
    **_named("_scaled_dot_product_efficient_attention _scaled_dot_product_flash_attention_for_cpu", _attention),
    **_named("_scaled_dot_product_fused_attention_overrideable _scaled_dot_product_attention_math", _attention),
    **_named("_scaled_dot_product_attention_math_for_mps _triton_scaled_dot_attention _cudnn_attention_forward", _attention),
    **_named("_flash_attention_forward _flash_attention_forward_no_dropout_inplace", _attention_by_token(3)),
    **_named("_efficient_attention_forward", _attention_by_token(4)),
    **_named("_native_multi_head_attention _triton_multi_head_attention", _multi_head_attention),
    **_named("_transformer_encoder_layer_fwd", _encoder_layer),
    **_named("lstm gru rnn_tanh rnn_relu _cudnn_rnn miopen_rnn", _recurrent),
    **_named("mkldnn_rnn_layer", _recurrent_of_backend),
    **_named("deform_conv2d", _deformed, "torchvision"),
}
"""Qualified name of an operator, for all its overloads -> its formula."""
