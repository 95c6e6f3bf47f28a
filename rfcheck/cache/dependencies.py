"""What a target reads while it is built and analysed: modules that it imports, data that it opens, folders it is imported from."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from rfcheck.frames import environment_folders, is_users_file, resolved

_DEVICES = ("/dev/", "/proc/", "/sys/")
_WRITING = os.O_WRONLY | os.O_TRUNC | os.O_EXCL


class Reading:
    """Takes note of the files that Python code opens for reading inside its blocks.

    What is opened in one block counts in all later ones: a module that is imported once reads its data once. Files that were not
    there count too. Not noticed is what compiled code or another process opens, and which files are merely looked for; environment
    variables do not count either.

    Attributes:
        opened: every file, those of the environment included.
    """

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self._began: int | None = None

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Take note of what is opened inside the block."""
        _listen()
        self._began = self._began or time.time_ns()
        _NOTING.append(self)
        try:
            yield
        finally:
            _NOTING.remove(self)

    def files(self) -> list[Path]:
        """What was opened, and all modules outside the environment that are imported by now."""
        modules = map(_file_of, list(sys.modules.values()))
        imported = {file for file in modules if isinstance(file, str) and os.path.isabs(file)}  # noqa: PTH117
        return [Path(file) for file in sorted(imported | set(map(_source, self.opened))) if _counts(file)]

    def is_up_to_date(self, files: Iterable[Path]) -> bool:
        """Whether files are as they were when the first block began, so that what was read is what they hold."""
        return self._began is not None and all(_changed_at(file) < self._began for file in files)


def import_folders(files: Iterable[Path]) -> list[Path]:
    """Folders in which a new module could take the place of one that was found, or of one that was not.

    Args:
        files: that were read.
    """
    beside = {str(file.parent) for file in files if file.suffix == ".py"}
    searched = {os.path.abspath(folder) for folder in sys.path}  # noqa: PTH100
    return [
        Path(folder) for folder in sorted(beside | searched) if not resolved(f"{folder}{os.sep}").startswith(environment_folders())
    ]


_NOTING: list[Reading] = []


@cache
def _listen() -> None:
    """Let Python say what is opened; it does not take such a hook back, so there is one, which mostly does nothing."""
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _NOTING:
        return
    path, _, flags = arguments
    if not isinstance(path, (str, bytes, os.PathLike)) or (isinstance(flags, int) and flags & _WRITING):
        return
    file = os.fsdecode(path)
    for reading in _NOTING:
        reading.opened.add(file if os.path.isabs(file) else os.path.abspath(file))  # noqa: PTH100, PTH117


def _file_of(module: object) -> object:
    """The file of a module as it is noted there; modules that are loaded when they are first used stay as they are."""
    return object.__getattribute__(module, "__dict__").get("__file__") if isinstance(module, ModuleType) else None


def _source(file: str) -> str:
    """The source of compiled code; any other file as it is."""
    if file.endswith(".pyc"):
        with contextlib.suppress(ValueError, NotImplementedError):
            return importlib.util.source_from_cache(file)
    return file


def _counts(file: str) -> bool:
    if file.endswith(".py"):
        return is_users_file(file)
    return not file.startswith(_DEVICES) and not resolved(file).startswith(environment_folders())


def _changed_at(file: Path) -> int:
    try:
        state = file.stat()
    except OSError:
        return 0
    return max(state.st_mtime_ns, state.st_ctime_ns)
