"""Multiply-accumulates of one operator call, from the formulas that torch keeps for its own counter."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from rfcheck.graph.records import TensorArg


@lru_cache(maxsize=None)
def _formula(func: Any) -> tuple[Any, bool] | None:
    """The formula for an operator and whether it works on shapes; None where torch has none."""
    from torch.utils.flop_counter import flop_registry

    registered = flop_registry.get(getattr(func, "_overloadpacket", None))
    if registered is None:
        return None
    on_shapes = getattr(registered, "__wrapped__", None)
    return (on_shapes, True) if on_shapes is not None else (registered, False)


def multiply_accumulates(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out_shapes: list[tuple[int, ...]]) -> int:
    """MACs of a call: half of what torch.utils.flop_counter counts, which takes a multiplication and an addition as two.

    Args:
        func: operator overload.
        args: its arguments, tensors as TensorArg.
        kwargs: its keyword arguments, likewise.
        out_shapes: shapes of its outputs.
    """
    known = _formula(func)
    if known is None:
        return 0
    formula, on_shapes = known
    out = out_shapes[0] if len(out_shapes) == 1 else tuple(out_shapes)
    if on_shapes:
        return int(formula(*map(_shape, args), **{k: _shape(v) for k, v in kwargs.items()}, out_shape=out)) // 2
    tensors = [_meta(a) for a in args]
    result = torch.empty(out_shapes[0], device="meta")
    return int(formula(*tensors, **{k: _meta(v) for k, v in kwargs.items()}, out_val=result)) // 2


def _shape(arg: Any) -> Any:
    if isinstance(arg, TensorArg):
        return arg.shape
    return [_shape(a) for a in arg] if isinstance(arg, list) else arg


def _meta(arg: Any) -> Any:
    return torch.empty(arg.shape, device="meta") if isinstance(arg, TensorArg) else arg
