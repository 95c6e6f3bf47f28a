"""How long work tells of its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Takes note of stages and their steps."""

    def stage(self, name: str, total: int) -> None:
        """A stage of so many steps begins."""

    def step(self, note: str = "") -> None:
        """One step of the stage is done; the note holds live numbers."""


class Silent:
    """Progress that nobody watches; `SILENT` is one."""

    def stage(self, name: str, total: int) -> None:
        """Nothing happens."""

    def step(self, note: str = "") -> None:
        """Nothing happens."""


SILENT = Silent()


class Named:
    """Progress of one of several pieces of work.

    Args:
        name: of the piece, which stands before the names of its stages.
        progress: of the whole.
    """

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress

    def stage(self, name: str, total: int) -> None:
        """A stage of the piece begins."""
        self._progress.stage(f"{self._name}: {name}", total)

    def step(self, note: str = "") -> None:
        """One step of it is done."""
        self._progress.step(note)
