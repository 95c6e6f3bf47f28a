"""One thread at a time works on models, and gives the process back as it was."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn

from rfcheck.graph.nesting import nesting_allowed
from rfcheck.process_state import process_kept

_T = TypeVar("_T")

_LOCK = threading.RLock()
"""Held by the thread that works on a model: models, random states and torch's switches belong to all threads of a process."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: globals().update(_LOCK=threading.RLock()))


@contextmanager
def working_on(model: nn.Module) -> Iterator[None]:
    """The one thread that works on a model, however deeply its modules are nested."""
    with _LOCK, nesting_allowed(model):
        yield


def alone(model: nn.Module, work: Callable[[], _T]) -> _T:
    """Run work on a model while no other thread runs any, and give the process back as it was.

    The cyclic collector pauses: one pass over all that torch keeps in memory takes longer than an analysis.

    Args:
        model: to be worked on.
        work: what to do.

    Returns:
        What the work returns.
    """

    def without_garbage_collection() -> _T:
        gc.disable()
        return work()

    with working_on(model):
        return process_kept(without_garbage_collection)
