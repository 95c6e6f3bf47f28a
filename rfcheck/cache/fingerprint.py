"""What a result depends on besides the files that the target imports: settings, rules, versions."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Callable, Container, Iterator, Sequence
from functools import cache
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Any

import rfcheck
from rfcheck.cache.plain_results import to_plain
from rfcheck.config import Settings
from rfcheck.linting.rules_folder import rules_folder

_MODULES = tuple(all_suffixes())
_LARGE = 1_000_000  # bytes from which on a file is not read for its fingerprint


def fingerprint(target: str, name: str | None, size: int | tuple[int, ...], settings: Settings, *, with_fixes: bool) -> str:
    """A name for everything that decides the result of a target but the files it reads.

    Args:
        target: as given.
        name: what to call it.
        size: of the input.
        settings: of the analysis; the content of the rule folders counts.
        with_fixes: whether the result names the best fixes.
    """
    folders = [rules_folder(), *map(Path, settings.rule_folders)]
    parts: list[Any] = [target, name, type(size).__name__, size, to_plain(settings), with_fixes, os.getcwd(), _environment()]  # noqa: PTH109
    parts += [[(file.name, digest(file)) for file in sorted(folder.glob("*.md"))] for folder in folders]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def digest(file: Path) -> str | None:
    """The content of a file in short, of a large one its size and time of change; None for what is no file or cannot be read."""
    try:
        state = file.stat()
        if not stat.S_ISREG(state.st_mode):
            return None
        if state.st_size > _LARGE:
            return f"{state.st_size} bytes at {state.st_mtime_ns}"
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def digest_of_modules(folder: Path) -> str | None:
    """What can be imported from a folder in short, by its names alone; None if it cannot be read."""
    return _digest_of_names(folder, _is_importable)


def digest_of_list(folder: Path, but: Container[str] = ()) -> str | None:
    """The names in a folder in short, but some; None if it cannot be read."""
    return _digest_of_names(folder, lambda entry: entry.name not in but)


def _digest_of_names(folder: Path, counts: Callable[[os.DirEntry[str]], bool]) -> str | None:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if counts(entry))
    except OSError:
        return None
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _is_importable(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(_MODULES) or (entry.name.isidentifier() and entry.name != "__pycache__" and entry.is_dir())


@cache
def _environment() -> list[Any]:
    """Versions: of Python, of rfcheck and its code, of torch, and of whatever else is installed; and where modules come from."""
    versions = [sys.version, rfcheck.__version__, _code_of_rfcheck(), _version_of("torch")]
    return [*versions, list(_installations(sys.path)), list(sys.path)]


def _code_of_rfcheck() -> int:
    """When the code was last changed: it is, without a new version, where it is being developed."""
    return max(file.stat().st_mtime_ns for file in Path(rfcheck.__file__).parent.rglob("*.py"))


def _version_of(package: str) -> str | None:
    """Content of a package's file of versions, without importing it."""
    files = (Path(folder or ".") / package / "version.py" for folder in sys.path)
    return next((digest(file) for file in files if file.is_file()), None)


def _installations(folders: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Folders of installed packages, and when a package was last added or removed there."""
    for folder in folders:
        if folder.endswith(("site-packages", "dist-packages")) and Path(folder).is_dir():
            yield folder, Path(folder).stat().st_mtime_ns
