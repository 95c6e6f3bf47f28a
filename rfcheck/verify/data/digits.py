"""The handwritten digits that come with scikit-learn: 1,797 scans of 8x8 pixels."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from rfcheck.errors import DataError

if TYPE_CHECKING:
    from rfcheck.verify.data.images import Dataset
    from rfcheck.verify.progress import Progress

_LARGEST = 16
"""Value of a pixel that is all ink."""


def check(_place: str, _download: bool) -> None:
    """Raise DataError where scikit-learn is missing."""
    if importlib.util.find_spec("sklearn") is None:
        raise DataError("the digits come with scikit-learn, which is not installed; run: pip install 'rfcheck[verify]'")


def load(place: str, download: bool, _progress: Progress) -> Dataset:
    """The digits in one channel; a third of each class is the test set, the same in every run."""
    check(place, download)
    import torch
    from sklearn.datasets import load_digits

    from rfcheck.verify.data.images import Dataset, Images
    from rfcheck.verify.data.splits import stratified

    bunch = load_digits()
    pixels = torch.from_numpy(bunch.images).mul(255 / _LARGEST).round().to(torch.uint8).unsqueeze(1)
    everything = Images(pixels, torch.from_numpy(bunch.target).long())
    train, test = stratified(everything.labels, 1 / 3)
    classes = tuple(str(name) for name in bunch.target_names)
    return Dataset("digits", classes, everything.subset(train), everything.subset(test), flips=False)
