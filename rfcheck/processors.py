"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a Linux control group says how much time it grants: microseconds, or "max", and the period in microseconds."""


def usable_processors() -> int:
    """Processors that this process may use at once, at least 1: by its affinity, and by the quota of its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _granted(allowed)))


def _granted(unlimited: int) -> int:
    """Processors that a control group grants, a started one included; the given number where it grants all, or there is none."""
    try:
        granted, period = QUOTA.read_text(encoding="ascii").split()
        return unlimited if granted == "max" else -(-int(granted) // int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return unlimited
