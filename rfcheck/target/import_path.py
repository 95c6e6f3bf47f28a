"""By which name, and from which folders, Python files and what they import are imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from itertools import takewhile
from pathlib import Path

_OF_A_PROJECT = (".git", "pyproject.toml", "setup.cfg", "setup.py")
"""What lies in the outermost folder of a project."""

_PARENTS = 4
"""How far up modules are looked for where nothing tells the outermost folder of a project."""

_INIT = "__init__"


def importable_as(path: Path, levels: int = 0) -> tuple[Path, str]:
    """The folder to import a file from, and its dotted name there; a file in a package keeps that of the package.

    Args:
        path: of the file.
        levels: how many packages the file lies in at least, by its relative imports: folders without ``__init__.py`` count where
            those with one are too few.
    """
    root, parts = import_parts(path, levels)
    return root, ".".join(parts)


def import_parts(path: Path, levels: int = 0) -> tuple[Path, tuple[str, ...]]:
    """`importable_as`, with the name in its parts: those of files and folders may hold dots."""
    path = path.resolve()
    is_package = path.stem == _INIT
    parts = [] if is_package else [path.stem]
    folder = path.parent
    while folder.name and ((folder / f"{_INIT}.py").exists() or len(parts) < levels + (not is_package)):
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, tuple(parts or [path.stem])


def project_folder(path: Path) -> Path | None:
    """The nearest folder around a file that looks like the outermost one of a project; None where none does."""
    return next((folder for folder in path.resolve().parents if any((folder / name).exists() for name in _OF_A_PROJECT)), None)


def project_folders(path: Path) -> list[str]:
    """Folders that modules of a file's project are imported from, as Python and pytest do: the current one, and the project's."""
    project = project_folder(path)
    folders = [Path.cwd(), *([] if project is None else [project, project / "src"])]
    return [str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()]


def folders_around(path: Path) -> Iterator[Path]:
    """The folder of a file and those around it, the project's the last, each with its "src"."""
    project = project_folder(path)
    for number, folder in enumerate(path.resolve().parents):
        if project is None and (number > _PARENTS or folder in (Path.home(), Path(folder.anchor))):
            return
        yield folder
        if (folder / "src").is_dir():
            yield folder / "src"
        if folder == project:
            return


def path_with(first: Iterable[str], later: Iterable[str]) -> list[str]:
    """The import path with other folders.

    Args:
        first: folders to look into before all others.
        later: folders to look into before installed packages, but behind the standard library.
    """
    first = list(dict.fromkeys(first))
    rest = [entry for entry in sys.path if entry not in first]
    at = next((at for at, entry in enumerate(rest) if entry.endswith(("site-packages", "dist-packages"))), len(rest))
    return [*first, *rest[:at], *(folder for folder in dict.fromkeys(later) if folder not in (*first, *rest)), *rest[at:]]


def hidden_packages(names: Iterable[str], path: Path) -> frozenset[str]:
    """Those among top-level packages in whose place a file imports a module of the user's, which is found before the environment's.

    The import path counts as it is before the file runs.

    Args:
        names: of packages that the file imports.
        path: of the file.
    """
    library = os.path.dirname(os.path.realpath(os.__file__))  # noqa: PTH120
    folders = [str(importable_as(path)[0]), *takewhile(lambda entry: os.path.realpath(entry) != library, sys.path)]
    later = project_folders(path)
    return frozenset(
        name
        for name in names
        if name not in sys.builtin_module_names
        and PathFinder.find_spec(name, folders if name in sys.stdlib_module_names else [*folders, *later])
    )
