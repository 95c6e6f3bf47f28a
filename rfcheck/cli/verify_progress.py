"""What a long verification shows while it runs: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rfcheck.printable import printable
from rfcheck.verify.progress import Silent
from rfcheck.verify.run.processes import rank

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from rfcheck.verify.progress import Progress
    from rfcheck.verify.run.folder import RunFolder

LINE_EVERY = 60.0
"""Seconds between the lines of a stage where there is no terminal."""

_ECHO = 3
"""Columns at the end of the last line, for what a terminal shows of Ctrl-C; a line more would upset the lines above."""


class _Lines:
    """A line on standard error when a stage ends, and now and then while it lasts."""

    def __init__(self) -> None:
        self._name, self._note = "", ""
        self._total = self._done = 0
        self._begun = self._told = 0.0

    def stage(self, name: str, total: int) -> None:
        self.close()
        self._name, self._note = name, ""
        self._total, self._done = total, 0
        self._begun = self._told = time.monotonic()

    def step(self, note: str = "") -> None:
        self._note = note or self._note
        self._done += 1
        now = time.monotonic()
        if now - self._told >= LINE_EVERY and self._done < self._total:
            left = timedelta(seconds=round((now - self._begun) / self._done * (self._total - self._done)))
            self._tell(f"{self._done}/{self._total}, {left} left")
            self._told = now

    def close(self) -> None:
        if self._name:
            self._tell()
        self._name = ""

    def _tell(self, state: str = "") -> None:
        print(printable(": ".join(filter(None, (self._name, state, self._note)))), file=sys.stderr, flush=True)


class _Terminal:
    """A bar for the stage with the time left, above live numbers."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None, visible=False, note="")

    def stage(self, name: str, total: int) -> None:
        self._bars.reset(self._task, total=total or None, description=printable(name), note="", visible=True)

    def step(self, note: str = "") -> None:
        if note:
            self._bars.update(self._task, advance=1, note=printable(note))
        else:
            self._bars.update(self._task, advance=1)


class _Announcing:
    """Says where everything is kept as soon as something is.

    Args:
        progress: that shows the stages.
        folder: of the run.
    """

    def __init__(self, progress: Progress, folder: RunFolder) -> None:
        self._progress = progress
        self._folder: RunFolder | None = folder
        self.step: Callable[..., None] = progress.step

    def stage(self, name: str, total: int) -> None:
        self._progress.stage(name, total)
        if self._folder is not None and self._folder.recipe.exists():
            print(f"everything is kept in {printable(str(self._folder.path))}", file=sys.stderr, flush=True)
            self._folder = None


@contextlib.contextmanager
def verify_progress(folder: RunFolder) -> Iterator[Progress]:
    """Progress on standard error, which is a terminal or not; of several processes, the first one shows it.

    Args:
        folder: of the run.
    """
    if rank() != 0:
        yield Silent()
    elif sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        with _bars() as bars:
            yield _Announcing(_Terminal(bars), folder)
    else:
        lines = _Lines()
        yield _Announcing(lines, folder)
        lines.close()


def _bars() -> Bars:
    """A bar with a line of its own for the note, as both do not fit into one of 80 columns."""
    from rich.console import Console, RenderableType
    from rich.padding import Padding
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Bars(Progress):
        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            for task in self.tasks:
                if task.fields["note"]:
                    note = Text(task.fields["note"], no_wrap=True, overflow="ellipsis")
                    yield Padding(note, (0, _ECHO, 0, 2))

    columns = (TextColumn("{task.description}", markup=False), BarColumn(16), MofNCompleteColumn(), TimeRemainingColumn())
    return Bars(*columns, console=Console(stderr=True), transient=True)
