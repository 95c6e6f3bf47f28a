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
    """Progress that nobody watches."""

    def stage(self, name: str, total: int) -> None:
        """Nothing happens."""

    def step(self, note: str = "") -> None:
        """Nothing happens."""
