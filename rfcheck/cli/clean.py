"""``rfcheck clean``: remove kept results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from rfcheck.cli.help import Verb
from rfcheck.errors import SettingsError
from rfcheck.printable import printable
from rfcheck.span import shown_path


@click.command(cls=Verb, short_help="Remove the results that were kept of earlier runs.")
def clean() -> None:
    """Remove the folders .rfcheck_cache of the project, that is, of the folder with the configuration and of all below it.

    Without a configuration, those of the current folder and of all below it are removed. Links are not followed, and hidden folders
    and virtual environments are passed over. A folder of that name that rfcheck did not make stays, as do files of
    others in one that it made.
    """
    from rfcheck.cache.store import FOLDER

    project = _project()
    removed = [_remove(folder) for folder in _folders(project, FOLDER)]
    if not any(removed):
        click.echo(f"no {FOLDER} of rfcheck's in {printable(str(project))} or below")


def _remove(folder: Path) -> bool:
    """Remove the kept results of one folder, and say so; returns whether there were any.

    Raises:
        SettingsError: if they cannot be removed.
    """
    from rfcheck.cache.store import Store

    store = Store(folder)
    shown = printable(shown_path(str(store.folder)))
    try:
        if not store.clean():
            click.echo(f"left {shown}: rfcheck did not make it", err=True)
            return False
    except OSError as error:
        raise SettingsError(f"{shown}: cannot be removed: {error.strerror or error}") from None
    if store.folder.exists():
        click.echo(f"removed what rfcheck kept in {shown}")
        click.echo(f"left {shown}: it holds files that rfcheck did not write", err=True)
    else:
        click.echo(f"removed {shown}")
    return True


def _project() -> Path:
    """The folder of the configuration that holds here, else the current one."""
    from rfcheck.configuration.file import find_config

    found = find_config(Path.cwd())
    return Path.cwd() if found is None else found.folder


def _folders(project: Path, wanted: str) -> Iterator[Path]:
    """The folders from a project's on downwards that hold one of this name."""
    for place, names, _ in os.walk(project):
        if wanted in names:
            yield Path(place)
        names[:] = sorted(name for name in names if not name.startswith(".") and not _is_environment(Path(place, name)))


def _is_environment(folder: Path) -> bool:
    return folder.name in ("node_modules", "__pycache__") or (folder / "pyvenv.cfg").is_file()
