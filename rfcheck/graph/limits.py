"""Between which limits values lie that the image decides: offsets behind a tanh, a sigmoid or a clamp, scaled and moved about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from rfcheck.graph.calls import Call
from rfcheck.graph.records import TensorArg

Limits = tuple[torch.Tensor, torch.Tensor]
"""Lowest and highest value, element by element; of no dimension where it is one for all."""

_RANGES = {"tanh": (-1, 1), "sin": (-1, 1), "cos": (-1, 1), "erf": (-1, 1), "softsign": (-1, 1), "sigmoid": (0, 1)}
_RANGES |= {"hardsigmoid": (0, 1), "_softmax": (0, 1), "softmax": (0, 1), "relu6": (0, 6)}
_MOVES = ("view", "_unsafe_view", "permute", "transpose", "clone", "expand", "unsqueeze", "squeeze", "alias", "detach", "_to_copy")
_PARTS = ("split", "split_with_sizes", "slice", "select", "unbind", "narrow")
_JOINS = ("cat", "stack")


def limits_of(call: Call, tensor: TensorArg) -> Limits | None:
    """The limits of an input of a call; None where nothing bounds it, or where it is learned."""
    if tensor.value is None:
        known = None if tensor.params or tensor.data is None else tensor.data.double()
        return None if known is None else (known, known)
    maker = call.maker(tensor)
    if maker is None or isinstance(maker.record.func, str):
        return None
    name = maker.record.func._opname.removesuffix("_")
    if name in _RANGES:
        return _between(*_RANGES[name])
    if name in ("clamp", "hardtanh", "clamp_min", "clamp_max"):
        return _clamped(maker, name)
    if name in _ARITHMETIC:
        return _computed(maker, name)
    if name in _MOVES or name in _PARTS or name in _JOINS:
        return _moved(maker, tensor)
    return None


def _between(low: float, high: float) -> Limits:
    return torch.tensor(float(low), dtype=torch.float64), torch.tensor(float(high), dtype=torch.float64)


def _clamped(maker: Call, name: str) -> Limits | None:
    low, high = (*maker.record.args[1:3], None, None)[:2] if name != "hardtanh" else (maker.arg("min_val"), maker.arg("max_val"))
    low, high = maker.record.kwargs.get("min", low), maker.record.kwargs.get("max", high)
    if name == "clamp_max":
        low, high = None, low
    if isinstance(low, TensorArg) or isinstance(high, TensorArg):
        return None
    inner = limits_of(maker, maker.record.args[0])
    if inner is None:
        return None if low is None or high is None else _between(low, high)
    return inner[0].clamp(low, high), inner[1].clamp(low, high)


def _computed(maker: Call, name: str) -> Limits | None:
    operands: list[Limits] = []
    for arg in maker.record.args[:2]:
        own = limits_of(maker, arg) if isinstance(arg, TensorArg) else _between(arg, arg)
        if own is None:
            return None
        operands.append(own)
    scale = maker.arg("alpha", 1)
    if name == "rsub":
        operands.reverse()
    if name in ("sub", "rsub", "add") and scale != 1:
        operands[1] = _corners(operands[1], _between(scale, scale), torch.mul)
    return _ARITHMETIC[name](*operands)


def _corners(one: Limits, two: Limits, function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Limits:
    """The limits of a function that is monotone in both of its arguments."""
    values = [function(a, b) for a in one for b in two]
    low, high = values[0], values[0]
    for value in values[1:]:
        low, high = torch.minimum(low, value), torch.maximum(high, value)
    return low, high


def _divided(one: Limits, two: Limits) -> Limits | None:
    return None if bool((two[0] <= 0).any()) and bool((two[1] >= 0).any()) else _corners(one, two, torch.div)


_ARITHMETIC: dict[str, Callable[..., Limits | None]] = {
    "add": lambda one, two: (one[0] + two[0], one[1] + two[1]),
    "sub": lambda one, two: (one[0] - two[1], one[1] - two[0]),
    "rsub": lambda one, two: (one[0] - two[1], one[1] - two[0]),
    "mul": lambda one, two: _corners(one, two, torch.mul),
    "div": _divided,
    "neg": lambda one: (-one[1], -one[0]),
}


def _moved(maker: Call, tensor: TensorArg) -> Limits | None:
    """Values elsewhere: limits that are one for all stay, others are moved as the values are."""
    record = maker.record
    given = record.args[0] if isinstance(record.args[0], list) else [record.args[0]]
    inner: list[Limits] = []
    for arg in given:
        own = limits_of(maker, arg)
        if own is None:
            return None
        inner.append(own)
    if all(low.dim() == high.dim() == 0 for low, high in inner):
        return torch.stack([low for low, _ in inner]).min(), torch.stack([high for _, high in inner]).max()
    slot = next(i for i, out in enumerate(record.outputs) if out.value == tensor.value)
    sides = [[one[side].expand(arg.shape) for one, arg in zip(inner, given, strict=True)] for side in (0, 1)]
    low, high = (_applied(record.func, side if isinstance(record.args[0], list) else side[0], record, slot) for side in sides)
    return low, high


def _applied(func: Any, first: Any, record: Any, slot: int) -> torch.Tensor:
    out = func(first.contiguous() if isinstance(first, torch.Tensor) else first, *record.args[1:], **record.kwargs)
    made: torch.Tensor = out[slot] if isinstance(out, (list, tuple)) else out
    return made.double()
