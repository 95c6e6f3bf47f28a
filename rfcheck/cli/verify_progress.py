"""What a long verification shows while it runs: bars on a terminal, a line for every stage elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from rfcheck.verify.progress import Progress


class _Lines:
    """One line on standard error when a stage ends."""

    def __init__(self) -> None:
        self._name, self._note = "", ""

    def stage(self, name: str, total: int) -> None:  # noqa: ARG002 - as `Progress` has it
        self.close()
        self._name, self._note = name, ""

    def step(self, note: str = "") -> None:
        self._note = note or self._note

    def close(self) -> None:
        if self._name:
            print(f"{self._name}: {self._note}" if self._note else self._name, file=sys.stderr, flush=True)
        self._name = ""


class _Terminal:
    """A bar for the stage, with the time left and live numbers."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None, note="")
        self._name = ""

    def stage(self, name: str, total: int) -> None:
        self._name = name
        self._bars.reset(self._task, total=total or None, description=name, note="")

    def step(self, note: str = "") -> None:
        if note:
            self._bars.update(self._task, advance=1, note=note)
        else:
            self._bars.update(self._task, advance=1)


@contextlib.contextmanager
def verify_progress() -> Iterator[Progress]:
    """Progress on standard error, which is a terminal or not."""
    if not sys.stderr.isatty():
        lines = _Lines()
        yield lines
        lines.close()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Terminal(bars)
