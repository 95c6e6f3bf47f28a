"""How the command ends: with its exit code, whatever a model's code has left running."""

from __future__ import annotations

import atexit
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

from rfcheck.process_end import END, end_with

_PATIENCE = 5.0
"""Seconds for what others have asked to be done at the end; where a thread goes on for ever, so may what waits for it."""


def leave(code: int) -> NoReturn:
    """End the process.

    Python waits for threads and processes that a model's code has started, which may take for ever. Where there are any, what is
    registered for the end is done, and the process ends without the threads and ends the processes.

    Args:
        code: to leave with.
    """
    end_with(code)  # whatever code that models have registered for the end asks for
    if not _threads() and not _processes():
        sys.exit(code)
    for process in _processes():
        process.terminate()
    _finish()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    END(code)


def _threads() -> list[threading.Thread]:
    """Threads that Python would wait for."""
    own = (threading.main_thread(), threading.current_thread())
    return [thread for thread in threading.enumerate() if not thread.daemon and thread not in own]


def _processes() -> list[Any]:
    """Processes that Python would wait for, where anybody has started some."""
    multiprocessing = sys.modules.get("multiprocessing")
    return [] if multiprocessing is None else [child for child in multiprocessing.active_children() if not child.daemon]


def _finish() -> None:
    """Do what is registered for the end of the process: logs are written out, temporary files go."""
    run: Any = atexit._run_exitfuncs
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    with suppress(KeyboardInterrupt):
        thread.join(_PATIENCE)
