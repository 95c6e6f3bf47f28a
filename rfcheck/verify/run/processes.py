"""The processes of a run that was started as several, by torchrun or accelerate launch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_INTERVAL = 0.2
"""Seconds between two looks at a file."""


def rank() -> int:
    """Number of this process; 0 for the one that measures, writes and prints, all others only train."""
    return _number("RANK", 0)


def processes() -> int:
    """How many processes train together."""
    return _number("WORLD_SIZE", 1)


def processes_here() -> int:
    """How many of them run on this machine."""
    return _number("LOCAL_WORLD_SIZE", processes())


def wait_for(read: Callable[[], Value | None]) -> Value:
    """Wait until something can be read that the process that measures writes.

    Args:
        read: gives it; None as long as it is not there.
    """
    while (found := read()) is None:
        time.sleep(_INTERVAL)
    return found


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else default
