"""Use somebody's model for one forward pass and give it back exactly as it was."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_CONTAINERS = (list, dict, set, OrderedDict, deque)
_MODULE_TABLES = frozenset({"_parameters", "_buffers", "_modules"})


@contextmanager
def borrowed(model: nn.Module) -> Iterator[tuple[dict[str, nn.Module], WriteGuard]]:
    """Put a model into eval mode without gradients, and undo everything that a forward pass may change.

    Restored on leaving, also after an error: every module's attributes and the lists, dicts, sets and arrays among them
    (parameters, buffers, sub-modules, hooks, training flags), gradients, the random states of torch, numpy and Python, and
    torch's attention fast path.

    Yields:
        The modules by dotted name, "" for the model (one that appears twice is listed under its first name), and a guard: tensors
        saved with it get their content back.
    """
    modules = dict(model.named_modules())
    attributes: list[tuple[dict[str, Any], dict[str, Any]]] = []
    containers: list[tuple[Any, Any]] = []
    for module in modules.values():
        table = module.__dict__
        attributes.append((table, table.copy()))
        for name, value in table.items():
            if type(value) in _CONTAINERS or _is_nested_or_array(value):
                _remember(value, containers, nested=name not in _MODULE_TABLES)
    gradients = [(parameter, parameter.grad, parameter.requires_grad) for parameter in model.parameters()]
    guard = WriteGuard()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    with random_states_kept(), torch.no_grad():
        try:
            torch.backends.mha.set_fastpath_enabled(False)
            for module in modules.values():
                module.__dict__["training"] = False
            yield modules, guard
        finally:
            torch.backends.mha.set_fastpath_enabled(fast_path)
            for table, saved in attributes:
                table.clear()
                table.update(saved)
            for container, content in containers:
                _restore(container, content)
            guard.restore()
            for parameter, gradient, requires_gradient in gradients:
                if parameter.grad is not gradient:
                    parameter.grad = gradient
                if parameter.requires_grad is not requires_gradient:
                    parameter.requires_grad_(requires_gradient)


def _is_array(value: Any) -> bool:
    """Whether a value is a numpy array; numpy need not be installed for that."""
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"


def _is_nested_or_array(value: Any) -> bool:
    return type(value) is tuple or _is_array(value)


def _remember(container: Any, containers: list[tuple[Any, Any]], *, nested: bool) -> None:
    if _is_array(container):
        containers.append((container, container.copy()))
        return
    if type(container) is not tuple:
        containers.append((container, container.copy() if container else None))
    if nested and container:
        for value in container.values() if isinstance(container, dict) else container:
            if type(value) in _CONTAINERS or _is_nested_or_array(value):
                _remember(value, containers, nested=True)


def _restore(container: Any, content: Any) -> None:
    if _is_array(container):
        container[...] = content
    elif content is None:
        if container:
            container.clear()
    elif isinstance(container, (list, deque)):
        if len(container) != len(content) or any(a is not b for a, b in zip(container, content, strict=True)):
            container.clear()
            container.extend(content)
    else:
        container.clear()
        container.update(content)


@contextmanager
def random_states_kept() -> Iterator[None]:
    """Give the random states of torch, numpy and Python back as they were."""
    numpy = sys.modules.get("numpy")
    python_state = random.getstate()
    torch_state = torch.get_rng_state()
    cuda: Any = torch.cuda
    cuda_states = cuda.get_rng_state_all() if cuda.is_initialized() else []
    numpy_state = numpy.random.get_state() if numpy is not None else None
    try:
        yield
    finally:
        random.setstate(python_state)
        torch.set_rng_state(torch_state)
        if cuda_states:
            cuda.set_rng_state_all(cuda_states)
        if numpy is not None:
            numpy.random.set_state(numpy_state)


def substitute_tensors(
    modules: Mapping[str, nn.Module], stand_in: Callable[[torch.Tensor], torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Replace every parameter and buffer by a stand-in; to be called, and undone, inside `borrowed`.

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

    def save(self, tensor: torch.Tensor) -> None:
        """Save the storage behind a tensor, unless it holds no data."""
        if type(tensor) not in (torch.Tensor, nn.Parameter) or tensor.is_meta or tensor.layout != torch.strided:
            return
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._saved:
            content: torch.UntypedStorage = storage.clone()  # type: ignore[no-untyped-call]
            self._saved[storage.data_ptr()] = (storage, content)

    def restore(self) -> None:
        """Put back what was saved."""
        for storage, content in self._saved.values():
            storage.copy_(content)
