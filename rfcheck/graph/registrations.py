"""Operators that users registered, for the time of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rfcheck.graph.operators.lookup import _TABLE


@contextmanager
def own_registrations() -> Iterator[None]:
    """Forget on leaving which operators were registered inside, so that another version of a file may register its own."""
    before = dict(_TABLE)
    try:
        yield
    finally:
        _TABLE.clear()
        _TABLE.update(before)
