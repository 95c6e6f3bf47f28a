"""What others put around modules to compile, distribute or offload them: taken off while a model is borrowed, or refused."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from torch import nn

from rfcheck.errors import TargetError

_INNER = {
    ("torch._dynamo.eval_frame", "OptimizedModule"): "_orig_mod",
    ("torch.nn.parallel.distributed", "DistributedDataParallel"): "module",
    ("torch.nn.parallel.data_parallel", "DataParallel"): "module",
}
"""Attribute that holds the module which a wrapper calls, by where the wrapper is defined."""

_FLATTENING = frozenset({"FullyShardedDataParallel", "DeepSpeedEngine"})
"""Wrappers that keep parameters in pieces that have lost their shapes."""


def refuse_flattened(model: nn.Module) -> None:
    """Refuse a model whose parameters have no shapes of their own any more.

    Raises:
        TargetError: naming the module and the wrapper.
    """
    for name, module in model.named_modules():
        for cls in type(module).__mro__:
            if cls.__name__ in _FLATTENING:
                where = f"{name} is a" if name else "the model is a"
                raise TargetError(
                    f"{where} {cls.__name__}, which keeps parameters in flat pieces without their shapes; "
                    "analyse the model before it is wrapped"
                )


def is_sharded(parameter: nn.Parameter) -> bool:
    """Whether a parameter is spread over processes (a DTensor); it has its whole shape, and no data that plain tensors may meet."""
    return type(parameter).__module__.startswith("torch.distributed")


def take_off_machinery(modules: Iterable[nn.Module]) -> None:
    """Let modules compute by themselves; to be called, and undone, while a model is borrowed.

    Compilers, wrappers that synchronise gradients, hooks that gather and scatter parameters, and those that move them between
    devices change nothing of what a model computes, but keep a state of their own that must not see this forward pass.
    """
    for module in modules:
        table = module.__dict__
        if table.get("_compiled_call_impl") is not None:
            table["_compiled_call_impl"] = None
        if "_hf_hook" in table and "_old_forward" in table:  # accelerate
            table["forward"] = table["_old_forward"]
        for name in ("_forward_pre_hooks", "_forward_hooks"):
            hooks: dict[int, Any] = table.get(name) or {}
            for key in [key for key, hook in hooks.items() if _distributes(hook)]:
                del hooks[key]
        inner = _inner_attribute(type(module))
        if inner is not None:
            table["forward"] = getattr(module, inner)


def _distributes(hook: Any) -> bool:
    while isinstance(hook, functools.partial):
        hook = hook.func
    return str(getattr(hook, "__module__", "")).startswith("torch.distributed.")


def _inner_attribute(cls: type) -> str | None:
    if cls not in _INNER_OF:
        owners = [(owner.__module__, owner.__name__) for owner in cls.__mro__]
        _INNER_OF[cls] = next((_INNER[owner] for owner in owners if owner in _INNER), None)
    return _INNER_OF[cls]


_INNER_OF: dict[type, str | None] = {}
"""What was found for classes."""
