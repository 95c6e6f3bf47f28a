"""Tensors that stand for the same memory without being views of each other, as far as torch's operators say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

_C: Any = torch._C


def sharing(target: torch.Tensor, tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Those of some tensors that have the storage of another one; first those that are the same part of it.

    Args:
        target: may be among the tensors, and is none of the result.
        tensors: in any order.
    """
    found = [tensor for tensor in tensors if tensor is not target and _C._is_alias_of(tensor, target)]
    return sorted(found, key=lambda tensor: not lies_like(tensor, target))


def lies_like(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors with the same storage are the same part of it."""
    places = [(tensor.shape, tensor.stride(), tensor.storage_offset()) for tensor in (one, other)]
    return places[0] == places[1]


def lacks_memory(tensor: torch.Tensor) -> bool:
    """Whether a tensor claims data and has none.

    Such a tensor was made, out of sight of operators, of the memory of one that only pretends to have some.
    """
    return type(tensor) is torch.Tensor and tensor.device.type == "cpu" and tensor.numel() > 0 and not tensor.data_ptr()
