"""Runs in one process, each of which sees the project's code as it is now."""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from rfcheck.graph.registrations import own_registrations
from rfcheck.target.isolation import own_imports


@contextlib.contextmanager
def fresh_run() -> Iterator[None]:
    """Let what runs inside read the project's code anew, and forget on leaving what it imported, registered and set.

    Python takes compiled code for that of a file as long as the file's size and the second of its last change are the same, so
    none is kept: files are edited faster than that.
    """
    folder, writes = Path.cwd(), sys.dont_write_bytecode
    kind, device = torch.get_default_dtype(), torch.get_default_device()
    linecache.checkcache()
    sys.dont_write_bytecode = True
    try:
        with own_imports(), own_registrations():
            yield
    finally:
        sys.dont_write_bytecode = writes
        os.chdir(folder)
        torch.set_default_dtype(kind)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
