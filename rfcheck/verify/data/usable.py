"""What a data set needs so that a model can learn from it and be judged by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.errors import DataError

if TYPE_CHECKING:
    from rfcheck.verify.data.images import Dataset, Images

_FEWEST = 2
"""Training images that each class needs: one to learn from and one for validation."""


def require_usable(dataset: Dataset) -> None:
    """Check sizes, labels and numbers of images.

    Raises:
        DataError: if the splits differ in the size of their images, labels have no class, or a class has too few images.
    """
    for split, images in (("training", dataset.train), ("test", dataset.test)):
        _require_labelled(dataset, split, images)
    _require_same_form(dataset)
    if len(dataset.classes) < 2:
        raise DataError(f"{dataset.name} has one class, {dataset.classes[0]!r}; telling classes apart needs at least two")
    counts = dataset.train.labels.bincount(minlength=len(dataset.classes))
    for name, count in zip(dataset.classes, counts.tolist(), strict=True):
        if count < _FEWEST:
            given = "no training image" if count == 0 else "one training image"
            raise DataError(
                f"class {name!r} of {dataset.name} has {given}; give at least {_FEWEST} of each class, "
                "one to learn from and one to validate with"
            )


def _require_labelled(dataset: Dataset, split: str, images: Images) -> None:
    if not len(images):
        raise DataError(f"the {split} set of {dataset.name} has no images; give at least {_FEWEST} of each class")
    lowest, highest, known = int(images.labels.min()), int(images.labels.max()), len(dataset.classes)
    if lowest < 0 or highest >= known:
        wrong = lowest if lowest < 0 else highest
        raise DataError(
            f"the {split} set of {dataset.name} has the label {wrong}, but its {known} classes have the labels 0 to {known - 1}; "
            "number the classes from 0 and give every class training images"
        )


def _require_same_form(dataset: Dataset) -> None:
    train, test = (tuple(images.pixels.shape[1:]) for images in (dataset.train, dataset.test))
    if train != test:
        raise DataError(
            f"the training images of {dataset.name} have the shape {train} (channels, height, width) and its test images {test}; "
            "bring them to one shape"
        )
