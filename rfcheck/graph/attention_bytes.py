"""What attention allocates: where a kernel does all of it at once, as much as the operators that it stands for."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

_FUSED = "aten::_scaled_dot_product_"
_APART = "aten::_scaled_dot_product_attention_math"

HIDDEN_VIEWS = frozenset({"_unsafe_view"})
"""Operators that return views, though their schemas say nothing of it."""

_Mode: Any = TorchDispatchMode


@cache
def is_fused(func: Any) -> bool:
    """Whether an operator computes the weights of attention and their product with the values, and keeps the weights to itself."""
    name: str = func._schema.name
    return name.startswith(_FUSED) and not name.startswith(_APART) and not name.endswith("_backward")


@cache
def _allocates(func: Any) -> bool:
    """Whether the results of an operator are neither views nor what it writes to."""
    return func._opname not in HIDDEN_VIEWS and all(result.alias_info is None for result in func._schema.returns)


def bytes_taken_apart(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Bytes that attention allocates where torch takes it apart, as it does where there is no data.

    Which kernel torch takes depends on the device, so that the memory of a model would depend on how it was traced.

    Args:
        func: the fused operator (see `is_fused`).
        args: its arguments.
        kwargs: its keyword arguments.
    """
    given = {**dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)), **kwargs}
    mask = given.get("attn_mask", given.get("attn_bias"))
    with _disable_current_modes():  # FakeTensors and tensors without data do not go together
        query, key, value = (_without_data(given[name]) for name in ("query", "key", "value"))
        mask = None if mask is None else _without_data(mask)
        allocations = _Allocations()
        with allocations:
            torch.nn.functional.scaled_dot_product_attention(
                query,
                key,
                value,
                mask,
                is_causal=bool(given.get("is_causal")),
                scale=given.get("scale"),
                enable_gqa=query.shape[1] != key.shape[1],
            )
    return allocations.total


def _without_data(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


class _Allocations(_Mode):  # type: ignore[misc]
    """Adds up the bytes of the first result of every operator that allocates one."""

    def __init__(self) -> None:
        super().__init__()
        self.total: int = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with self:
            out = func.decompose(*args, **(kwargs or {}))
        if out is not NotImplemented:  # what only calls other operators allocates nothing itself
            return out
        out = func(*args, **(kwargs or {}))
        first = out[0] if isinstance(out, (list, tuple)) else out
        if _allocates(func):
            self.total += first.numel() * first.element_size()
        return out
