"""Lazy modules get their shapes from a first forward pass; a copy of the model makes it, so that the model stays as it is."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy


def has_lazy(model: nn.Module) -> bool:
    """Whether a model has modules that do not know their shapes yet."""
    return any(map(is_lazy, model.parameters())) or any(map(is_lazy, model.buffers()))


def materialized(model: nn.Module, shape: tuple[int, ...], device: str = "meta") -> nn.Module:
    """A copy of a lazy model whose modules have the shapes that an input gives them.

    Args:
        model: stays lazy, and as it is.
        shape: of the input, as the model takes it.
        device: of the copy; "meta" for one without data.

    Raises:
        Exception: whatever the forward pass raises at this shape.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        own = copy.deepcopy(model, _stand_ins(model, device))
        modes = {module: module.training for module in own.modules()}
        own.eval()
        own(torch.zeros(shape, dtype=_dtype(own), device=device))
        for module, training in modes.items():
            module.training = training
    return own


def _dtype(model: nn.Module) -> torch.dtype:
    """The type of the input, as that of the parameters that have one."""
    known = (p.dtype for p in model.parameters() if p.dtype.is_floating_point)
    return next(known, torch.get_default_dtype())


def _stand_ins(model: nn.Module, device: str) -> dict[int, Any]:
    """What a copy takes for parameters and buffers: lazy ones of its own, and on the meta device nothing that holds data."""
    found: dict[int, Any] = {}
    for tensor in (*model.parameters(), *model.buffers()):
        if is_lazy(tensor):
            kind: Any = type(tensor)
            found[id(tensor)] = kind(requires_grad=tensor.requires_grad, device=device, dtype=tensor.data.dtype)
        elif device == "meta":
            empty = torch.empty_like(tensor, device=device)
            found[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty
    return found
