"""Multiply-accumulates of one operator call.

The formulas for convolutions and products of matrices are written out, since importing torch's counter can take longer than a whole
analysis; for every other operator that may cost anything torch's own table is asked. Tests hold both against torch's counter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from rfcheck.graph.operators import Attention, Convolution, Linear, Matmul, Opaque, Recurrent, meaning_of
from rfcheck.graph.records import TensorArg

Shape = tuple[int, ...]
Formula = Callable[[tuple[Any, ...], dict[str, Any], list[Shape]], int]
"""Takes arguments, keyword arguments and shapes of the outputs."""


def _convolution(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
    x, weight, transposed = args[0].shape, args[1].shape, args[6]
    positions = x[2:] if transposed else outs[0][2:]
    return int(math.prod(positions) * x[0] * math.prod(weight))


def _product(x: int) -> Formula:
    """Product of two matrices, the first of which is argument ``x``: rows x columns x inner size, per batch."""

    def formula(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
        return int(math.prod(args[x].shape) * args[x + 1].shape[-1])

    return formula


_FORMULAS: dict[str, Formula] = {
    "aten::convolution": _convolution,
    "aten::_convolution": _convolution,
    "aten::mm": _product(0),
    "aten::bmm": _product(0),
    "aten::addmm": _product(1),
    "aten::baddbmm": _product(1),
}


def _from_torch(func: Any) -> Formula | None:
    """The formula in the table of torch's counter; None where it has none."""
    from torch.utils.flop_counter import flop_registry

    registered = flop_registry.get(getattr(func, "_overloadpacket", None))
    if registered is None:
        return None

    def formula(args: tuple[Any, ...], kwargs: dict[str, Any], outs: list[Shape]) -> int:
        tensors = [_meta(a) for a in args]
        out = [torch.empty(shape, device="meta") for shape in outs]
        counted = registered(*tensors, **{k: _meta(v) for k, v in kwargs.items()}, out_val=out[0] if len(out) == 1 else out)
        return int(counted) // 2

    return formula


def _meta(arg: Any) -> Any:
    if isinstance(arg, TensorArg):
        return torch.empty(arg.shape, device="meta")
    return [_meta(a) for a in arg] if isinstance(arg, list) else arg


@cache
def formula_of(func: Any) -> Formula | None:
    """The formula of an operator overload; None where it counts nothing."""
    if isinstance(func, str):
        return None
    name = func._schema.name
    if name in _FORMULAS:
        return _FORMULAS[name]
    meaning = meaning_of(func)
    if (
        meaning is None
        or isinstance(meaning, (Attention, Convolution, Linear, Matmul, Opaque, Recurrent))
        or not name.startswith("aten::")
    ):
        return _from_torch(func)
    return None


def multiply_accumulates(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out_shapes: list[Shape]) -> int:
    """MACs of a call: half of what torch.utils.flop_counter counts, which takes a multiplication and an addition as two.

    Args:
        func: operator overload.
        args: its arguments, tensors as TensorArg.
        kwargs: its keyword arguments, likewise.
        out_shapes: shapes of its outputs.
    """
    formula = formula_of(func)
    return 0 if formula is None else formula(args, kwargs, out_shapes)
