"""What the shell may offer where a file or a folder is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import click


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - as click calls it
    """Files, and folders on the way to them."""
    return paths(incomplete, lambda _: True)


def folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - as click calls it
    """Folders."""
    return paths(incomplete, lambda _: False)


def paths(incomplete: str, wanted: Callable[[str], bool]) -> list[str]:
    """The wanted files and all folders that begin like a path; folders end in a slash.

    Names that begin with a dot are left out unless the path has the dot. A home folder and variables are written out.

    Args:
        incomplete: the path as far as it is known.
        wanted: whether a file of this name is offered.
    """
    before, slash, begun = os.path.expanduser(os.path.expandvars(incomplete)).rpartition("/")  # noqa: PTH111
    found = [name for name in _names(before + slash or ".", wanted) if name.startswith(begun)]
    return [f"{before}{slash}{name}" for name in found if begun.startswith(".") or not name.startswith(".")]


def _names(folder: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The names in a folder, in order; none where it cannot be read, and none that no line can hold."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (OSError, ValueError):
        return
    for entry in entries:
        if not entry.name.isprintable() or entry.name == "__pycache__":
            continue
        if _is_folder(entry):
            yield f"{entry.name}/"
        elif wanted(entry.name):
            yield entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
