"""Signatures of what is kept: the cache stands in the project, where others may write; the key is the user's alone."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

_LENGTH = 32
_NAME = "cache-key"


def signing_key() -> bytes | None:
    """The user's key, made when it is first asked for; None where there is no place for one that nobody else can read or write."""
    try:
        file = _folder() / _NAME
        return _read(file) or _made(file)
    except (OSError, RuntimeError):  # Python knows no home
        return None


def signature(content: bytes, key: bytes) -> bytes:
    """What only who has the key can write below a content, as hexadecimal digits."""
    return hmac.new(key, content, hashlib.sha256).hexdigest().encode()


def is_signed(content: bytes, given: bytes, key: bytes) -> bool:
    """Whether a signature is that of a content."""
    return hmac.compare_digest(signature(content, key), given)


def _folder() -> Path:
    """The folder where rfcheck keeps what belongs to a user."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "rfcheck"
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".local" / "state") / "rfcheck"


def _read(file: Path) -> bytes | None:
    """The key in a file; None if there is none, or if it is nobody's secret."""
    try:
        state = file.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(state.st_mode) or state.st_size != _LENGTH:
        raise OSError(f"{file} is not a key")
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o077):
        raise OSError(f"{file} can be read by others")
    return file.read_bytes()


def _made(file: Path) -> bytes | None:
    """A new key, whole from the first moment that others can see it; that of another process where one was faster."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{_NAME}.{os.urandom(8).hex()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as writing:
        writing.write(os.urandom(_LENGTH))
    try:
        with suppress(FileExistsError):
            os.link(draft, file)  # fails where a file is, which moving there would replace
    finally:
        draft.unlink()
    return _read(file)
