"""What the layers of a model put out, by the names that the analysis gives them, without changing the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import nullcontext
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rfcheck.errors import VerifyError
from rfcheck.suggestions import did_you_mean

OBSERVED = (nn.modules.conv._ConvNd, nn.Linear, nn.LSTM)
"""Modules whose outputs are measured: those with parameters that make features."""

_WRAPPERS = ("torch.nn.parallel.", "torch.distributed.", "torch.optim.", "torch._dynamo.", "lightning.fabric.")
"""Where the classes come from that hold a model to run it on several devices, compiled or averaged."""


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of what runs it on several devices or compiles it; the model itself if there is no such thing."""
    if type(model).__module__.startswith(_WRAPPERS):
        for attribute in ("module", "_orig_mod"):
            inner = getattr(model, attribute, None)
            if isinstance(inner, nn.Module):
                return unwrapped(inner)
    return model


def observable(model: nn.Module) -> dict[str, nn.Module]:
    """The modules of a model whose outputs are measured, by their dotted names; each once."""
    return {name: module for name, module in unwrapped(model).named_modules() if isinstance(module, OBSERVED)}


class Observer:
    """Hands over what layers put out, as long as the context lasts.

    A module that is called several times in one forward pass makes several layers: ``conv``, ``conv:2`` and so on. A forward pass
    is the outermost call of any module of the model, so that parts of it may also be called by themselves. What is computed again
    in a backward pass (gradient checkpointing), on copies of the model, or without data (meta and fake tensors) is not handed
    over. A model that is compiled is compiled anew, with a break in its graph at each layer.

    Args:
        model: to observe.
        receive: takes the name of a layer, its module and its output: (N, C, *positions) of a convolution, (N, *positions, C) of a
            linear layer, (batch and time in the order of the module, C) of an LSTM. It has to copy what it keeps: the model may
            change the output in place afterwards.
        layers: names of those to hand over; None for all that `observable` gives.

    Raises:
        VerifyError: if a layer does not exist, or the model runs on several devices within one process.
    """

    def __init__(
        self, model: nn.Module, receive: Callable[[str, nn.Module, Tensor], None], layers: Collection[str] | None = None
    ) -> None:
        if isinstance(model, nn.DataParallel) and len(model.device_ids) > 1:
            raise VerifyError("DataParallel runs copies of the model, which cannot be observed; use DistributedDataParallel")
        self._wrapped = model
        self._model = unwrapped(model)
        self._receive = receive
        self._layers = None if layers is None else frozenset(layers)
        self._modules = _chosen(observable(model), self._layers)
        self._handles: list[Any] = []
        self._calls: Counter[str] = Counter()
        self._depth = 0

    def __enter__(self) -> Observer:
        """Begin to observe.

        Raises:
            VerifyError: if it observes already.
        """
        if self._handles:
            raise VerifyError("the model is observed already; leave the context before entering it again")
        if _is_compiled(self._wrapped):
            torch.compiler.reset()
        self._calls.clear()
        self._depth = 0
        chosen = {id(module) for module in self._modules.values()}
        for module in self._model.modules():
            if id(module) not in chosen and not _calls_no_other(module):
                self._handles.append(module.register_forward_pre_hook(_Hook(self._entered, module)))
                self._handles.append(module.register_forward_hook(_Hook(self._left, module), always_call=True))
        for name, module in self._modules.items():
            self._handles.append(module.register_forward_hook(_Hook(self._called, module, name)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _entered(self, module: nn.Module) -> None:
        if module is self._model or self._depth == 0:
            self._depth = 0
            self._calls.clear()
        self._depth += 1

    def _left(self, _: nn.Module) -> None:
        self._depth -= 1

    def _called(self, module: nn.Module, output: Any, name: str) -> None:
        if self._depth == 0:
            self._calls.clear()
        self._calls[name] += 1
        layer = name if self._calls[name] == 1 else f"{name}:{self._calls[name]}"
        if self._layers is None or layer in self._layers:
            tensor = _tensor(output)
            if _has_data(tensor):
                self._receive(layer, module, tensor)


class _Hook:
    """A hook that acts for one module outside of backward passes; in a copy or a pickle of the model it does nothing."""

    def __init__(self, action: Callable[..., None], module: nn.Module, name: str | None = None) -> None:
        self._action = action
        self._uncompiled = torch.compiler.disable(action)  # type: ignore[no-untyped-call]
        self._module = module
        self._name = name

    def __call__(self, module: nn.Module, _: Any, output: Any = None) -> None:
        in_backward_pass = torch._C._current_graph_task_id() != -1
        if module is not self._module or in_backward_pass:
            return
        action = self._uncompiled if torch.compiler.is_compiling() else self._action
        if self._name is None:
            action(module)
        else:
            action(module, output, self._name)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (nullcontext(), "__exit__")  # of the standard library: takes any arguments, returns None


def _chosen(modules: dict[str, nn.Module], layers: Collection[str] | None) -> dict[str, nn.Module]:
    if layers is None:
        return modules
    names = {layer.partition(":")[0]: layer for layer in sorted(layers)}
    for name, layer in names.items():
        if name not in modules:
            hint = did_you_mean(name, modules, "convolutions, linear layers and LSTMs that are modules can be")
            raise VerifyError(f"layer {layer!r} cannot be observed; {hint}")
    return {name: module for name, module in modules.items() if name in names}


def _calls_no_other(module: nn.Module) -> bool:
    """Whether a module is one of torch's own without parts, such as an activation, within which no layer is called."""
    return type(module).__module__.startswith("torch.nn.modules.") and next(module.children(), None) is None


def _is_compiled(model: nn.Module) -> bool:
    """Whether torch.compile, which takes no note of later hooks, has been applied to a model or a part of it."""
    compiled = (type(module).__module__.startswith("torch._dynamo.") or module._compiled_call_impl for module in model.modules())
    return any(compiled)


def _has_data(tensor: Tensor) -> bool:
    from torch._subclasses.fake_tensor import FakeTensor

    return tensor.device.type != "meta" and not isinstance(tensor, FakeTensor)


def _tensor(output: Any) -> Tensor:
    """The features in what a module returns; an LSTM returns its states with them."""
    first = output[0] if isinstance(output, tuple) and not isinstance(output, PackedSequence) else output
    tensor: Tensor = first.data if isinstance(first, PackedSequence) else first
    return tensor.detach()
