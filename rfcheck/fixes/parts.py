"""New modules, as data: they can be made, and written as Python."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class Part:
    """A module of torch.nn and its arguments."""

    kind: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def make(self, like: torch.Tensor | None) -> nn.Module:
        """The module, with newly initialised parameters on the device and in the type of a tensor."""
        if like is None:
            return self._build()
        with torch.device(like.device):
            return self._build().to(like.dtype)

    def _build(self) -> nn.Module:
        made: nn.Module = getattr(nn, self.kind)(*self.args, **dict(self.kwargs))
        return made

    @property
    def has_parameters(self) -> bool:
        """Whether the module holds weights."""
        return self.kind.startswith(("Conv", "Linear"))

    def code(self) -> str:
        """A Python expression that makes the module."""
        arguments = [repr(value) for value in self.args] + [f"{name}={value!r}" for name, value in self.kwargs]
        return f"nn.{self.kind}({', '.join(arguments)})"


@dataclass(frozen=True, slots=True)
class Container:
    """Parts one after the other, each under a name of its own."""

    parts: tuple[tuple[str, Part], ...]

    def make(self, like: torch.Tensor | None) -> nn.Module:
        """The parts in an nn.Sequential."""
        return nn.Sequential(OrderedDict((name, part.make(like)) for name, part in self.parts))

    @property
    def has_parameters(self) -> bool:
        """Whether any part holds weights."""
        return any(part.has_parameters for _, part in self.parts)

    def code(self) -> str:
        """A Python expression that makes the container."""
        return f"nn.Sequential(OrderedDict({', '.join(f'{name}={part.code()}' for name, part in self.parts)}))"


IDENTITY = Part("Identity")


def named_apart(name: str, part: Part, taken: set[str]) -> Container:
    """A part in a container of its own, so that no parameter takes the name of one with another shape.

    Checkpoints of the original then load with ``strict=False``, which refuses parameters of another shape.

    Args:
        name: wanted for the part.
        part: the part.
        taken: names that are in use where the container is put.
    """
    return Container(((free_name(name, taken), part),))


def free_name(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}{number}", number + 1
    return candidate
