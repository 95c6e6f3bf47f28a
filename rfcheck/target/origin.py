"""Where a model and its modules were written: recorded while it is built, or else the definitions of their classes."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.nn.modules import activation, batchnorm, dropout, instancenorm, normalization

from rfcheck.frames import Frame, chain_of, class_chain, user_frames
from rfcheck.span import Span


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model was written.

    Attributes:
        definition: of the model: a class, a function or an assignment, as a chain of one; empty where unknown.
        modules: by dotted name, the call that made a module, then the calls that led there; or the definition of its class.
    """

    definition: tuple[Span, ...]
    modules: Mapping[str, tuple[Span, ...]]


def origin_of_classes(model: nn.Module) -> Origin:
    """The origin of a ready model, of which only the classes are known; parts of other classes have that of what holds them."""
    model = uncompiled(model)
    return Origin(class_chain(type(model)), _inherited(model, lambda module: class_chain(type(module))))


def uncompiled(model: nn.Module) -> nn.Module:
    """What torch.compile wraps; its modules keep their names."""
    inner: nn.Module = getattr(model, "_orig_mod", model)
    return inner


_NEVER_POINTED_AT = frozenset(
    cls
    for kind in (activation, batchnorm, dropout, instancenorm, normalization)
    for cls in map(vars(kind).get, kind.__all__)
    if cls is not nn.MultiheadAttention
)
"""Torch's own modules that no finding is about; half of all modules, so that it saves time to pass them over."""


_LOCK = threading.Lock()
_PATCH = ExitStack()
_RECORDING: list[ConstructionSites] = []
"""What takes note of constructions at the moment; nn.Module has another constructor while there is any."""


@contextmanager
def _constructor_that_notes() -> Iterator[None]:
    patched: Any = nn.Module
    construct = patched.__init__
    getframe, reference = sys._getframe, weakref.ref

    def noting(module: nn.Module, *args: Any, **kwargs: Any) -> None:
        cls = type(module)
        if _RECORDING and cls not in _NEVER_POINTED_AT:
            noted = reference(module), user_frames(getframe(1), cls)
            for sites in _RECORDING:
                sites.frames[id(module)] = noted
        construct(module, *args, **kwargs)

    patched.__init__ = noting
    yield
    if patched.__init__ is noting:  # else the user's code has put its own in place of this one, and goes on to use it
        patched.__init__ = construct


class ConstructionSites:
    """The calls of the user's code that made each nn.Module; nothing is written to the modules themselves.

    Attributes:
        frames: of each construction, by the identity of the module that it made.
    """

    def __init__(self) -> None:
        self.frames: dict[int, tuple[weakref.ref[nn.Module], tuple[Frame, ...]]] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Take note of every module that is constructed inside the block, by any thread."""
        with _LOCK:
            _RECORDING.append(self)
            if len(_RECORDING) == 1:
                _PATCH.enter_context(_constructor_that_notes())
        try:
            yield
        finally:
            with _LOCK:
                _RECORDING.remove(self)
                if not _RECORDING:
                    _PATCH.close()

    def chains(self, model: nn.Module) -> dict[str, tuple[Span, ...]]:
        """For every module of a model, the call that made it, then the calls that led there, outwards.

        A module that was not constructed but copied, or made by no code of the user's, has the chain of the module that holds it.
        """
        return _inherited(uncompiled(model), self._chain)

    def _chain(self, module: nn.Module) -> tuple[Span, ...]:
        noted, frames = self.frames.get(id(module), (None, ()))
        return chain_of(frames) if noted is not None and noted() is module else ()


def _inherited(model: nn.Module, own: Callable[[nn.Module], tuple[Span, ...]]) -> dict[str, tuple[Span, ...]]:
    chains: dict[str, tuple[Span, ...]] = {}
    for path, module in model.named_modules():
        chains[path] = own(module) or chains.get(path.rpartition(".")[0], ()) if path else own(module)
    return chains
