"""Work that is undone whatever happens, also when a signal handler raises while it is being undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_ATTEMPTS = 20
"""How often a step is tried before it is given up: as many interrupts would have to arrive while one step runs."""


def undone_after(work: Callable[[], _T], *steps: Callable[[], object]) -> _T:
    """Run work, and undo it afterwards.

    A context manager would not do: Ctrl-C at the first instruction of an ``__exit__`` written in Python leaves everything undone.

    Args:
        work: what to run.
        steps: that undo it, in their order; each may run several times, and one that fails keeps none of the others from running.

    Returns:
        What the work returns.

    Raises:
        BaseException: what the work raises; or what was raised while it was being undone, once that is complete.
    """
    try:
        return work()
    finally:
        try:
            _finish(steps)
        except BaseException:  # perhaps raised between two steps, where nothing catches it
            _finish(steps)
            raise


def _finish(steps: tuple[Callable[[], object], ...]) -> None:
    late: BaseException | None = None
    for step in steps:
        for _ in range(_ATTEMPTS):
            try:
                step()
                break
            except BaseException as error:
                late = error
    if late is not None:
        raise late
