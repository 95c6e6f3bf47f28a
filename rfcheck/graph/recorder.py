"""Record every operator of a forward pass: what it was called with, and which contents it read and made."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rfcheck.frames import user_frames
from rfcheck.graph.attention_bytes import HIDDEN_VIEWS, bytes_taken_apart
from rfcheck.graph.constants import Constants
from rfcheck.graph.flops import formula_of
from rfcheck.graph.memory import lacks_memory
from rfcheck.graph.packed import is_packed, unpacked
from rfcheck.graph.records import (
    OUTSIDE,
    UNSEEN,
    UNWRITTEN,
    ConstantRecord,
    ModuleCall,
    OpRecord,
    Recording,
    TensorArg,
    TensorOut,
)
from rfcheck.graph.recurrence import RECURRENT_LAYERS, results
from rfcheck.graph.shapes import SHAPE_RULES
from rfcheck.graph.signature import SAMPLES, Signature, flat, signature_of
from rfcheck.graph.storages import NO_PARAMS, Storages, named_in

_LOG = logging.getLogger("rfcheck")
_MANY = 200_000
"""After so many operators, and again after as many more, it is said that a recording is long."""

_NOTHING: Mapping[int, torch.Tensor] = {}


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
        self.storages = Storages(hold=hold_tensors, append=self._append_unseen, take_in=self.take_in)
        self._next_value = 0
        self._constants = Constants(originals, self.storages.is_written)
        self._input_shape: tuple[int, ...] = ()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch would import its compiler to keep it out of this mode; no compiled code runs here."""
        return False

    def add_input(self, image: torch.Tensor) -> None:
        """Declare the tensor that everything is traced back to."""
        self.recording.input_value = self._new_value()
        self._input_shape = tuple(image.shape)
        self.storages.register(image, self.recording.input_value)

    def add_parameter(self, tensor: torch.Tensor, name: str) -> None:
        """Declare a constant and the parameter that it stands for."""
        self.storages.register(tensor, None, params=frozenset((name,)), is_foreign=True)

    def add_constant(self, tensor: torch.Tensor) -> None:
        """Declare a tensor that the model holds beside its parameters."""
        if self.storages.find(tensor) is None:
            self.storages.register(tensor, None, is_foreign=True)

    def let_go(self, tensor: torch.Tensor, how: str) -> None:
        """Take note that the values of a tensor leave torch. Through an array they can also be written to, out of sight."""
        entry = self.storages.find(tensor)
        if entry is None:
            return
        value = self.storages.read(entry)
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
        self.storages.register(tensor, value)
        return value

    def value_of(self, tensor: torch.Tensor) -> int | None:
        """Identity of the content that a tensor holds now; None where it does not depend on the image."""
        return self.storages.value_of(tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        signature = signature_of(func)
        if signature.parts is not None:
            with self:
                return signature.parts(*args, **kwargs)
        for target in signature.targets(args, kwargs):
            if self.storages.is_foreign(target):
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
            self._constants.attach_places(given, refs_given, whatever=func._opname in SAMPLES)
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

    def _made_parameter(self, tensor: torch.Tensor) -> frozenset[str]:
        """The parameter of a layer that was made in the forward, under a name that no parameter of a model has."""
        name = f"made in forward {len(self.recording.made)}"
        self.recording.made[name] = tensor
        self.storages.register(tensor, None, params=frozenset((name,)))
        return frozenset((name,))

    def _attach_values(self, args: list[Any], refs: list[Any], first: int = 0) -> None:
        """Note the values of constants by which an operator chooses entries; in the first dimensions there are no positions."""
        for place, (arg, ref) in enumerate(zip(args, refs, strict=True)):
            if isinstance(ref, list):
                self._attach_values(list(arg), ref, first=2)
            elif isinstance(ref, TensorArg) and ref.value is None and not arg.is_floating_point():
                ref.data = self._constants.values(arg)
                if ref.data is None and place >= first and self.storages.find(arg) is None:
                    self.recording.lacks_values = True

    def _reference(self, arg: Any, refs: list[TensorArg]) -> Any:
        if isinstance(arg, torch.Tensor):
            entry = self.storages.find(arg)
            shape = tuple(arg.shape)
            is_mask = arg.dtype is torch.bool
            if entry is None and self._hold and lacks_memory(arg):
                raise NotImplementedError("values leave torch through memory, which needs data")
            if entry is None and arg.numel() > 1 and self.left.keys() - {"item"}:  # arrays have left, this comes from elsewhere
                ref = TensorArg(self.take_in(arg), shape, is_mask=is_mask)
            elif entry is None:
                ref = TensorArg(None, shape, is_mask=is_mask, origin=UNSEEN)
            else:
                ref = TensorArg(self.storages.read(entry), shape, entry.params, is_mask, origin=entry.cell.origin)
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

    def _append_unseen(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], refs: list[TensorArg], shape: tuple[int, ...]
    ) -> int:
        """What a read or a write through views does, which torch makes no call of."""
        return self._append(func, args, kwargs, refs, [(shape, 0)], self.current)[0]

    def _record(
        self,
        func: Any,
        signature: Signature,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        ref_args: tuple[Any, ...],
        ref_kwargs: dict[str, Any],
        refs: list[TensorArg],
        out: Any,
    ) -> None:
        tensors = [out] if isinstance(out, torch.Tensor) else [t for t in flat(out) if isinstance(t, torch.Tensor)]
        written: list[torch.Tensor] = []
        if signature.written:  # what it returns is what it wrote to, tensors of its own, or both
            if signature.rebinds:
                self.storages.rebind(args[0], args[1] if len(args) > 1 else None)
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
        origin = 0 if depends else signature.origin_of(read)
        if written:
            self.storages.write(written, values[len(tensors) :], origin)
        if signature.view_of is not None:
            base = args[signature.view_of]
            viewed = [(i, t) for i, t in enumerate(tensors) if signature.turns or t is not base]
            self.storages.register_views(func, base, ref_args, ref_kwargs, viewed, values, refs)
        elif tensors:
            params = NO_PARAMS if depends else named_in(refs)
            for tensor, value in zip(tensors, values, strict=False):
                self.storages.register(tensor, value, params, origin=origin)

    def _took_in_inputs(self, given: tuple[Any, ...], refs: list[TensorArg]) -> bool:
        """Whether a layer reads what something other than torch may have made of the image, which is followed from here on."""
        tensors = [t for t in flat(given) if isinstance(t, torch.Tensor)]
        for tensor, ref in zip(tensors, refs, strict=True):
            if not ref.params and not self.storages.is_foreign(tensor):
                ref.value = self.storages.follow_memory(tensor)
            if not ref.params and ref.value is None and (ref.origin == UNWRITTEN or (ref.origin == UNSEEN and not self._hold)):
                ref.value = self.take_in(tensor)
        return any(ref.value is not None for ref in refs)
