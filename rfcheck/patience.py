"""Steps that may never end, such as the code of a model: said after a while, and given up after a limit."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rfcheck.errors import TargetError
from rfcheck.printable import printable
from rfcheck.process_end import END

_T = TypeVar("_T")

NOTICE_AFTER = 10.0
"""Seconds after which a step that goes on is named."""

_KNOCKS = 5
"""How often, a second apart, a step is told to end before the process ends instead."""
_KNOCK = getattr(signal, "SIGURG", None)  # which nobody else uses, and which ends no process by itself


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a step.

    Attributes:
        limit: seconds until it is given up; None for ever.
        notice: seconds until it is named on standard error.
        wait: waits until an event is set, for so many seconds at most; returns whether it is set.
    """

    limit: float | None = None
    notice: float = field(default_factory=lambda: NOTICE_AFTER)
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait


class _GivenUp(KeyboardInterrupt):
    """Raised in a step that takes too long; code that lets Ctrl-C pass lets it pass."""


_HELD: list[Patience] = []


@contextmanager
def patient(patience: Patience) -> Iterator[None]:
    """Watch the steps inside the block."""
    _HELD.append(patience)
    try:
        yield
    finally:
        _HELD.pop()


def attended(doing: str, label: str, work: Callable[[], _T]) -> _T:
    """Run a step, which is watched where a command is patient and no step around it is watched.

    Args:
        doing: what is done, with a word that the label may follow: "building".
        label: what it is done with: "model.py:Net".
        work: the step.

    Returns:
        What the step returns.

    Raises:
        TargetError: if it takes longer than the limit; names the step.
    """
    if not _HELD or _Watch.current is not None:
        return work()
    return _Watch(doing, label, _HELD[-1]).over(work)


class _Watch:
    """One step, and the thread that waits for its end."""

    current: _Watch | None = None

    def __init__(self, doing: str, label: str, patience: Patience) -> None:
        self._doing = doing
        self._label = label
        self._patience = patience
        self._thread = threading.get_ident()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._is_given_up = False
        self._has_heard = False

    def over(self, work: Callable[[], _T]) -> _T:
        """Run the step."""
        before = self._listen()
        _Watch.current = self
        try:
            try:
                threading.Thread(target=self._wait, daemon=True).start()
                return work()
            finally:
                self._end()
        except BaseException:
            self._end()  # which may itself have been interrupted
            if self._is_given_up:  # also where the step made another error of it
                raise TargetError(self._sentence) from None
            raise
        finally:
            _Watch.current = None
            if before is not None:
                signal.signal(_KNOCK, before)  # type: ignore[arg-type]

    @property
    def _sentence(self) -> str:
        seconds = f"{self._patience.limit:g} s"
        return f"{self._label}: gave up {self._doing} it after {seconds}; raise --timeout to wait longer"

    def _listen(self) -> Any:
        """Let a signal end what the main thread waits for; returns the handler to be put back."""
        if self._patience.limit is None or _KNOCK is None or threading.current_thread() is not threading.main_thread():
            return None
        return signal.signal(_KNOCK, self._hear)

    def _hear(self, *_: object) -> None:
        if self._is_given_up and not self._ended.is_set():
            raise _GivenUp

    def _wait(self) -> None:
        """Name the step, and end it when the time has come."""
        patience = self._patience
        limit = patience.limit
        notice = patience.notice if limit is None else min(patience.notice, limit)
        if patience.wait(self._ended, notice):
            return
        if limit is None or notice < limit:
            said = f"still {self._doing} {self._label} ({notice:g} s); Ctrl-C stops, --timeout SECONDS gives up"
            print(printable(said), file=sys.stderr, flush=True)
        if limit is None or (notice < limit and patience.wait(self._ended, limit - notice)):
            return
        for _ in range(_KNOCKS):
            with self._lock:
                if self._ended.is_set():
                    return
                self._is_given_up = True
                self._knock()
            if patience.wait(self._ended, 1.0):
                return
        said = f"error: {printable(self._sentence)}; it cannot be interrupted, so that the whole run ends here"
        print(said, file=sys.stderr, flush=True)
        with suppress(Exception):
            sys.stdout.flush()
        END(2)

    def _knock(self) -> None:
        if _KNOCK is not None and self._thread == threading.main_thread().ident and signal.getsignal(_KNOCK) == self._hear:
            signal.pthread_kill(self._thread, _KNOCK)
        else:
            import ctypes

            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(_GivenUp))

    def _end(self) -> None:
        """Take note that the step has ended, and take back what is on its way to end it."""
        with self._lock:
            self._ended.set()
        if self._is_given_up:
            import ctypes

            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), None)
