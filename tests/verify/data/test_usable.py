from __future__ import annotations

import pytest
import torch

from rfcheck.errors import DataError
from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.usable import require_usable


def images(labels: list[int], shape: tuple[int, int, int] = (1, 4, 4)) -> Images:
    return Images(torch.zeros(len(labels), *shape, dtype=torch.uint8), torch.tensor(labels, dtype=torch.int64))


def refusal(train: Images, test: Images, classes: tuple[str, ...] = ("a", "b")) -> str:
    with pytest.raises(DataError) as error:
        require_usable(Dataset("some", classes, train, test, True))
    return str(error.value)


GOOD = images([0, 0, 1, 1])


def test_what_can_be_learned_from():
    require_usable(Dataset("some", ("a", "b"), GOOD, images([1]), True))


def test_no_images():
    assert refusal(images([]), GOOD) == "the training set of some has no images; give at least 2 of each class"
    assert refusal(GOOD, images([])) == "the test set of some has no images; give at least 2 of each class"


@pytest.mark.parametrize(("labels", "wrong"), [([0, 1, 2], 2), ([-1, 0, 1], -1), ([0, 255], 255)])
def test_labels_without_a_class(labels, wrong):
    expected = f"set of some has the label {wrong}, but its 2 classes have the labels 0 to 1; number the classes from 0 and give every class training images"
    assert refusal(images(labels), GOOD) == f"the training {expected}"
    assert refusal(GOOD, images(labels)) == f"the test {expected}"


def test_too_few_images_of_a_class():
    assert refusal(images([0, 0, 1]), GOOD) == (
        "class 'b' of some has one training image; give at least 2 of each class, one to learn from and one to validate with"
    )
    assert refusal(images([1, 1]), GOOD) == (
        "class 'a' of some has no training image; give at least 2 of each class, one to learn from and one to validate with"
    )


def test_one_class():
    assert refusal(images([0, 0]), images([0]), ("a",)) == "some has one class, 'a'; telling classes apart needs at least two"


def test_different_shapes():
    assert refusal(GOOD, images([0, 1], (3, 4, 5))) == (
        "the training images of some have the shape (1, 4, 4) (channels, height, width) and its test images (3, 4, 5); "
        "bring them to one shape"
    )
