"""Runs in one process, each of which sees the project's code as it is now."""

from __future__ import annotations

import contextlib
import importlib
import linecache
import os
import sys
from collections.abc import Iterator

from rfcheck.graph.registrations import own_registrations
from rfcheck.process_end import END
from rfcheck.process_state import process_state_kept
from rfcheck.target.isolation import own_imports


@contextlib.contextmanager
def fresh_run() -> Iterator[None]:
    """Let what runs inside read the project's code anew, and forget on leaving what it imported, registered and set.

    Python takes compiled code for that of a file as long as the file's size and the second of its last change are the same, so
    none is kept: files are edited faster than that.
    """
    linecache.checkcache()
    process = os.getpid()
    try:
        with process_state_kept(), own_imports(), own_registrations():
            sys.dont_write_bytecode = True
            yield
    finally:
        if os.getpid() != process:  # code that forks and goes on as if nothing had happened; one process reports
            END(0)


@contextlib.contextmanager
def fresh_analysis() -> Iterator[None]:
    """`fresh_run` for what runs the code of models.

    Torch, and what notes its classes, is imported first: a model's code may change what torch's names stand for.
    """
    importlib.import_module("torch")
    for module in ("rfcheck.api", "rfcheck.cli.source_examining", "rfcheck.fixes.remove_stem", "rfcheck.report.snapshot"):
        importlib.import_module(module)
    with fresh_run():
        yield
