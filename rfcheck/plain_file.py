"""Files that are read whole: a pipe or a device in the place of one, which has no end, is refused before anything is read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LIMIT = 64 * 1024 * 1024
"""Bytes; texts and entries that rfcheck reads are far smaller."""

_KINDS = (
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)


def require_plain(path: Path) -> None:
    """Refuse what is there and is no file.

    Raises:
        OSError: whose ``strerror`` says what it is.
    """
    _refuse(path.stat().st_mode, path)


def read_plain(path: Path, limit: int = LIMIT, *, follow: bool = True) -> bytes:
    """The content of a file.

    Args:
        path: of the file.
        limit: bytes that it may have.
        follow: whether a link may stand in its place.

    Raises:
        OSError: if it cannot be read, is no file, or is too large; ``strerror`` says so.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    )
    _refuse(path.stat().st_mode if follow else path.lstat().st_mode, path)  # before opening, which may do something to a device
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a path knows no such flags
        state = os.fstat(file.fileno())
        _refuse(state.st_mode, path)
        if state.st_size > limit:
            raise OSError(errno.EFBIG, f"is larger than {limit // 2**20} MiB", str(path))
        return file.read(limit)


def _refuse(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        said = next((said for is_kind, said in _KINDS if is_kind(mode)), "is a link" if stat.S_ISLNK(mode) else "is not a file")
        raise OSError(errno.EINVAL, said, str(path))
