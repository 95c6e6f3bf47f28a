"""Values of the small constants by which operators choose entries: indices and masks, computed anew where the pass had no data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import _disable_current_modes

from rfcheck.graph.records import TensorArg

_MOST_VALUES = 1 << 18
_SHAPED = ("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full")
_UNKNOWABLE = ("empty", "rand", "bernoulli", "multinomial", "normal", "uniform")


class _Made(NamedTuple):
    """The call that made a constant, and which of its results it is."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    slot: int


class Constants:
    """Remembers how constants are made, and makes them with data where their values are asked for.

    Args:
        originals: the tensors that stand-ins without data stand for, by identity of the stand-in.
        is_written: whether anything was written to a tensor since it was made; its values are unknown then.
    """

    def __init__(self, originals: Mapping[int, torch.Tensor], is_written: Callable[[torch.Tensor], bool]) -> None:
        self._originals = originals
        self._is_written = is_written
        self._made: dict[int, _Made] = {}

    def note(self, tensors: list[torch.Tensor], func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Remember the call that made some tensors of constants only; they must stay alive."""
        if tensors and tensors[0].numel() <= _MOST_VALUES and not any(word in func._opname for word in _UNKNOWABLE):
            for slot, tensor in enumerate(tensors):
                self._made[id(tensor)] = _Made(func, args, kwargs, slot)

    def attach_places(self, args: list[Any], refs: list[Any], *, whatever: bool) -> None:
        """Note the values of constants that can be places in an image: ``whatever`` their shape, or numbers by twos and threes."""
        for arg, ref in zip(args, refs, strict=True):
            is_constant = isinstance(ref, TensorArg) and ref.value is None and not ref.params
            if is_constant and len(ref.shape) > 2 and (whatever or ref.shape[-1] in (2, 3) or ref.shape[1] in (2, 3)):
                ref.data = self.values(arg)

    def values(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """The values of a constant; None where they are not known."""
        if tensor.numel() > _MOST_VALUES:
            return None
        try:
            with _disable_current_modes():
                return self._evaluated(tensor)
        except (RuntimeError, NotImplementedError, TypeError, _UnknownError):
            return None

    def _evaluated(self, tensor: torch.Tensor) -> torch.Tensor:
        if type(tensor) in (torch.Tensor, torch.nn.Parameter) and not tensor.is_meta:
            return tensor.detach().cpu().clone()
        original = self._originals.get(id(tensor), getattr(tensor, "constant", None))
        if (original is None and id(tensor) not in self._made) or self._is_written(tensor):
            raise _UnknownError
        if original is not None:
            return self._evaluated(original)
        func, args, kwargs, slot = self._made[id(tensor)]
        if func._opname in _SHAPED and isinstance(args[0], torch.Tensor):  # what the first holds does not matter
            args = (torch.empty(args[0].shape, dtype=args[0].dtype), *args[1:])
        given = {**kwargs, **({"device": torch.device("cpu")} if kwargs.get("device") is not None else {})}
        out = func(*[self._with_values(a) for a in args], **{name: self._with_values(a) for name, a in given.items()})
        result: torch.Tensor = out[slot] if isinstance(out, (list, tuple)) else out
        return result

    def _with_values(self, arg: Any) -> Any:
        if isinstance(arg, torch.Tensor):
            return self._evaluated(arg)
        return [self._with_values(a) for a in arg] if isinstance(arg, (list, tuple)) else arg


class _UnknownError(Exception):
    """A value that nothing is known of."""
