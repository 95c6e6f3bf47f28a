"""The table of what images can come from, and how to load what a text like ``folder:PATH`` stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.errors import DataError
from rfcheck.suggestions import did_you_mean
from rfcheck.verify.data import archives, digits, factory, folder
from rfcheck.verify.data.usable import require_usable
from rfcheck.verify.progress import SILENT, Progress

if TYPE_CHECKING:
    from rfcheck.verify.data.images import Dataset


@dataclass(frozen=True, slots=True)
class Source:
    """Where images come from.

    Attributes:
        takes_path: whether something follows the colon.
        check: raises DataError where loading cannot succeed, without reading images; takes what follows the colon, and whether
            missing files may be downloaded.
        load: the images, or DataError; takes the same, and whom to tell of the progress.
    """

    takes_path: bool
    check: Callable[[str, bool], None]
    load: Callable[[str, bool, Progress], Dataset]


SOURCES: dict[str, Source] = {
    "digits": Source(False, digits.check, digits.load),
    "folder": Source(True, folder.check, folder.load),
    **{name: Source(True, partial(archives.check, name), partial(archives.load, name)) for name in archives.ARCHIVES},
}
"""Sources by the word before the colon; any other word is that of a module or file with a factory."""

_FACTORY = Source(True, factory.check, factory.load)


def require_possible(spec: str, *, download: bool = False) -> None:
    """Check what can be known without reading images: that the spelling is right and the files are there.

    Args:
        spec: "digits", "folder:PATH", "cifar10:PATH", "package.module:function" and so on.
        download: whether missing files may be downloaded.

    Raises:
        DataError: if loading cannot succeed.
    """
    source, place = _resolved(spec)
    source.check(place, download)


def load_dataset(spec: str, *, download: bool = False, progress: Progress = SILENT) -> Dataset:
    """The images that a text stands for.

    Args:
        spec: "digits", "folder:PATH", "cifar10:PATH", "package.module:function" and so on.
        download: whether missing files may be downloaded.
        progress: is told how many images are read.

    Raises:
        DataError: if they cannot be found or read, or cannot be learned from.
    """
    source, place = _resolved(spec)
    dataset = source.load(place, download, progress)
    require_usable(dataset)
    return dataset


def _resolved(spec: str) -> tuple[Source, str]:
    word, colon, place = spec.partition(":")
    source = SOURCES.get(word)
    if source is None:
        if not factory.is_factory(spec):
            raise DataError(f"{spec!r} is not a source of images; {_meant(spec, word)}")
        return _FACTORY, spec
    if source.takes_path and not place:
        raise DataError(f"{spec!r} does not say where the images are; write {word}:PATH")
    if colon and not source.takes_path:
        raise DataError(f"{spec!r}: the images of {word} come with a package and have no path; write {word}")
    return source, place


def _meant(spec: str, word: str) -> str:
    if spec and Path(spec).expanduser().is_dir():
        return f"did you mean folder:{spec}?"
    forms = ", ".join(f"{name}:PATH" if source.takes_path else name for name, source in SOURCES.items())
    return did_you_mean(word, SOURCES, f"give {forms}, module:factory or file.py:factory")
