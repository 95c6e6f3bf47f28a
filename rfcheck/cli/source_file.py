"""Source files that are edited: written whole or not at all, and only if nobody else has written them meanwhile."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from pathlib import Path

from rfcheck.errors import FixError
from rfcheck.replacing import rewrite_file


def require_editable(path: Path) -> None:
    """Refuse a file that cannot be written before anything is computed.

    Raises:
        FixError: naming the file.
    """
    real = path.resolve()
    if not (os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)):
        raise FixError(f"{path}: cannot be edited; check the permissions of the file and of its folder")


def replace_source(path: Path, old: bytes, new: bytes) -> None:
    """Write a file at once; permissions and owner stay, a link stays a link.

    Args:
        path: of the file.
        old: what it holds.
        new: what it is to hold.

    Raises:
        FixError: if it holds something else by now, or cannot be written; it then stays as it is.
    """
    real = path.resolve()
    try:
        if real.read_bytes() != old:
            raise FixError(f"{path}: somebody changed the file meanwhile, so that it was left alone; run rfcheck again")
        rewrite_file(real, new)
    except OSError as error:
        raise FixError(f"{path}: cannot be written: {error.strerror or error}") from None
    _forget_bytecode(path)


def _forget_bytecode(path: Path) -> None:
    """Remove what Python has compiled: it takes bytecode for up to date if size and second of the change are the same."""
    with contextlib.suppress(OSError, NotImplementedError):
        Path(importlib.util.cache_from_source(str(path.absolute()))).unlink(missing_ok=True)
