"""Follow which content each tensor holds.

Content is followed by storage, not by object: a view shares a `Cell` with the tensor it was taken from, an in-place
operator gives the cell new content, and whoever reads the cell through another view afterwards reads the new content.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Any

import torch

from rfcheck.graph.memory import lies_like, sharing
from rfcheck.graph.records import SCATTER, UNSEEN, TensorArg, ViewStep

NO_PARAMS: frozenset[str] = frozenset()
"""Of a tensor that holds nothing of any parameter."""


class Cell:
    """Content shared by a tensor and all views of it.

    Attributes:
        value: identity of the content; None for constants.
        shape: of the tensor that owns the storage.
        version: counts the writes.
        is_foreign: whether the storage existed before the recording.
        origin: of a constant, as in `TensorArg`.
    """

    __slots__ = ("is_foreign", "origin", "shape", "value", "version")

    def __init__(self, value: int | None, shape: tuple[int, ...], origin: int, *, is_foreign: bool) -> None:
        self.origin = origin
        self.value = value
        self.version = 0
        self.shape = shape
        self.is_foreign = is_foreign

    def is_covered_by(self, shape: tuple[int, ...], path: tuple[ViewStep, ...]) -> bool:
        """Whether a view along a path covers all of the storage."""
        return math.prod(shape) == math.prod(self.shape) and all("expand" not in step.func._opname for step in path)


class Entry:
    """What is known of one tensor object."""

    __slots__ = ("cell", "holder", "params", "path", "value", "version")

    def __init__(self, holder: Any, cell: Cell, path: tuple[ViewStep, ...], value: int | None, params: frozenset[str]) -> None:
        self.holder = holder
        self.cell = cell
        self.path = path
        self.value = value
        self.version = cell.version
        self.params = params


class Storages:
    """What is known of every tensor of a recording.

    Args:
        hold: keep every tensor alive, instead of weak references.
        append: records what a read or a write through views does, as `Recorder` does with operators, in the module that is running;
            returns the content of its result.
        take_in: declares that a tensor holds what something other than torch made of the image.
    """

    def __init__(
        self,
        *,
        hold: bool,
        append: Callable[[Any, tuple[Any, ...], dict[str, Any], list[TensorArg], tuple[int, ...]], int],
        take_in: Callable[[torch.Tensor], int],
    ) -> None:
        self._hold = hold
        self._append = append
        self._take_in = take_in
        self._entries: dict[int, Entry] = {}

    def register(
        self,
        tensor: torch.Tensor,
        value: int | None,
        params: frozenset[str] = NO_PARAMS,
        cell: Cell | None = None,
        path: tuple[ViewStep, ...] = (),
        *,
        origin: int = 0,
        is_foreign: bool = False,
    ) -> None:
        """Note what a tensor holds: a content or, of a constant, parameters; of a view, what it is a view of and by which steps."""
        holder = tensor if self._hold else weakref.ref(tensor)
        if cell is None:
            cell = Cell(value, tuple(tensor.shape), origin, is_foreign=is_foreign)
        self._entries[id(tensor)] = Entry(holder, cell, path, value, params)

    def find(self, tensor: torch.Tensor) -> Entry | None:
        """What is known of a tensor; None where the recording has not seen it."""
        entry = self._entries.get(id(tensor))
        if entry is None or self._hold or entry.holder() is tensor:
            return entry
        return None

    def read(self, entry: Entry) -> int | None:
        """The content of an entry, taken anew through its views where another view has written to it."""
        cell = entry.cell
        if entry.version != cell.version:
            value = cell.value
            shape = cell.shape
            for step in entry.path:
                if value is None:
                    break
                base = TensorArg(value, shape)
                args = tuple(base if isinstance(a, TensorArg) else a for a in step.args)
                value = self._append(step.func, args, step.kwargs, [base], step.shape)
                shape = step.shape
            entry.value = value
            entry.version = cell.version
        return entry.value

    def value_of(self, tensor: torch.Tensor) -> int | None:
        """Identity of the content that a tensor holds now; None where it does not depend on the image."""
        entry = self.find(tensor)
        return None if entry is None else self.read(entry)

    def is_written(self, tensor: torch.Tensor) -> bool:
        """Whether anything was written to a tensor since it was made."""
        entry = self.find(tensor)
        return entry is not None and entry.cell.version > 0

    def is_foreign(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor existed before the recording."""
        entry = self.find(tensor)
        return entry is None or entry.cell.is_foreign

    def register_views(
        self,
        func: Any,
        base: torch.Tensor,
        ref_args: tuple[Any, ...],
        ref_kwargs: dict[str, Any],
        views: list[tuple[int, torch.Tensor]],
        values: list[int | None],
        refs: list[TensorArg],
    ) -> None:
        """Note views of a tensor, each with its place among the results of the operator that made them.

        Args:
            func: the operator.
            base: what they are views of.
            ref_args: what the operator was called with.
            ref_kwargs: the same, by name.
            views: the views with their places.
            values: content of each result.
            refs: the tensors among the arguments.
        """
        entry = self.find(base)
        if entry is None:
            self.register(base, None, origin=UNSEEN, is_foreign=True)
            entry = self._entries[id(base)]
        params = named_in(refs)
        for slot, tensor in views:
            step = ViewStep(func, ref_args, ref_kwargs, slot, tuple(tensor.shape))
            self.register(tensor, values[slot], params, entry.cell, (*entry.path, step))

    def rebind(self, target: torch.Tensor, source: Any) -> None:
        """Follow a tensor object that is made to stand for other storage; what it stood for stays as it was."""
        entry = self.find(source) if isinstance(source, torch.Tensor) else None
        if entry is None:
            self.register(target, None, origin=0 if source is None else UNSEEN)
            self.follow_memory(target)
        else:
            self.register(target, self.read(entry), entry.params, entry.cell, entry.path)

    def follow_memory(self, target: torch.Tensor) -> int | None:
        """Content of a tensor whose storage was given to it (``set_``, ``.data =``), if something made of the image lies there."""
        held = (entry.holder if self._hold else entry.holder() for entry in self._entries.values())
        others = [(t, self._entries[id(t)]) for t in sharing(target, [t for t in held if t is not None])]
        for tensor, entry in others:
            value = self.read(entry)
            if value is not None:
                if not lies_like(tensor, target):
                    return self._take_in(target)
                self.register(target, value, entry.params, entry.cell, entry.path)
                return value
        return None

    def write(self, targets: list[torch.Tensor], values: list[int | None], origin: int) -> None:
        """Give the written tensors, and with them everything that shares their storage, the new content."""
        for target, value in zip(targets, values, strict=True):
            entry = self.find(target)
            if entry is None:
                self.register(target, None, is_foreign=True)
                entry = self._entries[id(target)]
            cell = entry.cell
            covered = cell.is_covered_by(tuple(target.shape), entry.path)
            if 0 in cell.shape:
                entry.path = ()  # a view of nothing that holds something now was resized, and so was what it is a view of
            if not entry.path or (covered and value is None):
                cell.value = value
                if not entry.path:
                    cell.shape = tuple(target.shape)  # it may have been resized
            elif value is not None:
                base = TensorArg(None if covered else cell.value, cell.shape)
                source = TensorArg(value, tuple(target.shape))
                refs = [source] if base.value is None else [base, source]
                cell.value = self._append(SCATTER, (base, source, entry.path), {}, refs, cell.shape)
            cell.origin = origin
            cell.version += 1
            entry.value = value
            entry.version = cell.version


def named_in(refs: list[TensorArg]) -> frozenset[str]:
    """The parameters that some arguments hold."""
    named = [ref.params for ref in refs if ref.params]
    if len(named) == 1:
        return named[0]
    return frozenset().union(*named)
