"""Multiply-accumulates of one operator call.

The formulas for products of matrices are written out, since importing torch's counter can take longer than a whole analysis; for
every other operator that may cost anything torch's own table is asked. An operator that multiplies matrices and has a formula in
neither is not free: its cost is unknown.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from rfcheck.graph.formulas import FORMULAS, Formula, Shape
from rfcheck.graph.operators import Attention, Convolution, Linear, Matmul, Opaque, Recurrent, Window, meaning_of
from rfcheck.graph.records import TensorArg

_MULTIPLIES = (Attention, Convolution, Linear, Matmul, Recurrent)
"""Meanings of operators that multiply matrices, so that they cost something."""


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
    """The formula of an operator overload; None where it counts nothing, or where nothing is known (`is_uncounted`)."""
    if isinstance(func, str):
        return None
    name = func._schema.name
    if name in FORMULAS:
        return FORMULAS[name]
    meaning = meaning_of(func)
    if meaning is None or isinstance(meaning, (*_MULTIPLIES, Opaque)) or not name.startswith("aten::"):
        return _from_torch(func)
    return None


@cache
def is_uncounted(func: Any) -> bool:
    """Whether an operator with an entry multiplies matrices, and how many multiply-accumulates that takes is not known."""
    if isinstance(func, str):
        return False
    meaning = meaning_of(func)
    multiplies = isinstance(meaning, _MULTIPLIES) or (isinstance(meaning, Window) and meaning.kind in ("conv", "linear"))
    return multiplies and formula_of(func) is None


def multiply_accumulates(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out_shapes: list[Shape]) -> int:
    """MACs of a call: half of what torch.utils.flop_counter counts, which takes a multiplication and an addition as two.

    Args:
        func: operator overload.
        args: its arguments, tensors as TensorArg.
        kwargs: its keyword arguments, likewise.
        out_shapes: shapes of its outputs.

    Raises:
        Exception: whatever a formula that was registered with torch's counter raises.
    """
    formula = formula_of(func)
    return 0 if formula is None else formula(args, kwargs, out_shapes)
