"""The model that fixes are sought for, with everything known of it."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from rfcheck.analysis.network import Network
from rfcheck.config import Settings
from rfcheck.errors import FixError
from rfcheck.fixes.outcome import Outcome, outcome_of_network
from rfcheck.fixes.outer_graph import OuterForwards, outwards

if TYPE_CHECKING:
    import networkx as nx


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Subject:
    """A model and its analysis.

    Attributes:
        model: stays as it is.
        network: what is known of it at the input size.
        settings: what decided the numbers.
    """

    model: nn.Module
    network: Network
    settings: Settings

    @property
    def graph(self) -> nx.DiGraph:
        """The traced graph."""
        return self.network.graph

    @cached_property
    def modules(self) -> dict[str, nn.Module]:
        """Modules by dotted name, each under its first one."""
        return dict(self.model.named_modules())

    @cached_property
    def before(self) -> Outcome:
        """The model as it is, in numbers."""
        return outcome_of_network(self.network)

    @cached_property
    def blocks(self) -> frozenset[str]:
        """Building blocks: modules of classes with a forward of their own and several instances; no cut goes through one."""
        types = Counter(type(module) for module in self.modules.values())
        return frozenset(path for path, module in self.modules.items() if types[type(module)] > 1 and _has_own_forward(module))

    @cached_property
    def itemsize(self) -> int:
        """Bytes of a number in a feature map."""
        dtype = next((p.dtype for p in self.model.parameters() if p.dtype.is_floating_point), torch.get_default_dtype())
        return dtype.itemsize

    def is_plain_sequence(self, path: str) -> bool:
        """Whether a module hands on from child to child, and does nothing else."""
        module = self.modules[path]
        return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward

    @cached_property
    def looks_at_sizes(self) -> bool:
        """Whether the user's forwards, or what they call, read the shapes of tensors, so that other sizes may take other ways."""
        own = [module for module in self.modules.values() if not _is_from_torch(type(module))]
        functions = (value for module in own for value in vars(module).values() if isinstance(value, FunctionType))
        return any(_SIZES & _names_in(code) for code in {*map(type, own), *functions})

    def is_looked_at(self, path: str) -> bool:
        """Whether code outside a module may depend on its parameters or attributes: hooks, or forwards that read them."""
        return has_own_ways(self.modules[path]) or self._reads_layers

    @cached_property
    def _reads_layers(self) -> bool:
        """Whether the user's forwards, or what they call, read what layers are made of."""
        types: set[Any] = {type(module) for module in self.modules.values() if not _is_from_torch(type(module))}
        return any(_LAYER_ATTRIBUTES & _names_in(cls) for cls in types)

    def outer_graph(self, path: str) -> fx.Graph:
        """The graph of the forwards around a module and of its own, made once.

        Raises:
            FixError: if torch.fx cannot follow them.
        """
        known = self._outer_graphs
        if path not in known:
            try:
                known[path] = OuterForwards.around(self.model, outwards(path)).trace(self.model)
            except FixError as error:
                known[path] = error
        found = known[path]
        if isinstance(found, FixError):
            raise found
        return found

    @cached_property
    def _outer_graphs(self) -> dict[str, fx.Graph | FixError]:
        return {}

    def replica(self) -> nn.Module:
        """A copy of the model's structure that shares its tensors; for tracing, not for training."""
        tensors = {id(tensor): tensor for tensor in (*self.model.parameters(), *self.model.buffers())}
        return copy.deepcopy(self.model, dict(tensors))


def _is_from_torch(value: Any) -> bool:
    return str(value.__module__).startswith("torch.nn.modules.")


@cache
def _names_in(cls: Any) -> frozenset[str]:
    """The names that a function, or the forward of a class, uses, and the methods and functions that it calls."""
    found: set[str] = set()
    waiting: list[Any] = [cls if isinstance(cls, FunctionType) else cls.__dict__.get("forward", getattr(cls, "forward", None))]
    seen: set[int] = set()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or id(function) in seen or _is_from_torch(function):
            continue
        seen.add(id(function))
        names = function.__code__.co_names
        found.update(names)
        waiting.extend(getattr(cls, name, None) or function.__globals__.get(name) for name in names)
    return frozenset(found)


def has_more_axes(module: nn.Module, axes: int) -> bool:
    """Whether the window of a convolution runs over more than the image axes, as over a series that was given a height."""
    return isinstance(module, CONVOLUTIONS) and len(module.kernel_size) > axes


def has_own_ways(module: nn.Module) -> bool:
    """Whether a module does more than its class says: hooks, a forward of its own, parametrised weights."""
    has_hooks = any(module.__dict__.get(table) for table in _HOOKS)
    return has_hooks or "forward" in module.__dict__ or "parametrizations" in module._modules


_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_SIZES = frozenset({"shape", "size", "numel", "nelement"})
_LAYER_ATTRIBUTES = frozenset({"weight", "bias", "kernel_size", "stride", "padding", "in_channels", "out_channels", "dilation"})


def _has_own_forward(module: nn.Module) -> bool:
    return not _is_from_torch(type(module)) and type(module).forward is not nn.Sequential.forward
