"""Where a verb writes: files, refused before anything is computed and written whole or not at all, and standard output."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rfcheck.calling_folder import calling_folder
from rfcheck.errors import RfcheckError, SettingsError
from rfcheck.replacing import rewrite_file

_STREAM = re.compile(r"/dev/(stdout|stderr)|(?:/dev|/proc/self)/fd/(\d+)")
_NUMBERS = {"stdout": 1, "stderr": 2}


def require_writable(path: str, option: str) -> None:
    """Refuse an output file that cannot be written before anything is computed."""
    target = Path(path)
    if target.is_dir():
        raise SettingsError(f"{option} {path}: is a folder; give a file")
    if not target.parent.is_dir():
        raise SettingsError(f"{option} {path}: the folder {target.parent} does not exist")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise SettingsError(f"{option} {path}: cannot be written; check its permissions")


def write_atomically(path: Path, content: str | bytes, option: str) -> None:
    """Write a whole file or none of it; what is not a plain file (a device, a pipe) is written to as it is.

    A name like /dev/stdout stands for what is open there already: what others wrote into it stays, a file likewise.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    place = calling_folder() / path  # wherever the model's code has gone
    number = _open_number(place)
    try:
        if number is not None:
            _write_on(number, data)
        elif place.exists() and not place.is_file():
            place.write_bytes(data)
        else:
            rewrite_file(place, data)  # a link stays a link
    except OSError as error:
        raise SettingsError(f"{option} {path}: cannot be written: {error.strerror or error}") from None


@contextmanager
def standard_output(failure: type[RfcheckError] = SettingsError, remedy: str = "") -> Iterator[None]:
    """Write what is printed within, and say where it cannot be written; a pipe that nobody reads any more passes.

    Args:
        failure: kind of the error.
        remedy: where else to find what is printed; the end of the sentence.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise failure(f"standard output cannot be written: {error.strerror or error}{remedy and f'; {remedy}'}") from None


def _open_number(path: Path) -> int | None:
    """The number of the open file of this process that a path names; None for any other path."""
    named = _STREAM.fullmatch(os.path.abspath(path))  # noqa: PTH100 - resolve would follow the name
    return None if named is None else _NUMBERS.get(named[1]) or int(named[2])


def _write_on(number: int, data: bytes) -> None:
    """Write behind what is written to an open file already; opening its name anew would begin at its beginning."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with os.fdopen(os.dup(number), "wb") as file:
        file.write(data)
