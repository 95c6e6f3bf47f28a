"""Progress that remembers what it was told."""

from __future__ import annotations


class Told:
    """Stages as their name and total, steps as their note."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def stage(self, name: str, total: int) -> None:
        self.heard.append((name, total))

    def step(self, note: str = "") -> None:
        self.heard.append(note)
