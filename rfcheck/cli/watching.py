"""``rfcheck --watch``: check again whenever something changes that the check depends on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cache.dependencies import CLOCK_LAG
from rfcheck.cli.analysing import print_error
from rfcheck.cli.watched import THERE, Contents, Watched, watched_after
from rfcheck.errors import RfcheckError
from rfcheck.printable import printable
from rfcheck.span import shown_path

if TYPE_CHECKING:
    from rfcheck.cli.gathering import Gathered

_LOOK_AFTER = 1.0
"""Seconds after which files are looked at in any case: some file systems do not tell of changes."""

_SETTLED_AFTER = 0.05
"""Seconds without a change after which an editor is done with saving."""


def watch(check: Callable[[], tuple[int, list[Gathered]]]) -> int:
    """Check, and check again on every change, until Ctrl-C.

    An error in what is being edited is shown, and so is one in the configuration, except in the first check.

    Args:
        check: one check; returns its exit code, and what it gathered.

    Returns:
        The exit code of the first check if there is nothing that could change.

    Raises:
        RfcheckError: if the first check cannot begin.
        KeyboardInterrupt: on Ctrl-C.
    """
    from rfcheck.cli.fresh_run import fresh_run

    watched: Watched | None = None
    before: Contents = {}
    while True:
        started = time.time_ns()
        try:
            with fresh_run():
                code, gathered = check()
            watched = watched_after(gathered)
        except RfcheckError as error:
            if watched is None:
                raise
            print_error(str(error), error, verbose=False)
            watched = watched.and_all_modules()
        sys.stdout.flush()
        if not watched.folders():
            return code
        before = _next_contents(watched, _as_read(watched, before, started))


def _as_read(watched: Watched, before: Contents, started: int) -> Contents:
    """What a check saw: an edit while it ran may have come too late for it.

    That concerns code only: a check whose model writes data that it reads would go on for ever.

    Args:
        watched: what counts.
        before: its content before the check, as far as it was looked at.
        started: when the check began, in nanoseconds.
    """
    now = watched.contents()
    return {**now, **{file: _code_as_read(file, now, before, started) for file in now if file.suffix == ".py"}}


def _code_as_read(file: Path, now: Contents, before: Contents, started: int) -> str | None:
    if file in before and now[file] == THERE:
        return THERE
    if before.get(file, THERE) != THERE:
        return before[file]
    try:
        return "edited meanwhile" if file.stat().st_mtime_ns > started - CLOCK_LAG else now[file]
    except OSError:
        return now[file]


def _next_contents(watched: Watched, seen: Contents) -> Contents:
    """Wait until something counts that a check did not see, say what, and return the contents."""
    now = watched.contents()
    changed = _changed(seen, now)
    if not changed:
        files = sum(content not in (None, THERE) for content in now.values())
        _say(f"watching {files} file{'' if files == 1 else 's'}, Ctrl-C ends")
        for _ in _wakings(watched.folders()):
            now = watched.contents()
            changed = _changed(seen, now)
            if changed:
                click.clear()
                break
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    _say(f"{shown_path(str(changed[0]))}{more} changed")
    return now


def _changed(before: Contents, now: Contents) -> list[Path]:
    return sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))


def _wakings(folders: Sequence[Path]) -> Iterator[None]:
    """Returns from each step once something happened in a folder and has settled, or when it is time to look in any case."""
    import watchfiles

    try:
        for _ in watchfiles.watch(
            *folders,
            watch_filter=None,
            step=int(1000 * _SETTLED_AFTER),
            rust_timeout=int(1000 * _LOOK_AFTER),
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        ):
            yield
    except (OSError, RuntimeError):  # the system watches no more files
        while True:
            time.sleep(_LOOK_AFTER)
            yield


def _say(text: str) -> None:
    click.echo(f"[{time.strftime('%H:%M:%S')}] {printable(text)}", err=True)
