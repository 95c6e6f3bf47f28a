"""Record every operator of a forward pass, and follow which content each tensor holds.

Content is followed by storage, not by object: a view shares a `_Cell` with the tensor it was taken from, an in-place
operator gives the cell new content, and whoever reads the cell through another view afterwards reads the new content.
"""

from __future__ import annotations

import logging
import math
import sys
import weakref
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rfcheck.frames import user_frames
from rfcheck.graph.attention_bytes import HIDDEN_VIEWS, bytes_taken_apart, is_fused
from rfcheck.graph.constants import Constants
from rfcheck.graph.flops import formula_of
from rfcheck.graph.memory import lacks_memory, lies_like, sharing
from rfcheck.graph.packed import is_packed, unpacked
from rfcheck.graph.records import (
    COPYING,
    OUTSIDE,
    SCATTER,
    UNSEEN,
    UNWRITTEN,
    ConstantRecord,
    ModuleCall,
    OpRecord,
    Recording,
    TensorArg,
    TensorOut,
    ViewStep,
)
from rfcheck.graph.recurrence import RECURRENT_LAYERS, results
from rfcheck.graph.shapes import SHAPE_RULES
from rfcheck.graph.taking_apart import parts_of, parts_of_unknown

_LOG = logging.getLogger("rfcheck")
_MANY = 200_000
"""After so many operators, and again after as many more, it is said that a recording is long."""

_NO_PARAMS: frozenset[str] = frozenset()
_NOTHING: Mapping[int, torch.Tensor] = {}

_LIKE = ("empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like")
_NEW = ("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided")
_EMPTY = frozenset({"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"})
_DRAWS = ("normal_", "uniform_", "exponential_", "random_", "geometric_", "cauchy_", "log_normal_")
_CONTENT_FREE = frozenset({*_LIKE, *_NEW, *_DRAWS, "zero_", "zero"})
"""Operators that take a tensor for its shape only; what they return does not depend on what it holds."""

_VIEWS_IN_PLACE = frozenset({"squeeze_", "unsqueeze_", "transpose_", "t_", "swapaxes_", "swapdims_", "detach_", "as_strided_"})
"""Operators that make a tensor object a view of what it was; their schemas say that they write to it."""


_BY_VALUE = frozenset(
    {
        *("index", "_unsafe_index", "index_select", "gather", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"),
        *("index_copy", "index_copy_", "index_add", "index_add_", "index_fill", "index_fill_", "take"),
    }
)
"""Operators whose meaning depends on the values of an index."""

_SAMPLES = frozenset({"grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "deform_conv2d"})
_BY_PLACES = _SAMPLES | {"add", "add_", "sub", "sub_", "rsub", "mul", "mul_", "div", "div_"}
"""Operators whose meaning depends on the values of places in the image, and the arithmetic by which those are put together."""


class _Cell:
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


class _Entry:
    """What is known of one tensor object."""

    __slots__ = ("cell", "holder", "params", "path", "value", "version")

    def __init__(self, holder: Any, cell: _Cell, path: tuple[ViewStep, ...], value: int | None, params: frozenset[str]) -> None:
        self.holder = holder
        self.cell = cell
        self.path = path
        self.value = value
        self.version = cell.version
        self.params = params


class _Signature:
    """Aliasing of one operator, from its schema.

    Attributes:
        written: position and name of the arguments that it writes to.
        makes: whether it returns tensors of its own beside those that it writes to.
        view_of: position of the argument that its results are views of.
        parts: what computes it by calls of other operators, which are recorded in its place.
        parts_of_unknown: the same for an operator that nothing is known of; on constants, their values say more than that.
        is_fused: whether it is attention in one kernel.
    """

    __slots__ = (
        "by_memory",
        "by_places",
        "by_value",
        "content_free",
        "copies",
        "is_fused",
        "makes",
        "parts",
        "parts_of_unknown",
        "rebinds",
        "resizes",
        "turns",
        "view_of",
        "written",
    )

    def __init__(self, func: Any) -> None:
        schema = func._schema
        self.turns = func._opname in _VIEWS_IN_PLACE
        writes = [] if self.turns else [(i, a.name) for i, a in enumerate(schema.arguments) if a.is_write]
        self.written: list[tuple[int, str]] = writes
        viewed = [i for i, a in enumerate(schema.arguments) if a.alias_info is not None and not a.alias_info.is_write]
        returns_view = any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
        self.view_of: int | None = viewed[0] if viewed and returns_view else 0 if self.turns else None
        self.makes = not self.written or any(r.alias_info is None for r in schema.returns)
        self.content_free = func._opname in _CONTENT_FREE
        self.copies = func._opname in COPYING
        self.rebinds = func._opname == "set_"
        self.resizes = func._opname == "resize_"
        self.parts = parts_of(func)
        self.parts_of_unknown = parts_of_unknown(func)
        self.is_fused = is_fused(func)
        self.by_value = func._opname in _BY_VALUE
        self.by_places = func._opname in _BY_PLACES
        self.by_memory = func._opname == "as_strided"

    def targets(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
        """The tensors that a call writes to."""
        given = [args[i] if i < len(args) else kwargs.get(name) for i, name in self.written]
        return [target for target in _flat(given) if isinstance(target, torch.Tensor)]


@cache
def _signature(func: Any) -> _Signature:
    return _Signature(func)


_Mode: Any = TorchDispatchMode


class Recorder(_Mode):  # type: ignore[misc]
    """Records operators while active; use as a context manager around one forward pass.

    Args:
        hold_tensors: keep every tensor alive while recording, instead of weak references. That is free where there is no data,
            and then recurrent layers compute no steps either.
        use_shape_rules: derive common output shapes without running torch's kernels (meta tensors only).
        before_write: called with each tensor that existed before the recording and is about to be written to.
        locate: take note of the user's code that calls functions.
        originals: the tensors with data that others stand for, by identity of the stand-in.
    """

    def __init__(
        self,
        *,
        hold_tensors: bool,
        use_shape_rules: bool,
        before_write: Callable[[torch.Tensor], None] = lambda _: None,
        locate: bool = False,
        originals: Mapping[int, torch.Tensor] = _NOTHING,
    ) -> None:
        super().__init__()
        self.recording = Recording()
        self.left: dict[str, TensorArg] = {}
        self.current = ModuleCall("", "", 1, is_leaf=False)
        self.failed_call: ModuleCall | None = None
        self.failed_shapes: list[tuple[int, ...]] = []
        self._hold = hold_tensors
        self._shape_rules = SHAPE_RULES if use_shape_rules else {}
        self._before_write = before_write
        self._locate = locate
        self._entries: dict[int, _Entry] = {}
        self._next_value = 0
        self._constants = Constants(originals, self._is_written)
        self._input_shape: tuple[int, ...] = ()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch would import its compiler to keep it out of this mode; no compiled code runs here."""
        return False

    def add_input(self, image: torch.Tensor) -> None:
        """Declare the tensor that everything is traced back to."""
        self.recording.input_value = self._new_value()
        self._input_shape = tuple(image.shape)
        self._register(image, self.recording.input_value)

    def add_parameter(self, tensor: torch.Tensor, name: str) -> None:
        """Declare a constant and the parameter that it stands for."""
        self._register(tensor, None, params=frozenset((name,)), is_foreign=True)

    def add_constant(self, tensor: torch.Tensor) -> None:
        """Declare a tensor that the model holds beside its parameters."""
        if self._find(tensor) is None:
            self._register(tensor, None, is_foreign=True)

    def let_go(self, tensor: torch.Tensor, how: str) -> None:
        """Take note that the values of a tensor leave torch. Through an array they can also be written to, out of sight."""
        entry = self._find(tensor)
        if entry is None:
            return
        value = self._read(entry)
        if value is not None:
            self.left[how] = TensorArg(value, tuple(tensor.shape))
        elif how != "item":
            entry.cell.origin = max(entry.cell.origin, UNSEEN)

    def take_in(self, tensor: torch.Tensor) -> int:
        """Declare that a tensor holds what something other than torch made of the image, of what left torch if that was seen."""
        sources = list(self.left.values())
        if not sources:
            records = self.recording.records
            last = records[-1].outputs[0] if records else None
            sources = [TensorArg(last.value, last.shape) if last else TensorArg(self.recording.input_value, self._input_shape)]
        shape = tuple(tensor.shape)
        value = self._append(
            OUTSIDE, tuple(self.left), {}, sources, [(shape, tensor.numel() * tensor.element_size())], self.current
        )[0]
        self._register(tensor, value)
        return value

    def value_of(self, tensor: torch.Tensor) -> int | None:
        """Identity of the content that a tensor holds now; None where it does not depend on the image."""
        entry = self._find(tensor)
        return None if entry is None else self._read(entry)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        signature = _signature(func)
        if signature.parts is not None:
            with self:
                return signature.parts(*args, **kwargs)
        for target in signature.targets(args, kwargs):
            entry = self._find(target)
            if entry is None or entry.cell.is_foreign:
                self._before_write(target)
        refs: list[TensorArg] = []
        ref_args = tuple([self._reference(a, refs) for a in args])
        ref_kwargs = {k: self._reference(v, refs) for k, v in kwargs.items()} if kwargs else kwargs
        if signature.parts_of_unknown is not None and not signature.content_free and any(ref.value is not None for ref in refs):
            with self:
                return signature.parts_of_unknown(*args, **kwargs)
        if signature.by_value:
            self._attach_values([*args, *kwargs.values()], [*ref_args, *ref_kwargs.values()])
        elif signature.by_places:
            given, refs_given = [*args, *kwargs.values()], [*ref_args, *ref_kwargs.values()]
            self._attach_places(given, refs_given, whatever=func._opname in _SAMPLES)
        try:
            shape_rule = self._shape_rules.get(func)
            out = NotImplemented if shape_rule is None else shape_rule(*args, **kwargs)
            if out is NotImplemented:
                without_steps = self._hold and func in RECURRENT_LAYERS
                out = results(func, args) if without_steps else func(*args, **kwargs)
        except Exception:
            self.failed_shapes = [ref.shape for ref in refs]
            raise
        if is_packed(func, args):
            func, ref_args, sizes = unpacked(args[1], refs[0], self.current.path)
            refs, ref_kwargs = [arg for arg in ref_args if isinstance(arg, TensorArg)], {}
            self.recording.packed.update(sizes)
        self._record(func, signature, args, kwargs, ref_args, ref_kwargs, refs, out)
        return out

    def _new_value(self) -> int:
        self._next_value += 1
        return self._next_value - 1

    def _register(
        self,
        tensor: torch.Tensor,
        value: int | None,
        params: frozenset[str] = _NO_PARAMS,
        cell: _Cell | None = None,
        path: tuple[ViewStep, ...] = (),
        *,
        origin: int = 0,
        is_foreign: bool = False,
    ) -> None:
        holder = tensor if self._hold else weakref.ref(tensor)
        if cell is None:
            cell = _Cell(value, tuple(tensor.shape), origin, is_foreign=is_foreign)
        self._entries[id(tensor)] = _Entry(holder, cell, path, value, params)

    def _made_parameter(self, tensor: torch.Tensor) -> frozenset[str]:
        """The parameter of a layer that was made in the forward, under a name that no parameter of a model has."""
        name = f"made in forward {len(self.recording.made)}"
        self.recording.made[name] = tensor
        self._register(tensor, None, params=frozenset((name,)))
        return frozenset((name,))

    def _is_written(self, tensor: torch.Tensor) -> bool:
        entry = self._find(tensor)
        return entry is not None and entry.cell.version > 0

    def _attach_values(self, args: list[Any], refs: list[Any], first: int = 0) -> None:
        """Note the values of constants by which an operator chooses entries; in the first dimensions there are no positions."""
        for place, (arg, ref) in enumerate(zip(args, refs, strict=True)):
            if isinstance(ref, list):
                self._attach_values(list(arg), ref, first=2)
            elif isinstance(ref, TensorArg) and ref.value is None and not arg.is_floating_point():
                ref.data = self._constants.values(arg)
                if ref.data is None and place >= first and self._find(arg) is None:
                    self.recording.lacks_values = True

    def _attach_places(self, args: list[Any], refs: list[Any], *, whatever: bool) -> None:
        """Note the values of constants that can be places in an image: ``whatever`` their shape, or numbers by twos and threes."""
        for arg, ref in zip(args, refs, strict=True):
            is_constant = isinstance(ref, TensorArg) and ref.value is None and not ref.params
            if is_constant and len(ref.shape) > 2 and (whatever or ref.shape[-1] in (2, 3) or ref.shape[1] in (2, 3)):
                ref.data = self._constants.values(arg)

    def _find(self, tensor: torch.Tensor) -> _Entry | None:
        entry = self._entries.get(id(tensor))
        if entry is None or self._hold or entry.holder() is tensor:
            return entry
        return None

    def _read(self, entry: _Entry) -> int | None:
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
                value = self._append(step.func, args, step.kwargs, [base], [(step.shape, 0)], self.current)[0]
                shape = step.shape
            entry.value = value
            entry.version = cell.version
        return entry.value

    def _reference(self, arg: Any, refs: list[TensorArg]) -> Any:
        if isinstance(arg, torch.Tensor):
            entry = self._find(arg)
            shape = tuple(arg.shape)
            is_mask = arg.dtype is torch.bool
            if entry is None and self._hold and lacks_memory(arg):
                raise NotImplementedError("values leave torch through memory, which needs data")
            if entry is None and arg.numel() > 1 and self.left.keys() - {"item"}:  # arrays have left, this comes from elsewhere
                ref = TensorArg(self.take_in(arg), shape, is_mask=is_mask)
            elif entry is None:
                ref = TensorArg(None, shape, is_mask=is_mask, origin=UNSEEN)
            else:
                ref = TensorArg(self._read(entry), shape, entry.params, is_mask, origin=entry.cell.origin)
            if ref.value is None and not ref.params and isinstance(arg, torch.nn.Parameter):
                ref.params = self._made_parameter(arg)
            refs.append(ref)
            return ref
        if isinstance(arg, (list, tuple)) and arg and any(isinstance(a, torch.Tensor) for a in arg):
            return [self._reference(a, refs) for a in arg]
        return arg

    def _append(
        self,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        refs: list[TensorArg],
        outs: list[tuple[tuple[int, ...], int]],
        call: ModuleCall,
    ) -> list[int]:
        outputs = [TensorOut(self._new_value(), shape, fresh) for shape, fresh in outs]
        recorded = len(self.recording.records) + 1
        if recorded % _MANY == 0:
            where = call.path or "the model"
            _LOG.warning("%s operators recorded so far, the last in %s; the forward may loop over data", f"{recorded:,}", where)
        frames = user_frames(sys._getframe()) if self._locate and not call.from_torch else ()
        self.recording.records.append(OpRecord(func, args, kwargs, refs, outputs, call, frames))
        return [out.value for out in outputs]

    def _record(
        self,
        func: Any,
        signature: _Signature,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        ref_args: tuple[Any, ...],
        ref_kwargs: dict[str, Any],
        refs: list[TensorArg],
        out: Any,
    ) -> None:
        tensors = [out] if isinstance(out, torch.Tensor) else [t for t in _flat(out) if isinstance(t, torch.Tensor)]
        written: list[torch.Tensor] = []
        if signature.written:  # what it returns is what it wrote to, tensors of its own, or both
            if signature.rebinds:
                self._rebind(args[0], args[1] if len(args) > 1 else None)
                return
            written = signature.targets(args, kwargs)
            tensors = [t for t in tensors if all(t is not w for w in written)] if signature.makes else []
        elif not tensors:
            return
        read = refs[1:] if signature.copies else refs
        is_emptied = signature.resizes and args[0].numel() == 0
        depends = not signature.content_free and not is_emptied and any(ref.value is not None for ref in read)
        is_costly = not depends and bool(refs) and formula_of(func) is not None
        if is_costly:
            depends = self._took_in_inputs((*args, *kwargs.values()), refs)
        values: list[int | None]
        if depends:
            fresh = signature.view_of is None and func._opname not in HIDDEN_VIEWS
            outs = [(tuple(t.shape), t.numel() * t.element_size() if fresh else 0) for t in tensors]
            outs += [(tuple(t.shape), 0) for t in written]
            if signature.is_fused:
                outs[0] = (outs[0][0], bytes_taken_apart(func, args, kwargs))
            values = list(self._append(func, ref_args, ref_kwargs, refs, outs, self.current))
            if signature.by_memory:
                self.recording.records[-1].memory = (args[0].stride(), args[0].storage_offset())
        else:
            values = [None] * (len(tensors) + len(written))
            if self._hold and not signature.written and not any(ref.params for ref in refs):
                self._constants.note(tensors, func, args, kwargs)
            if is_costly:
                shape = tuple(tensors[0].shape) if tensors else ()
                self.recording.constants.append(ConstantRecord(func, ref_args, ref_kwargs, refs, shape, self.current))
        origin = 0 if depends else self._origin_of(func, signature, read)
        if written:
            self._write(written, values[len(tensors) :], origin)
        if signature.view_of is not None:
            base = args[signature.view_of]
            viewed = [(i, t) for i, t in enumerate(tensors) if signature.turns or t is not base]
            self._register_views(func, base, ref_args, ref_kwargs, viewed, values, refs)
        elif tensors:
            params = _NO_PARAMS if depends else _union(refs)
            for tensor, value in zip(tensors, values, strict=False):
                self._register(tensor, value, params, origin=origin)

    def _took_in_inputs(self, given: tuple[Any, ...], refs: list[TensorArg]) -> bool:
        """Whether a layer reads what something other than torch may have made of the image, which is followed from here on."""
        tensors = [t for t in _flat(given) if isinstance(t, torch.Tensor)]
        for tensor, ref in zip(tensors, refs, strict=True):
            if not ref.params and not self._is_foreign(tensor):
                ref.value = self._follow_memory(tensor)
            if not ref.params and ref.value is None and (ref.origin == UNWRITTEN or (ref.origin == UNSEEN and not self._hold)):
                ref.value = self.take_in(tensor)
        return any(ref.value is not None for ref in refs)

    def _is_foreign(self, tensor: torch.Tensor) -> bool:
        entry = self._find(tensor)
        return entry is None or entry.cell.is_foreign

    @staticmethod
    def _origin_of(func: Any, signature: _Signature, read: list[TensorArg]) -> int:
        """Origin of what an operator makes of constants."""
        if func._opname in _EMPTY:
            return UNWRITTEN
        if signature.content_free:
            return 0
        written = {position for position, _ in signature.written}  # random values and the like are written over what was there
        return max((ref.origin for i, ref in enumerate(read) if signature.copies or i not in written), default=0)

    def _register_views(
        self,
        func: Any,
        base: torch.Tensor,
        ref_args: tuple[Any, ...],
        ref_kwargs: dict[str, Any],
        views: list[tuple[int, torch.Tensor]],
        values: list[int | None],
        refs: list[TensorArg],
    ) -> None:
        entry = self._find(base)
        if entry is None:
            self._register(base, None, origin=UNSEEN, is_foreign=True)
            entry = self._entries[id(base)]
        params = _union(refs)
        for slot, tensor in views:
            step = ViewStep(func, ref_args, ref_kwargs, slot, tuple(tensor.shape))
            self._register(tensor, values[slot], params, entry.cell, (*entry.path, step))

    def _rebind(self, target: torch.Tensor, source: Any) -> None:
        """Follow a tensor object that is made to stand for other storage; what it stood for stays as it was."""
        entry = self._find(source) if isinstance(source, torch.Tensor) else None
        if entry is None:
            self._register(target, None, origin=0 if source is None else UNSEEN)
            self._follow_memory(target)
        else:
            self._register(target, self._read(entry), entry.params, entry.cell, entry.path)

    def _follow_memory(self, target: torch.Tensor) -> int | None:
        """Content of a tensor whose storage was given to it (``set_``, ``.data =``), if something made of the image lies there."""
        held = (entry.holder if self._hold else entry.holder() for entry in self._entries.values())
        others = [(t, self._entries[id(t)]) for t in sharing(target, [t for t in held if t is not None])]
        for tensor, entry in others:
            value = self._read(entry)
            if value is not None:
                if not lies_like(tensor, target):
                    return self.take_in(target)
                self._register(target, value, entry.params, entry.cell, entry.path)
                return value
        return None

    def _write(self, targets: list[torch.Tensor], values: list[int | None], origin: int) -> None:
        """Give the written tensors, and with them everything that shares their storage, the new content."""
        for target, value in zip(targets, values, strict=True):
            entry = self._find(target)
            if entry is None:
                self._register(target, None, is_foreign=True)
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
                cell.value = self._append(SCATTER, (base, source, entry.path), {}, refs, [(cell.shape, 0)], self.current)[0]
            cell.origin = origin
            cell.version += 1
            entry.value = value
            entry.version = cell.version


def _flat(out: Any) -> list[Any]:
    """The tensors of an operator's result, lists inside tuples included."""
    if not isinstance(out, (list, tuple)):
        return [out]
    return [item for part in out for item in _flat(part)]


def _union(refs: list[TensorArg]) -> frozenset[str]:
    named = [ref.params for ref in refs if ref.params]
    if len(named) == 1:
        return named[0]
    return frozenset().union(*named)
