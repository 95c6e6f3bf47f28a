"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

PREFIX = ".rfcheck."
"""Of the names of files while they are written."""


def replace_file(path: Path, data: bytes, prefix: str = PREFIX, *, durable: bool = False) -> None:
    """Put a new file in the place of an old one at once; permissions stay, as does the owner where the system allows it.

    Args:
        path: of the file; a link in its place is replaced, see `rewrite_file`.
        data: what it is to hold.
        prefix: of the name that the file has while it is written, which is what a killed process leaves behind.
        durable: whether to wait for the disk first, so that losing power just afterwards leaves one of both files, too.

    Raises:
        OSError: if it cannot be written; the old file then stays as it is, and nothing else is left.
    """
    old = path.stat() if path.exists() else None
    temporary = path.with_name(f"{prefix}{os.urandom(8).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if old is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if old is not None:
            with contextlib.suppress(OSError):
                os.chown(temporary, old.st_uid, old.st_gid)
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def rewrite_file(path: Path, data: bytes) -> None:
    """`replace_file` for a file that may have other names, which all of them lead to afterwards.

    What a symbolic link leads to is replaced, and the link stays. A file with several names (hard links) cannot be replaced under
    all of them at once: it is written in place, once it is sure that the disk has room.

    Args:
        path: of the file.
        data: what it is to hold.

    Raises:
        OSError: if it cannot be written.
    """
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not (real.is_file() and real.stat().st_nlink > 1):
        replace_file(real, data)
        return
    draft = real.with_name(f"{PREFIX}{os.urandom(8).hex()}")
    try:
        replace_file(draft, data)
        with real.open("r+b") as file:
            file.write(data)
            file.truncate()
    finally:
        draft.unlink(missing_ok=True)
