"""A project whose results are kept, and what its folder of results holds."""

from __future__ import annotations

from pathlib import Path

from rfcheck.cache.store import FOLDER, Store
from tests.cache.results import SMALL

NAME = "0123abcd" * 8
OTHER = "4567ef00" * 8


def keep(project: Path, results=(SMALL,), name: str = NAME) -> Path:
    """Keep results that depend on all of the project; returns the entry."""
    files = [project / "model.py", project / "config.yaml", project / "parts" / "blocks.py", project / "missing.yaml"]
    Store(project).keep(name, results, files, [project, project / "parts"])
    return project / FOLDER / name


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
