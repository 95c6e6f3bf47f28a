"""What would end the process at once, whoever calls it: kept from that while code of others runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

END: Callable[[int], NoReturn] = os._exit
"""Ends the process, whatever is kept from it."""

_LONGEST = 60
"""Characters of a call that a message shows."""

_HARMLESS = frozenset(
    getattr(signal, name)
    for name in ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGINFO")  # which end or stop nothing where nobody listens
    if hasattr(signal, name)
)
_UNHEARD = frozenset(getattr(signal, name) for name in ("SIGKILL", "SIGSTOP") if hasattr(signal, name))


_ending_with: list[int] = []
"""The code that the process is about to end with."""


class ProcessEndError(SystemExit):
    """Raised in place of ending the process; its code is the call that would have done it, as text."""


def left_with(error: BaseException) -> str:
    """What follows "it left with": "SystemExit(0), as sys.exit does", the call that would have ended the process, or the error."""
    if isinstance(error, ProcessEndError):
        return str(error.code)
    if isinstance(error, SystemExit):
        return f"SystemExit({error.code!r}), as sys.exit does"
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


@contextmanager
def process_goes_on() -> Iterator[None]:
    """Raise `ProcessEndError` where code asks the system to end this process, or to run another program in its place.

    A thread of the code's own ends instead. Processes that are forked meanwhile may end themselves. Code written in C is not kept
    from anything.
    """
    before = [(owner, name, getattr(owner, name), ends) for owner, name, ends in _CALLS if hasattr(owner, name)]
    for owner, name, original, ends in before:
        setattr(owner, name, partial(_refused, os.getpid(), owner, original, ends))
    try:
        yield
    finally:
        for owner, name, original, _ in before:
            setattr(owner, name, original)


def _refused(process: int, owner: Any, original: Callable[..., Any], ends: Callable[..., bool], *args: Any, **kwargs: Any) -> Any:
    if os.getpid() != process or not ends(*args, **kwargs):
        return original(*args, **kwargs)
    if _ending_with:
        END(_ending_with[-1])
    given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
    shown = given if len(given) <= _LONGEST else f"{given[: _LONGEST - 3]}..."
    call = f"{owner.__name__}.{original.__name__}({shown})"
    raise ProcessEndError(call) if threading.current_thread() is threading.main_thread() else SystemExit(call)


def end_with(code: int) -> None:
    """Let the process end with this code, also where code that runs at its end asks for another one."""
    _ending_with.append(code)

    def end(status: int = code) -> NoReturn:  # noqa: ARG001 - as os._exit is called
        END(code)

    os._exit = end


def _always(*_args: object, **_kwargs: object) -> bool:
    return True


def _is_fatal(number: int) -> bool:
    """Whether a signal ends or stops this process; SIGINT interrupts it, as Ctrl-C does."""
    if number in _UNHEARD:
        return True
    handler = signal.getsignal(number) if number in signal.valid_signals() else signal.SIG_IGN
    return handler is signal.SIG_DFL and number not in _HARMLESS


def _hits_this(process: int, number: int) -> bool:
    return process in (os.getpid(), 0, -1, -_group()) and _is_fatal(number)


def _hits_group(group: int, number: int) -> bool:
    return group in (0, _group()) and _is_fatal(number)


def _group() -> int:
    return os.getpgrp() if hasattr(os, "getpgrp") else os.getpid()


_CALLS: tuple[tuple[Any, str, Callable[..., bool]], ...] = (
    (os, "_exit", _always),
    (os, "abort", _always),
    (os, "execv", _always),  # which all others of its kind call, or the next
    (os, "execve", _always),
    (os, "kill", _hits_this),
    (os, "killpg", _hits_group),
    (signal, "raise_signal", _is_fatal),
    (signal, "pthread_kill", lambda _, number: _is_fatal(number)),
)
"""Functions, and whether a call with these arguments ends the process."""
