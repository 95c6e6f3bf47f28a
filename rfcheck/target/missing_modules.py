"""Modules that the import path does not have: looked for around the file that needs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from rfcheck.span import shown_path
from rfcheck.target.import_path import folders_around, project_folder

_SEARCHED = 500
"""Folders of a project that are looked through at most for a module that nothing has."""

_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "env", "site-packages", "build", "dist"})


class FolderSearch(MetaPathFinder):
    """Finds what no other finder has in the folders around a file, and lets all imports look there from then on.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - as the import system calls it
    ) -> ModuleSpec | None:
        """A module of a folder around the file; None for parts of packages, which are where the package is."""
        if path is not None:
            return None
        for folder in map(str, folders_around(self._path)):
            spec = None if folder in sys.path else PathFinder.find_spec(fullname, [folder])
            if spec is not None and (spec.has_location or _has_code(spec)):
                sys.path.append(folder)
                return spec
        return None


def folder_with(name: str, path: Path) -> str | None:
    """A folder of a file's project, as reports show it, from which a module could be imported; None where there is none.

    Args:
        name: of the module; of a dotted name the first part counts.
        path: of the file.
    """
    project = project_folder(path) or path.resolve().parent
    waiting, seen = [project], 0
    first = name.partition(".")[0]
    while waiting and seen < _SEARCHED:
        folder = waiting.pop(0)
        seen += 1
        if (folder / f"{first}.py").is_file() or (folder / first / "__init__.py").is_file():
            return shown_path(str(folder))
        waiting += sorted(_folders_in(folder))
    return None


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir() and entry.name not in _SKIPPED and entry.name[0] != "."]
    except OSError:
        return []


def _has_code(spec: ModuleSpec) -> bool:
    """Whether a folder without ``__init__.py`` holds Python files, itself or one level below."""
    places = spec.submodule_search_locations or []
    return any(any(Path(place).glob("*.py")) or any(Path(place).glob("*/*.py")) for place in places)
