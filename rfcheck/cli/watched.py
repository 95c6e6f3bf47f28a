"""What can change the result of a check: the files that it read, and modules that it did not find."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.cache.fingerprint import digest
from rfcheck.configuration.values import target_file
from rfcheck.target.import_path import importable_as

if TYPE_CHECKING:
    from rfcheck.cli.gathering import Gathered
    from rfcheck.cli.requests import Request

_MOST_FOLDERS = 1000
_CONFIGURATIONS = ("rfcheck.toml", "pyproject.toml")

Contents = Mapping[Path, str | None]
"""Content of files in short; None for a file that is not there."""

THERE = "there"
"""Stands for the content of a file of which only counts that it is there."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What to look at.

    Attributes:
        files: their content counts, whether they exist or not.
        rule_folders: the content of the rule files in them counts.
        roots: folders from which modules are imported; modules that appear in them or below count.
        failed: whether something could not be analysed: then the content of all modules counts, as it may be what failed.
    """

    files: frozenset[Path]
    rule_folders: frozenset[Path]
    roots: frozenset[Path]
    failed: bool

    def and_all_modules(self) -> Watched:
        """The same, where something failed."""
        return replace(self, failed=True)

    def contents(self) -> Contents:
        """What counts, as it is now."""
        rules = (file for folder in self.rule_folders for file in folder.glob("*.md"))
        modules = [file for folder in python_folders(self.roots) for file in _modules_in(folder)]
        known = {file: digest(file) for file in (*self.files, *rules, *(modules if self.failed else ()))}
        return {**dict.fromkeys(modules, THERE), **known}

    def folders(self) -> list[Path]:
        """The folders in which that may change."""
        found = {file.parent for file in self.files} | self.rule_folders | {*python_folders(self.roots)}
        return sorted(folder for folder in found if folder.is_dir())


def watched_after(gathered: Sequence[Gathered]) -> Watched:
    """What to look at once a check is done."""
    requests = [one.request for one in gathered]
    read = {file.resolve() for one in gathered for file in one.files}
    return Watched(
        files=frozenset(read | {file for one in requests for file in _files_of(one)}),
        rule_folders=frozenset(Path(folder).resolve() for one in requests for folder in one.settings.rule_folders),
        roots=frozenset(root for one in requests for root in _roots_of(one)),
        failed=any(one.failures for one in gathered),
    )


def python_folders(roots: Iterable[Path]) -> list[Path]:
    """The folders from which modules may be imported: roots, and below them folders that hold Python files."""
    found = list(dict.fromkeys(roots))
    for folder in found:
        for path in _entries(folder):
            if path.name.isidentifier() and path not in found and len(found) < _MOST_FOLDERS and any(_modules_in(path)):
                found.append(path)
    return found


def _files_of(request: Request) -> Iterator[Path]:
    """Files that a request names: its target's, its baseline, and those that configure it or might."""
    file = target_file(request.target)
    places = [request.folder.resolve()]
    if file is not None:
        yield Path(file).resolve()
        places.append(Path(file).resolve().parent)
    if request.baseline is not None:
        yield request.baseline.resolve()
    for place in places:
        for name in _CONFIGURATIONS:
            yield place / name


def _roots_of(request: Request) -> Iterator[Path]:
    file = target_file(request.target)
    if file is None:
        yield Path.cwd()
    elif file.endswith(".py"):
        yield importable_as(Path(file))[0]


def _modules_in(folder: Path) -> Iterator[Path]:
    return (path for path in _entries(folder) if path.suffix == ".py")


def _entries(folder: Path) -> Iterator[Path]:
    """What is in a folder; nothing if it is none or cannot be read."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield folder / entry.name
    except OSError:
        return
