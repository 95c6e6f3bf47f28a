"""What a target reads while it is built and analysed: modules, data, folders that it lists, and those that it is imported from."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from rfcheck.frames import environment_folders, is_users_file, resolved

_IMPORT = "<frozen importlib._bootstrap_external>"
_DEVICES = ("/dev/", "/proc/", "/sys/")
_WRITING = os.O_WRONLY | os.O_TRUNC | os.O_EXCL

CLOCK_LAG = 20_000_000
"""Nanoseconds by which the time noted for a file may lie before its change: file systems read a clock that moves in ticks."""


class _State(NamedTuple):
    """What tells that a file is another or holds something else: when it was written, when it was moved there, size, identity."""

    modified: int
    moved: int
    size: int
    number: int


class Reading:
    """Takes note of the files that Python code opens for reading inside its blocks, and of the folders that it lists.

    What is opened in one block counts in all later ones: a module that is imported once reads its data once. Files that were not
    there count too. Not noticed is what compiled code or another process opens, and which files are merely looked for (their names,
    sizes, kinds, where links lead); environment variables do not count either.

    Attributes:
        opened: every file, those of the environment included.
        listed: every folder whose names code of the user's asked for, be it through a library.
        is_complete: whether it is known which files were opened: a relative name may belong to a folder that Python does not tell.
    """

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.listed: set[str] = set()
        self.is_complete = True
        self._states: dict[str, _State | None] = {}
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

    def folders(self) -> list[Path]:
        """What was listed outside the environment."""
        return [Path(folder) for folder in sorted(self.listed) if _is_projects(f"{folder}{os.sep}")]

    def is_up_to_date(self, files: Iterable[Path]) -> bool:
        """Whether files are as they were when they were read: when they were opened first, or else when the first block began."""
        began = self._began
        return began is not None and self.is_complete and all(self._is_as_read(str(file), began) for file in files)

    def _is_as_read(self, file: str, began: int) -> bool:
        now = _state_of(file)
        if file in self._states:
            return now == self._states[file]
        return now is None or max(now.modified, now.moved) < began - CLOCK_LAG

    def _note_opened(self, file: str, *, is_certain: bool = True) -> None:
        self.is_complete = self.is_complete and (is_certain or os.path.exists(file))  # noqa: PTH110
        self.opened.add(file)
        if not file.startswith(environment_folders()):
            source = str(Path(_source(file)))
            self._states.setdefault(source, _state_of(source))


def import_folders(files: Iterable[Path]) -> list[Path]:
    """Folders in which a new module could take the place of one that was found, or of one that was not.

    Args:
        files: that were read.
    """
    beside = {str(file.parent) for file in files if file.suffix == ".py"}
    searched = {os.path.abspath(folder) for folder in sys.path}  # noqa: PTH100
    return [Path(folder) for folder in sorted(beside | searched) if _is_projects(f"{folder}{os.sep}")]


_NOTING: list[Reading] = []


@cache
def _listen() -> None:
    """Let Python say what is opened; it does not take such a hook back, so there is one, which mostly does nothing."""
    environment_folders()  # found before the hook needs them, as the search reads folders itself
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _NOTING or event not in ("open", "os.listdir", "os.scandir"):
        return
    path = _opened(*arguments) if event == "open" else _listed(arguments[0], sys._getframe(1))
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    name = os.fsdecode(path)
    place = name if os.path.isabs(name) else os.path.abspath(name)  # noqa: PTH100, PTH117
    for reading in _NOTING:
        if event == "open":
            reading._note_opened(place, is_certain=arguments[1] is not None or os.path.isabs(name))  # noqa: PTH117 - by os.open
        else:
            reading.listed.add(place)


def _opened(path: object, mode: object, flags: object) -> object:  # noqa: ARG001 - as the event comes
    """What is opened for reading; None for what is opened to write."""
    return None if isinstance(flags, int) and flags & _WRITING else path


def _listed(path: object, frame: FrameType | None) -> object:
    """What is listed for code of the user's; None where Python looks for a module, or a library lists what it needs itself."""
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        if is_users_file(frame.f_code.co_filename):
            return "." if path is None else path
        frame = frame.f_back
    return None


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
    return _is_projects(file)


def _is_projects(path: str) -> bool:
    """Whether a file, or a folder with a separator behind it, is neither part of the environment nor one of the devices."""
    return not path.startswith(_DEVICES) and not resolved(path).startswith(environment_folders())


def _state_of(file: str) -> _State | None:
    """The state of a file; None if it is not there."""
    try:
        state = os.stat(file)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return _State(state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
