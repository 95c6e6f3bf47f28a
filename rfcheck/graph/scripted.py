"""TorchScript modules, whose training flags and operators are out of Python's reach."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from rfcheck.graph.records import ModuleCall, Recording


def is_scripted(modules: Iterable[nn.Module]) -> bool:
    """Whether any of the modules is TorchScript."""
    return any(isinstance(module, torch.jit.ScriptModule) for module in modules)


Modes = list[tuple[Any, bool]]
"""The half of each TorchScript module that is outside Python, and whether it is in training mode."""


def modes_of(modules: Iterable[nn.Module]) -> Modes:
    """The modes of the TorchScript among the modules; frozen ones have none."""
    states: list[Any] = [module._c for module in modules if isinstance(module, torch.jit.ScriptModule)]
    return [(state, state.getattr("training")) for state in states if state.hasattr("training")]


def eval_modes(modes: Modes) -> None:
    """Put TorchScript into eval mode, which its Python half does not reach."""
    for state, _ in modes:
        state.setattr("training", False)


def put_back_modes(modes: Modes) -> None:
    """Give TorchScript its own modes back."""
    for state, is_training in modes:
        state.setattr("training", is_training)


def name_scripted_layers(recording: Recording, model: nn.Module) -> None:
    """List operators that TorchScript has called under the modules whose parameters they read, since calls in it are not seen.

    Args:
        recording: of the forward; changed in place.
        model: that was run.
    """
    modules = dict(model.named_modules())
    scripted = {path: module for path, module in modules.items() if isinstance(module, torch.jit.ScriptModule)}
    if not scripted:
        return
    repeats: dict[str, int] = {}
    for record in recording.records:
        owners = {name.rpartition(".")[0] for tensor in record.tensors for name in tensor.params}
        path = owners.pop() if len(owners) == 1 else ""
        outer = record.call.path
        if path in scripted and path != outer and (not outer or path.startswith(f"{outer}.")):
            repeats[path] = repeats.get(path, 0) + 1
            kind = getattr(scripted[path], "original_name", type(scripted[path]).__name__)
            record.call = ModuleCall(path, kind, repeats[path], is_leaf=True)


def whole_operators(modules: Iterable[nn.Module]) -> AbstractContextManager[Any]:
    """Keep torch from taking operators apart, as it does where gradients may be wanted, if only TorchScript could call them."""
    below_gradients: Any = torch._C._AutoDispatchBelowAutograd
    return below_gradients() if is_scripted(modules) else nullcontext()
