"""Published data sets in their original files, read by torchvision: CIFAR and the MNIST family."""

from __future__ import annotations

import contextlib
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfcheck.errors import DataError

if TYPE_CHECKING:
    from rfcheck.verify.data.images import Dataset, Images
    from rfcheck.verify.progress import Progress


@dataclass(frozen=True, slots=True)
class Archive:
    """A data set of torchvision.

    Attributes:
        reader: its class in torchvision.datasets.
        folder: where its files are, inside of the given folder.
        flips: whether a mirrored image still is one of its class.
    """

    reader: str
    folder: str
    flips: bool


ARCHIVES: dict[str, Archive] = {
    "cifar10": Archive("CIFAR10", "cifar-10-batches-py", flips=True),
    "cifar100": Archive("CIFAR100", "cifar-100-python", flips=True),
    "mnist": Archive("MNIST", "MNIST/raw", flips=False),
    "fashion-mnist": Archive("FashionMNIST", "FashionMNIST/raw", flips=True),
}
"""Data sets by the word that stands for them."""


def check(name: str, place: str, download: bool) -> None:
    """Raise DataError where the files are not there and may not be downloaded."""
    files = Path(place).expanduser() / ARCHIVES[name].folder
    if not download and not files.is_dir():
        raise DataError(f"{name}:{place}: there is no folder {files}; give --download to download the data set")


def load(name: str, place: str, download: bool, progress: Progress) -> Dataset:
    """The data set in a folder, or downloaded into it where that is allowed and needed.

    Raises:
        DataError: if files are missing or damaged, or the download fails.
    """
    from rfcheck.verify.data.images import Dataset

    check(name, place, download)
    archive = ARCHIVES[name]
    progress.stage(f"reading {name}", 2)
    train, classes = _read(name, place, True, download)
    progress.step()
    test, _ = _read(name, place, False, download)
    progress.step()
    return Dataset(name, classes, train, test, archive.flips)


def _read(name: str, place: str, train: bool, download: bool) -> tuple[Images, tuple[str, ...]]:
    import torch
    from torchvision import datasets

    from rfcheck.verify.data.images import Images

    archive = ARCHIVES[name]
    root = Path(place).expanduser()
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer versions of numpy warn of how the files of CIFAR were pickled
            read: Any = getattr(datasets, archive.reader)(root, train=train, download=download)
    except Exception as error:  # readers raise whatever they stumble over in damaged files
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise DataError(
            f"{name}:{place}: downloading it fails ({said}); "
            "check the connection and the space on the disk, or put the files there by hand"
            if download
            else f"{name}:{place}: the files in {root / archive.folder} are incomplete or damaged ({said}); "
            "delete the folder and give --download to download the data set again"
        ) from error
    pixels = torch.as_tensor(read.data)
    pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2).contiguous()
    return Images(pixels, torch.as_tensor(read.targets, dtype=torch.int64)), tuple(read.classes)
