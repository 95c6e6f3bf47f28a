"""A bar on standard error while several targets are analysed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rfcheck.printable import printable

if TYPE_CHECKING:
    from rfcheck.cli.requests import Request


@contextlib.contextmanager
def progress(total: int) -> Iterator[Callable[[Request], Request]]:
    """A function that takes note of the request that is begun, and gives it back.

    Args:
        total: number of requests to wait for; for fewer than two, or without a terminal, nothing is shown.
    """
    if total < 2 or not sys.stderr.isatty():
        yield lambda request: request
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        begun = 0

        def step(request: Request) -> Request:
            nonlocal begun
            bar.update(task, completed=begun, description=printable(request.name or request.target))
            begun += 1
            return request

        yield step
