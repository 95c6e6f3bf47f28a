"""Images in folders: ``train/`` and ``test/`` (or ``val/``), each with a folder per class."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from rfcheck.verify.data.images import Dataset, Images
    from rfcheck.verify.progress import Progress

_SUFFIXES = (".jpg", ".jpeg", ".png")

_LAYOUT = "it needs train/ and test/, each with a folder of JPEG or PNG images per class"


def check(place: str, _download: bool) -> None:
    """Raise DataError where folders are missing or empty, or the splits differ in their classes."""
    _listed(place)


def load(place: str, _download: bool, progress: Progress) -> Dataset:
    """All images of both splits; classes are numbered in the order of their names.

    Raises:
        DataError: if folders are missing or empty, or images are damaged or of different sizes.
    """
    from rfcheck.verify.data.images import Dataset
    from rfcheck.verify.data.reading import read_images

    classes, train, test = _listed(place)
    files = [path for split in (train, test) for paths in split for path in paths]
    pixels = read_images(files, progress)
    count = sum(len(paths) for paths in train)
    return Dataset(
        name=f"folder:{place}",
        classes=classes,
        train=_labelled(pixels[:count], train),
        test=_labelled(pixels[count:], test),
        flips=True,
    )


def _labelled(pixels: Tensor, files: list[list[str]]) -> Images:
    import torch

    from rfcheck.verify.data.images import Images

    counts = torch.tensor([len(paths) for paths in files])
    return Images(pixels, torch.arange(len(files)).repeat_interleave(counts))


def _listed(place: str) -> tuple[tuple[str, ...], list[list[str]], list[list[str]]]:
    """Names of the classes, and for each the paths of its training and of its test images, in the order of their names."""
    root = Path(place).expanduser()
    if not root.is_dir():
        raise DataError(f"folder:{place}: there is no folder {root}; {_LAYOUT}")
    train = _classes_in(_split(root, ("train",)))
    test_folder = _split(root, ("test", "val"))
    test = _classes_in(test_folder)
    for ours, theirs, other in ((test, train, root / "train"), (train, test, test_folder)):
        missing = sorted(set(ours) - set(theirs))
        if missing:
            raise DataError(f"{other} has no folder for the class {missing[0]!r}; both splits need the same classes")
    return tuple(train), list(train.values()), list(test.values())


def _split(root: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise DataError(f"{root} has no folder {' or '.join(f'{name}/' for name in names)}; {_LAYOUT}")


def _classes_in(split: Path) -> dict[str, list[str]]:
    """Paths of the images of each class, by its name, both sorted; hidden folders and files are none."""
    folders = _names(split, os.DirEntry.is_dir)
    if not folders:
        raise DataError(f"{split} has no folders; {_LAYOUT}")
    return {name: _images_in(split / name) for name in folders}


def _images_in(folder: Path) -> list[str]:
    images = [str(folder / name) for name in _names(folder, os.DirEntry.is_file) if name.lower().endswith(_SUFFIXES)]
    if not images:
        raise DataError(f"{folder} has no images; put JPEG or PNG files ({', '.join(_SUFFIXES)}) into it or delete the folder")
    return images


def _names(folder: Path, wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    """Names of what is in a folder and is not hidden, sorted."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if wanted(entry) and not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}; change its permissions or choose another folder") from error
