"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

PREFIX = ".rfcheck."
"""Of the names of files while they are written."""


def replace_file(path: Path, data: bytes, prefix: str = PREFIX, *, durable: bool = False) -> None:
    """Put a new file in the place of an old one at once; permissions stay, as does the owner where the system allows it.

    Args:
        path: of the file; what a link leads to, not the link.
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
