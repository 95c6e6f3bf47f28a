"""Modules that lie deep inside others: watching their calls takes frames of its own, which must not fail what runs without."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_FRAMES = 12
"""Frames of Python per level, of torch, of what watches the call, and of the forward itself."""

_DEEPEST = 1000
"""Levels that get frames of their own; Python itself would not end well on many more."""


@contextmanager
def deep_calls(paths: Iterable[str]) -> Iterator[None]:
    """Let calls go as deep as modules lie inside others, and put the limit of Python back.

    Args:
        paths: dotted names of all modules.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + _FRAMES * min(max((path.count(".") for path in paths), default=0), _DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
