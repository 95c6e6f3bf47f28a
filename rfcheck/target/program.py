"""Models that are read from a file: a list of operators, run through a tree of modules that stands for the original one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import nn

from rfcheck.printable import printable
from rfcheck.target.budgets import require_shallow
from rfcheck.target.listing import Listing, ModuleCalled, Run, Step, nested

_SAID_AT_MOST = 140
_NEEDS_VALUES = "what it returns depends on values, which a file is read without"


class ProgramError(Exception):
    """A step that cannot be run; names it, and says what to do where the input has another size than the file was written for."""


class Part(nn.Module):
    """Stands for a module of the original model; runs the steps that belong to one call of it."""

    def forward(self, body: Sequence[Step | ModuleCalled], run: Run, received: Any = None) -> None:
        """Run steps, those of inner modules through the parts that stand for these.

        Args:
            body: what to run.
            run: the forward pass.
            received: the first input, for whoever watches the call.
        """
        del received
        for item in body:
            if isinstance(item, ModuleCalled):
                run.modules[item.path](item.body, run, run.values.get(item.reads or ""))
                continue
            try:
                item.apply(run)
            except ProgramError:
                raise
            except Exception as error:
                needs_values = isinstance(error, NotImplementedError)
                raise ProgramError(f"{item.label}: {_NEEDS_VALUES if needs_values else said(error)}") from error


def said(error: Exception) -> str:
    """What went wrong, in one short sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _SAID_AT_MOST else f"{text[: _SAID_AT_MOST - 3]}..."


class Program(Part):
    """A model that is read from a file: the operators in order, each inside the part that stands for its module.

    Parts have the names, class names and parameters of the original modules. No tensor holds data.
    """

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self._listing = listing
        self._body = nested(listing.steps)
        _grow(self, listing)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:  # type: ignore[override]
        """Run the program.

        Args:
            image: (N, C, *axes).

        Returns:
            What the model returns, as a flat list.

        Raises:
            ProgramError: if a step cannot be run at this size.
        """
        listing = self._listing
        run = Run(dict(listing.constants), dict(self.named_modules()), is_resized=False)
        run.is_resized = self._differs(image, range(2, image.dim()))
        run.values[listing.input_name] = image
        for value, name in listing.tensors.items():
            path, _, leaf = name.rpartition(".")
            part = run.modules[path]
            run.values[value] = part._parameters[leaf] if leaf in part._parameters else part._buffers[leaf]
        try:
            super().forward(self._body, run)
        except ProgramError as error:
            differs = run.is_resized or self._differs(image, (0,))
            raise (ProgramError(f"{error}; {self._remedy()}") if differs else error) from error.__cause__
        returned = [run.values.get(name) for name in listing.outputs]
        return [tensor for tensor in returned if isinstance(tensor, torch.Tensor)]

    def _differs(self, image: torch.Tensor, dimensions: Iterable[int]) -> bool:
        """Whether dimensions have other sizes than the file was made for."""
        sizes = self._listing.input_sizes
        if len(sizes) != image.dim():
            raise ProgramError(f"the {self._listing.source} takes an input of {len(sizes)} dimensions, not of {image.dim()}")
        return any(sizes[dimension] not in (None, image.shape[dimension]) for dimension in dimensions)

    def _remedy(self) -> str:
        batch, *sizes = self._listing.input_sizes
        made_for = "x".join("any" if size is None else str(size) for size in sizes)
        images = "" if batch in (None, 1) else f" and {batch} images"
        return f"the {self._listing.source} was made for {made_for}{images}: {self._listing.remedy}"


def _grow(program: Program, listing: Listing) -> None:
    """Give a program its parts, with their parameters and buffers."""
    types = dict(listing.modules)
    for step in listing.steps:
        for scope in step.scopes or ():
            types.setdefault(scope.path, scope.type)
    parts: dict[str, nn.Module] = {"": program}
    program.__class__ = _class_named(listing.type, Program)
    for path in (*types, *listing.parameters, *listing.buffers):
        require_shallow(path.count(".") + 1, path)
    for path in types:
        _part(parts, path, types)
    for name, tensor in listing.parameters.items():
        path, _, leaf = name.rpartition(".")
        _part(parts, path, types)._parameters[leaf] = nn.Parameter(tensor, requires_grad=False)
    for name, tensor in listing.buffers.items():
        path, _, leaf = name.rpartition(".")
        _part(parts, path, types)._buffers[leaf] = tensor
    for path, attributes in listing.attributes.items():
        vars(parts[path]).update(attributes)


def _part(parts: dict[str, nn.Module], path: str, types: Mapping[str, str]) -> nn.Module:
    """The part of a dotted name; written into the tables of modules, since a file may have names that modules use themselves."""
    part = parts.get(path)
    if part is None:
        outer, _, name = path.rpartition(".")
        part = parts[path] = _class_named(types.get(path, "Module"), Part)()
        _part(parts, outer, types)._modules[name] = part
    return part


@cache
def _class_named(name: str, base: type[nn.Module]) -> type[Any]:
    """A class of another name that does the same."""
    return type(printable(name), (base,), {"__module__": __name__})
