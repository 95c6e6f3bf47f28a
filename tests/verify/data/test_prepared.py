from __future__ import annotations

import dataclasses

import pytest
import torch

from rfcheck.errors import DataError
from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.prepared import fingerprint, prepare


def dataset(channels: int = 3, size: tuple[int, int] = (8, 8), count: int = 60, flips: bool = True) -> Dataset:
    random = torch.Generator().manual_seed(1)

    def images(number: int) -> Images:
        pixels = torch.randint(0, 256, (number, channels, *size), dtype=torch.uint8, generator=random)
        return Images(pixels, torch.arange(number) % 3)

    return Dataset("noise", ("a", "b", "c"), images(count), images(30), flips)


def test_splits_and_preprocessing():
    prepared = prepare(dataset(size=(32, 40)), (3, 64, 48))
    assert (len(prepared.train), len(prepared.validation), len(prepared.test)) == (54, 6, 30)
    steps = prepared.preprocessing
    assert (steps.image_size, steps.input_size, steps.channels) == ((32, 40), (64, 48), 3)
    assert (steps.padding, steps.flips, steps.canvas) == ((4, 4), True, None)
    assert prepared.classes == ("a", "b", "c")


def test_the_test_set_stays_as_it_is():
    given = dataset()
    assert torch.equal(prepare(given, (3, 8, 8)).test.pixels, given.test.pixels)


@pytest.mark.parametrize(("extent", "padding"), [(8, 1), (9, 2), (28, 4), (32, 4), (224, 4)])
def test_crops_leave_most_of_small_images(extent, padding):
    assert prepare(dataset(size=(extent, 32), count=6), (3, 32, 32)).preprocessing.padding == (padding, 4)


def test_no_augmentation():
    steps = prepare(dataset(), (3, 8, 8), augment=False).preprocessing
    assert (steps.padding, steps.flips) == ((0, 0), False)


def test_images_that_may_not_be_mirrored():
    steps = prepare(dataset(flips=False), (3, 8, 8)).preprocessing
    assert (steps.padding, steps.flips) == ((1, 1), False)


def test_channel_statistics_are_those_of_the_training_images():
    prepared = prepare(dataset(count=9000), (3, 8, 8))
    values = prepared.train.pixels.double().numpy() / 255
    assert prepared.preprocessing.mean == pytest.approx(values.mean((0, 2, 3)), rel=1e-12)
    assert prepared.preprocessing.std == pytest.approx(values.std((0, 2, 3)), rel=1e-12)


def test_channel_statistics_count_the_black_of_a_canvas():
    prepared = prepare(dataset(size=(6, 8)), (3, 20, 20), canvas=20, augment=False)
    steps = dataclasses.replace(prepared.preprocessing, mean=(0.0,) * 3, std=(1.0,) * 3)
    placed = steps.training(prepared.train.pixels, torch.Generator()).double().numpy()
    assert prepared.preprocessing.mean == pytest.approx(placed.mean((0, 2, 3)), rel=1e-6)
    assert prepared.preprocessing.std == pytest.approx(placed.std((0, 2, 3)), rel=1e-6)


def test_a_channel_that_is_the_same_everywhere_becomes_zero():
    given = dataset()
    given.train.pixels[:, 1] = 7
    prepared = prepare(given, (3, 8, 8), augment=False)
    assert prepared.preprocessing.std[1] == 1.0
    result = prepared.preprocessing.training(prepared.train.pixels, torch.Generator())
    assert result[:, 1].abs().max() < 1e-6


def test_colour_images_for_a_grey_model():
    prepared = prepare(dataset(), (1, 8, 8))
    assert {images.channels for images in (prepared.train, prepared.validation, prepared.test)} == {1}
    assert len(prepared.preprocessing.mean) == 1


def test_grey_images_for_a_colour_model():
    prepared = prepare(dataset(channels=1), (3, 8, 8))
    assert prepared.preprocessing.evaluation(prepared.test.pixels, torch.Generator()).shape == (30, 3, 8, 8)


@pytest.mark.parametrize("input_size", [(3, 32), (1, 16, 32, 32), (32,)])
def test_only_images(input_size):
    with pytest.raises(DataError) as error:
        prepare(dataset(), input_size)
    assert str(error.value) == (
        f"the input size {input_size} is not that of an image; verify takes models whose input has channels, height and width"
    )


def test_a_canvas_that_is_too_small():
    with pytest.raises(DataError) as error:
        prepare(dataset(size=(8, 12)), (3, 32, 32), canvas=11)
    assert str(error.value) == (
        "a canvas of 11x11 pixels cannot hold the images of noise, which have 8x12; give --canvas 12 or more"
    )


def test_a_canvas_that_just_fits():
    prepared = prepare(dataset(size=(8, 12)), (3, 12, 12), canvas=12)
    draws = prepared.preprocessing.draw_evaluation(50, torch.Generator().manual_seed(0))
    assert set(draws.columns.tolist()) == {0}
    assert set(draws.rows.tolist()) == {0, -1, -2, -3, -4}


def test_the_fingerprint_knows_pixels_labels_names_splits_and_shapes():
    given = dataset()
    moved = Images(given.train.pixels.reshape(60, 3, 4, 16), given.train.labels)
    brighter = Images(given.test.pixels.clone(), given.test.labels)
    brighter.pixels[-1, -1, -1, -1] ^= 1
    relabelled = Images(given.train.pixels, given.train.labels.roll(1))
    variants = [
        given,
        dataclasses.replace(given, classes=("a", "b", "d")),
        dataclasses.replace(given, train=moved),
        dataclasses.replace(given, test=brighter),
        dataclasses.replace(given, train=relabelled),
        dataclasses.replace(given, train=given.test, test=given.train),
    ]
    assert len({fingerprint(variant) for variant in variants}) == len(variants)
    assert fingerprint(given) == fingerprint(dataset()) == prepare(given, (1, 16, 16), canvas=16).fingerprint
    assert len(fingerprint(given)) == 64


def test_the_fingerprint_is_the_published_hash():
    """Of the bytes in the order that the documentation gives, by hand."""
    import hashlib

    given = dataset(count=6)
    content = b"('a', 'b', 'c')"
    for images in (given.train, given.test):
        content += str(tuple(images.pixels.shape)).encode() + images.pixels.numpy().tobytes() + images.labels.numpy().tobytes()
    assert fingerprint(given) == hashlib.sha256(content).hexdigest()


def test_moving_to_a_device():
    prepared = prepare(dataset(), (3, 8, 8)).to("meta")
    assert {images.pixels.device.type for images in (prepared.train, prepared.validation, prepared.test)} == {"meta"}
    assert prepared.device == torch.device("meta")
