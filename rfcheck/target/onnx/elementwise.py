"""ONNX operators that act value by value: activations, arithmetic, comparisons, casts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from rfcheck.target.onnx.call import NotCoveredError, OnnxCall, Tensor, together
from rfcheck.target.onnx.values import DTYPES

Operator = Callable[[OnnxCall], Any]
"""Gives the result of a call, or a tuple of results."""


def _of_one(function: Callable[[Tensor], Tensor]) -> Operator:
    return lambda call: function(call.tensor(0))


def _of_all(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    """A function of two, over all inputs from the first to the last."""

    def operator(call: OnnxCall) -> Tensor:
        result, *others = call.tensors()
        for other in others:
            result = function(result, other)
        return result

    return operator


def _mean(call: OnnxCall) -> Tensor:
    total: Tensor = _of_all(torch.add)(call)
    return total / len(call.tensors())


def _divide(call: OnnxCall) -> Tensor:
    x, y = call.tensors()
    return torch.div(x, y) if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def _modulo(call: OnnxCall) -> Tensor:
    x, y = call.tensors()
    return torch.fmod(x, y) if call.attribute("fmod", 0) else torch.remainder(x, y)


def _power(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    exponent = call.data[1]
    if exponent is not None and exponent.numel() == 1:
        return torch.pow(x, exponent.item()).to(x.dtype)
    x, exponent = call.tensors()
    return torch.pow(x, exponent).to(x.dtype)


def _cast(call: OnnxCall) -> Tensor:
    x = call.tensor(0)
    dtype = call.tensor(1).dtype if call.operator == "CastLike" else DTYPES.get(call.attribute("to"))
    if dtype is None:
        raise NotCoveredError
    return x.to(dtype)


def _clip(call: OnnxCall) -> Tensor:
    low, high = call.number("min", 1), call.number("max", 2)
    x = call.tensor(0)
    if low is None and high is None:
        return x.clone()
    if not x.is_floating_point():
        return torch.clamp(x, None if low is None else int(low), None if high is None else int(high))
    return F.hardtanh(x, low, high) if low is not None and high is not None else torch.clamp(x, low, high)


def _where(call: OnnxCall) -> Tensor:
    condition, x, y = call.tensors()
    return torch.where(condition.bool(), x, y)


def _prelu(call: OnnxCall) -> Tensor:
    x, slope = call.tensors()
    return F.prelu(x, slope.flatten()) if slope.numel() in (1, x.shape[1]) else torch.where(x > 0, x, x * slope)


def _hard_sigmoid(call: OnnxCall) -> Tensor:
    """With any slope; all that matters is that the result lies between 0 and 1."""
    return F.hardsigmoid(call.tensor(0))


def _dropout(call: OnnxCall) -> Any:
    x = call.tensor(0)
    return (x, torch.ones_like(x, dtype=torch.bool)) if call.outputs > 1 else x


def _dynamically_quantized(call: OnnxCall) -> Any:
    """Rounding, by a scale and an offset that are worked out from the values."""
    x = call.tensor(0)
    return torch.round(x), torch.ones((), dtype=x.dtype, device=x.device), torch.zeros((), dtype=x.dtype, device=x.device)


def _dequantize(call: OnnxCall) -> Tensor:
    x, scale = together([call.tensor(0), call.tensor(1)])
    return x.to(scale.dtype)


ELEMENTWISE: dict[str, Operator] = {
    "Identity": _of_one(lambda x: x),
    "Relu": _of_one(F.relu),
    "LeakyRelu": lambda call: F.leaky_relu(call.tensor(0), call.attribute("alpha", 0.01)),
    "ThresholdedRelu": lambda call: F.threshold(call.tensor(0), call.attribute("alpha", 1.0), 0.0),
    "PRelu": _prelu,
    "Elu": lambda call: F.elu(call.tensor(0), call.attribute("alpha", 1.0)),
    "Celu": lambda call: F.celu(call.tensor(0), call.attribute("alpha", 1.0)),
    "Selu": _of_one(F.selu),
    "Gelu": lambda call: F.gelu(call.tensor(0), approximate=call.attribute("approximate", "none")),
    "Sigmoid": _of_one(torch.sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _of_one(F.hardswish),
    "Swish": _of_one(F.silu),
    "Mish": _of_one(F.mish),
    "Softplus": _of_one(F.softplus),
    "Softsign": _of_one(F.softsign),
    "Tanh": _of_one(torch.tanh),
    "Clip": _clip,
    "Shrink": lambda call: F.hardshrink(call.tensor(0), call.attribute("lambd", 0.5)),
    "Dropout": _dropout,
    "QuantizeLinear": _of_one(
        lambda x: x
    ),  # rounding matters to no layer, and would hide that weights of a gate lie between 0 and 1
    "DynamicQuantizeLinear": _dynamically_quantized,
    "DequantizeLinear": _dequantize,
    "Cast": _cast,
    "CastLike": _cast,
    "Add": _of_all(torch.add),
    "Sub": _of_all(torch.sub),
    "Mul": _of_all(torch.mul),
    "Div": _divide,
    "Mod": _modulo,
    "Pow": _power,
    "Sum": _of_all(torch.add),
    "Mean": _mean,
    "Max": _of_all(torch.maximum),
    "Min": _of_all(torch.minimum),
    "Neg": _of_one(torch.neg),
    "Abs": _of_one(torch.abs),
    "Sign": _of_one(torch.sign),
    "Sqrt": _of_one(torch.sqrt),
    "Reciprocal": _of_one(torch.reciprocal),
    "Exp": _of_one(torch.exp),
    "Log": _of_one(torch.log),
    "Erf": _of_one(torch.erf),
    "Floor": _of_one(torch.floor),
    "Ceil": _of_one(torch.ceil),
    "Round": _of_one(torch.round),
    "Sin": _of_one(torch.sin),
    "Cos": _of_one(torch.cos),
    "Tan": _of_one(torch.tan),
    "Atan": _of_one(torch.atan),
    "IsNaN": _of_one(torch.isnan),
    "IsInf": _of_one(torch.isinf),
    "Not": _of_one(torch.logical_not),
    "And": _of_all(torch.logical_and),
    "Or": _of_all(torch.logical_or),
    "Xor": _of_all(torch.logical_xor),
    "Equal": _of_all(torch.eq),
    "Greater": _of_all(torch.gt),
    "GreaterOrEqual": _of_all(torch.ge),
    "Less": _of_all(torch.lt),
    "LessOrEqual": _of_all(torch.le),
    "Where": _where,
}
"""ONNX operator -> what it computes."""
