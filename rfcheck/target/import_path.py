"""By which name, and from which folders, Python files and what they import are imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from itertools import takewhile
from pathlib import Path


def importable_as(path: Path) -> tuple[Path, str]:
    """The folder to import a file from, and its dotted name there; a file in a package keeps that of the package."""
    path = path.resolve()
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def hidden_packages(names: Iterable[str], path: Path) -> frozenset[str]:
    """Those among top-level packages in whose place a file imports a module of the user's, which is found before the environment's.

    The import path counts as it is before the file runs.

    Args:
        names: of packages that the file imports.
        path: of the file.
    """
    library = os.path.dirname(os.path.realpath(os.__file__))  # noqa: PTH120
    folders = [str(importable_as(path)[0]), *takewhile(lambda entry: os.path.realpath(entry) != library, sys.path)]
    return frozenset(name for name in names if name not in sys.builtin_module_names and PathFinder.find_spec(name, folders))
