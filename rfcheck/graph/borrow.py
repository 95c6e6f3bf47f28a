"""Use somebody's model for one forward pass and give it back exactly as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

from rfcheck.graph.contents import Contents
from rfcheck.graph.scripted import eval_modes, modes_of, put_back_modes
from rfcheck.graph.wrappers import take_off_machinery
from rfcheck.process_state import ProcessState
from rfcheck.undoing import undone_after

_T = TypeVar("_T")


def borrow(model: nn.Module, use: Callable[[dict[str, nn.Module], WriteGuard], _T]) -> _T:
    """Use a model in eval mode without gradients, and undo everything that a forward pass may change.

    Restored afterwards, also after an error and when Ctrl-C arrives at whatever moment: modules and what they hold (`Contents`),
    gradients, and the process (`ProcessState`).

    Args:
        model: to be used.
        use: what to do with it; is given the modules by dotted name, "" for the model (one that appears twice is listed under its
            first name), and a guard: tensors saved with it get their content back.

    Returns:
        What the use returns.
    """
    modules = dict(model.named_modules())
    contents = Contents(modules.values())
    modes = modes_of(modules.values())
    gradients = [(parameter, parameter.grad, parameter.requires_grad) for parameter in model.parameters()]
    guard = WriteGuard()

    def with_guard() -> _T:
        torch.backends.mha.set_fastpath_enabled(False)
        for module in modules.values():
            module.__dict__["training"] = False
        eval_modes(modes)
        take_off_machinery(modules.values())
        with torch.no_grad():
            return use(modules, guard)

    steps = (
        ProcessState().give_back,
        contents.put_back,
        guard.restore,
        lambda: put_back_modes(modes),
        lambda: _put_back_gradients(gradients),
    )
    return undone_after(with_guard, *steps)


def _put_back_gradients(gradients: list[tuple[nn.Parameter, torch.Tensor | None, bool]]) -> None:
    for parameter, gradient, requires_gradient in gradients:
        if parameter.grad is not gradient:
            parameter.grad = gradient
        if parameter.requires_grad is not requires_gradient:
            parameter.requires_grad_(requires_gradient)


def substitute_tensors(
    modules: Mapping[str, nn.Module], stand_in: Callable[[torch.Tensor], torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Replace every parameter and buffer by a stand-in; to be called, and undone, inside `borrow`.

    Returns:
        The stand-ins of the parameters by dotted name; a shared parameter is listed once.
    """
    replaced: dict[int, torch.Tensor] = {}
    parameters: dict[str, torch.Tensor] = {}
    for prefix, module in modules.items():
        for table_name in ("_parameters", "_buffers"):
            table: dict[str, Any] = module.__dict__.get(table_name) or {}
            for name, tensor in table.items():
                if tensor is None:
                    continue
                new = replaced.get(id(tensor))
                if new is None:
                    new = replaced[id(tensor)] = stand_in(tensor)
                    if table_name == "_parameters":
                        parameters[f"{prefix}.{name}" if prefix else name] = new
                table[name] = new
        flat = module.__dict__.get("_flat_weights")  # recurrent layers keep a second list of their parameters
        if isinstance(flat, list):
            flat[:] = [replaced.get(id(weight), weight) for weight in flat]
    return parameters


class WriteGuard:
    """Saves storages that existed before a forward pass when the pass is about to overwrite them, and puts their content back."""

    def __init__(self) -> None:
        self._saved: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self._shapes: dict[int, tuple[torch.Tensor, torch.UntypedStorage, Any, torch.Size, tuple[int, ...]]] = {}

    def save(self, tensor: torch.Tensor) -> None:
        """Save the storage behind a tensor, unless it holds no data, and how the tensor lies in it."""
        if type(tensor) not in (torch.Tensor, nn.Parameter) or tensor.is_meta or tensor.layout != torch.strided:
            return
        storage = tensor.untyped_storage()
        self._shapes.setdefault(id(tensor), (tensor, storage, tensor.storage_offset(), tensor.shape, tensor.stride()))
        if storage._cdata not in self._saved:
            content: torch.UntypedStorage = storage.clone()  # type: ignore[no-untyped-call]
            self._saved[storage._cdata] = (storage, content)

    def restore(self) -> None:
        """Put back what was saved."""
        for storage, content in self._saved.values():
            if storage.nbytes() != content.nbytes():  # observers of quantisation grow with what they see
                storage.resize_(content.nbytes())
            storage.copy_(content)
        for tensor, storage, offset, shape, stride in self._shapes.values():
            if tensor.shape != shape or tensor.stride() != stride or tensor.untyped_storage()._cdata != storage._cdata:
                tensor.set_(storage, offset, shape, stride)
