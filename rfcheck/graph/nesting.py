"""Room for modules that lie inside each other many deep: every level is a few calls within calls."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from rfcheck.errors import TraceError

DEEPEST = 1000
"""Levels that are followed; a plain forward pass ends at about a third of that, where nobody raises Python's limit."""

_CALLS_PER_LEVEL = 16
"""Those of a copy, the most that anything makes for a level; a forward pass makes four or five."""


@contextmanager
def nesting_allowed(model: nn.Module) -> Iterator[None]:
    """Raise Python's limit of recursion as far as a model's modules lie inside each other, and put it back on leaving.

    Raises:
        TraceError: if they lie deeper inside each other than is followed.
    """
    levels = _levels(model)
    if levels > DEEPEST:
        raise TraceError(f"the modules lie more than {DEEPEST:,} deep inside each other; rfcheck follows no more than that")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + _CALLS_PER_LEVEL * levels)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _levels(model: nn.Module) -> int:
    """How deep modules lie inside each other; found without recursion, and no farther than to what is followed."""
    level = 0
    here: dict[int, nn.Module] = {id(model): model}
    while here and level <= DEEPEST:
        level += 1
        inside = (child for module in here.values() for child in module._modules.values() if child is not None)
        here = {id(child): child for child in inside}
    return level
