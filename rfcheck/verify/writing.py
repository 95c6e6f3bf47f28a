"""Files of a run: what they are called, written whole or not at all, and what to do where they cannot be."""

from __future__ import annotations

import errno
import hashlib
import re
from pathlib import Path

from rfcheck.errors import VerifyError
from rfcheck.replacing import PREFIX, replace_file


def write_file(path: Path, content: bytes, remedy: str | None = None) -> None:
    """Write a file, whole or not at all, and make its folder if need be.

    Args:
        path: of the file.
        content: what it is to hold.
        remedy: what to do if it cannot be written; None for what `remedy_of` says.

    Raises:
        VerifyError: if it cannot be written; names the file, the reason and the remedy.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content, durable=True)
    except OSError as error:
        raise VerifyError(f"{cannot_be_written(path, error)}; {remedy or remedy_of(error)}") from error


def remove_leftovers(folder: Path) -> None:
    """Delete what a process that was killed while writing left in a folder or below."""
    for path in folder.rglob(f"{PREFIX}*"):
        path.unlink(missing_ok=True)


def cannot_be_written(path: Path, error: OSError) -> str:
    """That a file or folder cannot be written, and why: "run.toml: cannot be written: Permission denied"."""
    return f"{path}: cannot be written: {error.strerror or error}"


def remedy_of(error: OSError) -> str:
    """What to do where a run cannot write."""
    first = "make room" if is_full(error) else "see to it that the folder can be written"
    return f"{first}, then resume the run"


def is_full(error: OSError) -> bool:
    """Whether there is no room for a file: on the disk, in the quota of the user, or below the limit of a file's size."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def layer_file_name(layer: str) -> str:
    """The name of a layer's JSON file: any file system takes it, and no other layer has it."""
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", layer)[:80]
    return f"{readable}-{hashlib.sha256(layer.encode()).hexdigest()[:8]}.json"
