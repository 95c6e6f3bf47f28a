"""The folder where a command was called, wherever the code of a model has gone since."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_CALLED_FROM: list[str] = []


@contextmanager
def called_from_here() -> Iterator[None]:
    """Let `calling_folder` be the current folder until the block ends."""
    _CALLED_FROM.append(os.getcwd())  # noqa: PTH109
    try:
        yield
    finally:
        _CALLED_FROM.pop()


def go_to(folder: str) -> None:
    """Change to a folder, as if the command had been called there.

    Raises:
        OSError: if that is not possible.
    """
    os.chdir(folder)
    _CALLED_FROM[-1:] = [os.getcwd()] if _CALLED_FROM else []  # noqa: PTH109


def calling_folder() -> str:
    """The folder that relative paths of the command line are meant in; the current one where no command runs."""
    return _CALLED_FROM[-1] if _CALLED_FROM else os.getcwd()  # noqa: PTH109
