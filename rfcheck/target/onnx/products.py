"""ONNX operators that multiply matrices, normalise, reduce or run over sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from rfcheck.target.onnx.call import NotCoveredError, OnnxCall, Tensor, together
from rfcheck.target.onnx.elementwise import Operator


def _gemm(call: OnnxCall) -> Tensor:
    x, weight, *bias = call.tensors()
    x = x.t() if call.attribute("transA", 0) else x
    weight = weight if call.attribute("transB", 0) else weight.t()
    is_vector = not bias or bias[0].dim() == 1
    if is_vector:
        return F.linear(x, weight, bias[0] if bias else None)
    return F.linear(x, weight) + bias[0]


def _matmul(call: OnnxCall) -> Tensor:
    at = 3 if call.operator == "QLinearMatMul" else 1
    x, y = together([call.tensor(0), call.tensor(at)])
    return torch.matmul(x, y.to(x.dtype))


def _linear(call: OnnxCall) -> Tensor:
    """A product of matrices and the bias added to it, found as one by the reader of the file."""
    x, weight, bias = call.tensors()
    return F.linear(x, weight.t(), bias.reshape(-1) if bias.dim() > 1 else bias)


def _einsum(call: OnnxCall) -> Tensor:
    return torch.einsum(call.attribute("equation"), *call.tensors())


def _batch_norm(call: OnnxCall) -> Any:
    x, weight, bias, mean, variance = call.tensors()[:5]
    result = F.batch_norm(x, mean, variance, weight, bias, training=False)
    return (result, mean, variance, mean, variance)[: call.outputs] if call.outputs > 1 else result


def _instance_norm(call: OnnxCall) -> Tensor:
    x, weight, bias = call.tensors()
    return F.instance_norm(x, weight=weight, bias=bias)


def _group_norm(call: OnnxCall) -> Tensor:
    x, weight, bias = call.tensors()
    groups = int(call.attribute("num_groups"))
    if weight.numel() == x.shape[1]:
        return F.group_norm(x, groups, weight, bias)
    if weight.numel() != groups:
        raise NotCoveredError
    return F.group_norm(x, groups)


def _layer_norm(call: OnnxCall) -> Any:
    x, weight, *bias = call.tensors()
    shape = list(x.shape[call.axis(-1, x.dim()) :])
    if call.operator == "RMSNormalization":
        return F.rms_norm(x, shape, weight.expand(shape))
    result = F.layer_norm(x, shape, weight.expand(shape), bias[0].expand(shape) if bias else None)
    if call.outputs == 1:
        return result
    kept = x.mean(tuple(range(x.dim() - len(shape), x.dim())), keepdim=True)
    return (result, kept, kept)[: call.outputs]


def _softmax(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    function: Callable[..., Tensor] = {"Softmax": torch.softmax, "LogSoftmax": torch.log_softmax}[call.operator]
    if call.opset >= 13:
        return function(x, call.axis(-1, x.dim()))
    axis = call.axis(1, x.dim())
    return function(x.flatten(axis), axis).reshape(x.shape) if axis < x.dim() - 1 else function(x, axis)


def _normalised(call: OnnxCall) -> Tensor:
    return F.normalize(call.tensor(0), p=float(call.attribute("p", 2)), dim=int(call.attribute("axis", -1)))


def _reduced(function: Callable[..., Tensor]) -> Operator:
    def operator(call: OnnxCall) -> Tensor:
        x = call.tensor(0)
        axes = call.ints("axes", 1)
        keep = bool(call.attribute("keepdims", 1))
        if not axes and call.attribute("noop_with_empty_axes", 0):
            return x.clone()
        return function(x, axes or list(range(x.dim())), keepdim=keep)

    return operator


def _product_over(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keepdim)
    return x


def _extreme_index(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    function = torch.argmax if call.operator == "ArgMax" else torch.argmin
    return function(x, call.axis(0, x.dim()), bool(call.attribute("keepdims", 1)))


def _top(call: OnnxCall) -> Any:
    x = call.tensor(0)
    return torch.topk(x, int(call.known(1).flatten()[0]), call.axis(-1, x.dim()), bool(call.attribute("largest", 1)))


def _recurrent(call: OnnxCall) -> Any:
    """LSTM, GRU and RNN over (steps, batch, features), as torch computes them; the order of the gates does not matter."""
    x, w, r = together([call.tensor(index) for index in range(3)])
    directions, _, hidden = r.shape
    if call.attribute("layout", 0) or call.has(4):
        raise NotCoveredError
    bias = (
        together([x, call.tensor(3)])[1] if call.has(3) else torch.empty(directions, 2 * w.shape[1], dtype=x.dtype, device=x.device)
    )
    weights = [part for d in range(directions) for part in (w[d], r[d], *bias[d].chunk(2))]
    start = torch.zeros(directions, x.shape[1], hidden, dtype=x.dtype, device=x.device)
    settings = (weights, True, 1, 0.0, False, directions == 2, False)
    if call.operator == "LSTM":
        y, h, c = torch.lstm(x, (start, start), *settings)
        rest: tuple[Tensor, ...] = (h, c)
    else:
        function = torch.gru if call.operator == "GRU" else torch.rnn_tanh
        y, h = function(x, start, *settings)
        rest = (h,)
    steps, images, _ = y.shape
    return (y.reshape(steps, images, directions, hidden).transpose(1, 2), *rest)


def _attention(call: OnnxCall) -> Tensor:
    query, key, value = together([call.tensor(index) for index in range(3)])
    if query.dim() != 4 or call.has(3) or call.has(4) or call.outputs > 1 or query.shape[1] != key.shape[1]:
        raise NotCoveredError
    return F.scaled_dot_product_attention(query, key, value, is_causal=bool(call.attribute("is_causal", 0)))


PRODUCTS: dict[str, Operator] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearMatMul": _matmul,
    "Linear": _linear,
    "Einsum": _einsum,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _layer_norm,
    "LpNormalization": _normalised,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "ReduceMean": _reduced(torch.mean),
    "ReduceSum": _reduced(torch.sum),
    "ReduceMax": _reduced(torch.amax),
    "ReduceMin": _reduced(torch.amin),
    "ReduceProd": _reduced(_product_over),
    "ReduceL1": _reduced(lambda x, axes, keepdim: torch.linalg.vector_norm(x, 1, axes, keepdim)),
    "ReduceL2": _reduced(lambda x, axes, keepdim: torch.linalg.vector_norm(x, 2, axes, keepdim)),
    "ReduceSumSquare": _reduced(lambda x, axes, keepdim: torch.sum(torch.square(x), axes, keepdim)),
    "ReduceLogSumExp": _reduced(torch.logsumexp),
    "ArgMax": _extreme_index,
    "ArgMin": _extreme_index,
    "TopK": _top,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    "Attention": _attention,
}
"""ONNX operator -> what it computes."""
