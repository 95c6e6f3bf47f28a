"""What the layers of a model put out, by the names that the analysis gives them, without changing the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

OBSERVED = (nn.modules.conv._ConvNd, nn.Linear, nn.LSTM)
"""Modules whose outputs are measured: those with parameters that make features."""


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of what runs it on several devices or compiles it; the model itself if there is no such thing."""
    for attribute in ("module", "_orig_mod"):
        inner = getattr(model, attribute, None)
        if isinstance(inner, nn.Module) and type(model).__module__.startswith("torch."):
            return unwrapped(inner)
    return model


def observable(model: nn.Module) -> dict[str, nn.Module]:
    """The modules of a model whose outputs are measured, by their dotted names; each once."""
    return {name: module for name, module in unwrapped(model).named_modules() if isinstance(module, OBSERVED)}


class Observer:
    """Hands over what layers put out, as long as the context lasts.

    A module that is called several times in one forward pass makes several layers: ``conv``, ``conv:2`` and so on.

    Args:
        model: to observe.
        receive: takes the name of a layer, its module and its output: (N, C, *positions) of a convolution, (N, *positions, C) of a
            linear layer, (batch and time in the order of the module, C) of an LSTM.
        layers: names of those to hand over; None for all that `observable` gives.
    """

    def __init__(
        self, model: nn.Module, receive: Callable[[str, nn.Module, Tensor], None], layers: Collection[str] | None = None
    ) -> None:
        self._model = unwrapped(model)
        self._receive = receive
        self._layers = None if layers is None else frozenset(layers)
        self._handles: list[Any] = []
        self._calls: Counter[str] = Counter()

    def __enter__(self) -> Observer:
        self._handles.append(self._model.register_forward_pre_hook(lambda *_: self._calls.clear()))
        wanted = None if self._layers is None else {name.partition(":")[0] for name in self._layers}
        for name, module in observable(self._model).items():
            if wanted is None or name in wanted:
                self._handles.append(module.register_forward_hook(self._hook(name)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, _: Any, output: Any) -> None:
            self._calls[name] += 1
            layer = name if self._calls[name] == 1 else f"{name}:{self._calls[name]}"
            if self._layers is None or layer in self._layers:
                self._receive(layer, module, _tensor(output))

        return hook


def _tensor(output: Any) -> Tensor:
    """The features in what a module returns; an LSTM returns its states with them."""
    first = output[0] if isinstance(output, tuple) and not isinstance(output, PackedSequence) else output
    tensor: Tensor = first.data if isinstance(first, PackedSequence) else first
    return tensor.detach()
