"""What code of others may change of a program that runs it: limits, loggers, signals, and what it replaces in libraries."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from rfcheck.process_state import Part, attributes

_SYS = ("breakpointhook", "unraisablehook", "pycache_prefix")


def program_parts() -> Iterator[Part]:
    """What is held besides the state of a process that a library gives back to its caller."""
    yield from _ALWAYS
    yield from _limits()
    if threading.current_thread() is threading.main_thread():
        yield Part(_handlers, _set_handlers)
    if "torch" in sys.modules:
        from rfcheck.replaced_functions import REPLACED

        yield REPLACED
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "get_printoptions"):
        yield Part(lambda: list(numpy.get_printoptions().items()), lambda before: numpy.set_printoptions(**dict(before)))
    multiprocessing: Any = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        yield Part(
            lambda: multiprocessing.get_start_method(allow_none=True),
            lambda before: multiprocessing.set_start_method(before, force=True),
        )


def _umask() -> int:
    """The bits that new files do not get; they can only be read by writing them."""
    bits = os.umask(0o077)
    os.umask(bits)
    return bits


def _loggers() -> list[tuple[Any, ...]]:
    known = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    return [(one, one.level, one.disabled, one.propagate, *one.handlers) for one in known]


def _set_loggers(before: list[tuple[Any, ...]]) -> None:
    for logger, level, disabled, propagate, *handlers in before:
        if logger.level != level:
            logger.setLevel(level)
        logger.disabled, logger.propagate = disabled, propagate
        logger.handlers[:] = handlers


def _handlers() -> list[tuple[int, Any]]:
    return [(number, signal.getsignal(number)) for number in sorted(signal.valid_signals())]


def _set_handlers(before: list[tuple[int, Any]]) -> None:
    for number, handler in before:
        if handler is not None and signal.getsignal(number) is not handler:
            with suppress(OSError, ValueError):
                signal.signal(number, handler)


def _limits() -> Iterator[Part]:
    """Limits of the system for the process; what it may not raise again stays."""
    with suppress(ImportError):
        import resource

        def write(kind: int, before: tuple[int, int]) -> None:
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (before[0] if hard in (before[1], resource.RLIM_INFINITY) else min(before[0], hard), hard))

        for name in dir(resource):
            if name.startswith("RLIMIT_"):
                kind = getattr(resource, name)
                yield Part(partial(resource.getrlimit, kind), partial(write, kind))
    if hasattr(os, "sched_setaffinity"):
        yield Part(lambda: sorted(os.sched_getaffinity(0)), lambda before: os.sched_setaffinity(0, before))


_ALWAYS = (
    Part(_umask, os.umask),
    attributes(sys, _SYS),
    Part(sys.getswitchinterval, sys.setswitchinterval),
    Part(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    Part(gc.get_threshold, lambda before: gc.set_threshold(*before)),
    Part(lambda: list(gc.callbacks), lambda before: gc.callbacks.__setitem__(slice(None), before)),
    Part(threading.stack_size, threading.stack_size),
    Part(socket.getdefaulttimeout, socket.setdefaulttimeout),
    Part(logging.getLoggerClass, logging.setLoggerClass),
    Part(logging.getLogRecordFactory, logging.setLogRecordFactory),
    Part(_loggers, _set_loggers),
    *([Part(lambda: time.tzname, lambda _: time.tzset())] if hasattr(time, "tzset") else []),
)
