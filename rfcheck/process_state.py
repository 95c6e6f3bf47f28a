"""What code of others may change of the process, and how it is given back: folder, environment, streams, signals, warnings."""

from __future__ import annotations

import builtins
import gc
import locale
import logging
import os
import pickle
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from rfcheck.undoing import undone_after

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a process has once.

    Attributes:
        read: its value now.
        write: gives it a value.
    """

    read: Callable[[], Any]
    write: Callable[[Any], object]


class ProcessState:
    """The state of the process as it is when this is made; `give_back` restores it, as often as it is called.

    Held are the current folder, ``sys`` (streams, arguments, import path, hooks, limits), environment variables, builtins, warning
    filters, signal handlers and alarms, locale, the root logger, the garbage collector, random states and, where torch is imported,
    its switches. Not held are imported modules, open files, threads, and what other libraries keep for themselves.

    Args:
        more: what else to hold.
    """

    def __init__(self, more: Iterable[Part] = ()) -> None:
        self._held: list[tuple[Part, Any]] = []
        for part in (*_parts(), *more):
            with suppress(OSError, RuntimeError, locale.Error):
                self._held.append((part, part.read()))

    def give_back(self) -> None:
        """Give everything back that has changed."""
        for part, before in self._held:
            with suppress(OSError, ValueError, RuntimeError, locale.Error):  # a folder that is gone, a handler of C code
                if not _same(part.read(), before):
                    part.write(before)


def process_kept(work: Callable[[], _T]) -> _T:
    """Run work, and give the process back as it was, whatever happens."""
    return undone_after(work, ProcessState().give_back)


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Give the process back on leaving; for programs, whose end an interrupt is. Whoever goes on uses `process_kept`."""
    from rfcheck.program_state import program_parts

    state = ProcessState(program_parts())
    try:
        yield
    finally:
        state.give_back()


def _same(now: Any, before: Any) -> bool:
    """Whether two readings are the same, member by member; their members' own idea of equality does not count."""
    if type(now) is dict and type(before) is dict:
        return len(now) == len(before) and all(key in before and before[key] is value for key, value in now.items())
    if type(now) in (list, tuple) and type(before) is type(now):
        return len(now) == len(before) and all(map(_alike, now, before))
    return _alike(now, before)


def _alike(now: Any, before: Any) -> bool:
    return now is before or (isinstance(now, (int, float, str, bytes, tuple)) and bool(now == before))


def _parts() -> Iterator[Part]:
    """What is held here and now: signals belong to the main thread, and what is not imported has no state."""
    yield from _ALWAYS
    if threading.current_thread() is threading.main_thread():
        yield from _OF_MAIN_THREAD
    if "torch" in sys.modules:
        from rfcheck.torch_state import PARTS

        yield from PARTS
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "random"):  # half imported where another thread is about to import it
        yield _of_numpy(numpy.random)
        yield Part(lambda: tuple(numpy.geterr().items()), lambda before: numpy.seterr(**dict(before)))


def _of_numpy(random_state: Any) -> Part:
    """NumPy's random state, of whatever generator; held as bytes, since two readings of arrays cannot be compared by one word."""
    return Part(
        lambda: pickle.dumps(random_state.get_state(legacy=False)),
        lambda before: random_state.set_state(pickle.loads(before)),
    )


_SYS = ("stdin", "stdout", "stderr", "argv", "path", "meta_path", "path_hooks", "excepthook", "displayhook", "dont_write_bytecode")
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGCHLD", "SIGQUIT", "SIGABRT")
    if hasattr(signal, name)
)
_environment: Any = os.environ


def attributes(owner: Any, names: tuple[str, ...]) -> Part:
    """Attributes of one object."""

    def write(values: list[Any]) -> None:
        for name, value in zip(names, values, strict=True):
            setattr(owner, name, value)

    return Part(lambda: [getattr(owner, name, None) for name in names], write)


def _content_of(owner: Any, name: str) -> Part:
    """The content of a list; the list itself is an attribute."""

    def write(content: list[Any]) -> None:
        getattr(owner, name)[:] = content

    return Part(lambda: list(getattr(owner, name)), write)


def _set_environment(before: dict[Any, Any]) -> None:
    data = _environment._data
    decode = _environment.decodevalue
    for key in [key for key in data if key not in before]:
        del os.environ[_environment.decodekey(key)]
    for key, value in before.items():
        if data.get(key) != value:
            os.environ[_environment.decodekey(key)] = decode(value)


def _set_warnings(before: tuple[Any, ...]) -> None:
    warnings.filters, warnings.showwarning = before[0], before[1]
    with warnings.catch_warnings():  # on entering and leaving, Python forgets what it concluded from the filters
        pass


def _set_filters(before: list[Any]) -> None:
    filters: Any = warnings.filters
    filters[:] = before
    with warnings.catch_warnings():
        pass


def _set_builtins(before: dict[str, Any]) -> None:
    table = vars(builtins)
    table.update(before)
    for name in [name for name in table if name not in before]:
        del table[name]


def _set_signals(before: tuple[Any, ...]) -> None:
    for number, handler in zip(_SIGNALS, before, strict=True):
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _set_alarm(before: tuple[float, float]) -> None:
    """Take back an alarm where there was none; one that is running goes on."""
    if before == (0.0, 0.0):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _set_root_logger(before: tuple[Any, ...]) -> None:
    logging.root.setLevel(before[0])
    logging.disable(before[1])
    logging.root.handlers[:] = before[2:]


def _set_collector(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


_ALWAYS = (
    Part(os.getcwd, os.chdir),
    attributes(sys, _SYS),
    _content_of(sys, "argv"),
    _content_of(sys, "path"),
    _content_of(sys, "meta_path"),
    Part(sys.getrecursionlimit, sys.setrecursionlimit),
    Part(sys.gettrace, sys.settrace),
    Part(sys.getprofile, sys.setprofile),
    attributes(threading, ("excepthook",)),
    Part(lambda: _environment._data.copy(), _set_environment),
    Part(vars(builtins).copy, _set_builtins),
    Part(lambda: (warnings.filters, warnings.showwarning), _set_warnings),
    Part(lambda: list(warnings.filters), _set_filters),
    Part(lambda: locale.setlocale(locale.LC_ALL), lambda before: locale.setlocale(locale.LC_ALL, before)),
    Part(lambda: (logging.root.level, logging.root.manager.disable, *logging.root.handlers), _set_root_logger),
    Part(gc.isenabled, _set_collector),
    Part(random.getstate, random.setstate),
)
_OF_MAIN_THREAD = (
    (
        Part(lambda: tuple(map(signal.getsignal, _SIGNALS)), _set_signals),
        Part(lambda: signal.getitimer(signal.ITIMER_REAL), _set_alarm),
    )
    if hasattr(signal, "setitimer")
    else (Part(lambda: tuple(map(signal.getsignal, _SIGNALS)), _set_signals),)
)
