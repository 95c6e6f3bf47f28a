from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as TF

from rfcheck.verify.data.preparing import Draws, Preprocessing

PLAIN = Preprocessing((6, 8), (6, 8), 3, (0.2, 0.4, 0.6), (0.1, 0.2, 0.3), (0, 0), flips=False)
AUGMENTED = dataclasses.replace(PLAIN, padding=(2, 3), flips=True)
ON_CANVAS = dataclasses.replace(PLAIN, canvas=12, input_size=(12, 12))


def pixels(count: int = 16, channels: int = 3, size: tuple[int, int] = (6, 8)) -> torch.Tensor:
    return torch.randint(0, 256, (count, channels, *size), dtype=torch.uint8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_hand(steps: Preprocessing, image: np.ndarray, row: int, column: int, flip: bool) -> np.ndarray:
    """One image (C, h, w), pixel by pixel, before resizing; float64."""
    height, width = steps.placed_size
    result = np.zeros((image.shape[0], height, width))
    for y in range(height):
        for x in range(width):
            source_y, source_x = y + row, (width - 1 - x if flip else x) + column
            if 0 <= source_y < image.shape[1] and 0 <= source_x < image.shape[2]:
                result[:, y, x] = image[:, source_y, source_x]
    return (result / 255 - np.array(steps.mean)[:, None, None]) / np.array(steps.std)[:, None, None]


@pytest.mark.parametrize("steps", [AUGMENTED, dataclasses.replace(AUGMENTED, canvas=12, input_size=(12, 12))])
def test_training_images_pixel_by_pixel(steps):
    images = pixels()
    draws = steps.draw_training(len(images), generator())
    result = steps.apply(images, draws)
    assert len({*zip(draws.rows.tolist(), draws.columns.tolist(), draws.flips.tolist(), strict=True)}) > 8
    for position, image in enumerate(images.numpy()):
        expected = by_hand(steps, image, int(draws.rows[position]), int(draws.columns[position]), bool(draws.flips[position]))
        np.testing.assert_allclose(result[position].numpy(), expected, atol=1e-5)


def test_training_images_are_crops_of_torchvision():
    images = pixels()
    draws = AUGMENTED.draw_training(len(images), generator())
    result = AUGMENTED.apply(images, draws)
    for image, row, column, flip, ours in zip(images, draws.rows, draws.columns, draws.flips, result, strict=True):
        padded = TF.pad(image, [3, 2])
        crop = TF.crop(padded, int(row) + 2, int(column) + 3, 6, 8)
        crop = TF.horizontal_flip(crop) if flip else crop
        expected = TF.normalize(TF.to_dtype(crop, torch.float32, scale=True), list(AUGMENTED.mean), list(AUGMENTED.std))
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_every_crop_and_both_sides_come_up_equally_often():
    draws = AUGMENTED.draw_training(21000, generator())
    for values, padding in ((draws.rows, 2), (draws.columns, 3)):
        counts = torch.bincount(values + padding)
        assert len(counts) == 2 * padding + 1
        expected = 21000 / len(counts)
        assert ((counts - expected) ** 2 / expected).sum() < 22.5  # chi squared, 6 degrees of freedom, p = 0.001
    assert abs(draws.flips.double().mean() - 0.5) < 0.012


def test_every_place_on_a_canvas_comes_up_equally_often():
    draws = ON_CANVAS.draw_evaluation(21000, generator())
    for values, places in ((draws.rows, 7), (draws.columns, 5)):
        counts = torch.bincount(-values)
        assert len(counts) == places
        expected = 21000 / places
        assert ((counts - expected) ** 2 / expected).sum() < 22.5
    assert not draws.flips.any()


def test_a_canvas_shows_the_whole_image_on_black():
    images = pixels().clamp(min=1)
    result = dataclasses.replace(ON_CANVAS, mean=(0.0,) * 3, std=(1.0,) * 3).evaluation(images, generator())
    for image, placed in zip(images, (result * 255).round().to(torch.uint8), strict=True):
        rows, columns = placed[0].nonzero().amin(0).tolist()
        assert torch.equal(placed[:, rows : rows + 6, columns : columns + 8], image)
        assert placed.count_nonzero() == image.numel()


def test_the_same_generator_makes_the_same_images():
    images = pixels()
    first = AUGMENTED.training(images, generator(3))
    assert torch.equal(first, AUGMENTED.training(images, generator(3)))
    assert not torch.equal(first, AUGMENTED.training(images, generator(4)))


def test_global_random_state_stays():
    before = torch.get_rng_state()
    AUGMENTED.training(pixels_before := torch.zeros(4, 3, 6, 8, dtype=torch.uint8), generator())
    assert torch.equal(before, torch.get_rng_state())
    assert pixels_before.count_nonzero() == 0


def test_evaluation_only_normalises():
    images = pixels()
    expected = v2.Normalize(AUGMENTED.mean, AUGMENTED.std)(images.float() / 255)
    torch.testing.assert_close(AUGMENTED.evaluation(images, generator()), expected, atol=1e-5, rtol=0)


def test_without_augmentation_training_is_evaluation():
    images = pixels()
    assert torch.equal(PLAIN.training(images, generator()), PLAIN.evaluation(images, generator()))


@pytest.mark.parametrize("size", [(17, 23), (3, 4), (6, 16)])
def test_resizing_is_that_of_pillow(size):
    """Bilinear with antialiasing, after normalisation."""
    images = pixels(2)
    result = dataclasses.replace(PLAIN, input_size=size).evaluation(images, generator())
    for image, ours in zip(images, result, strict=True):
        for channel, (mean, std) in enumerate(zip(PLAIN.mean, PLAIN.std, strict=True)):
            normalised = ((image[channel].double() / 255 - mean) / std).float().numpy()
            resized = Image.fromarray(normalised).resize((size[1], size[0]), Image.Resampling.BILINEAR)
            np.testing.assert_allclose(ours[channel].numpy(), np.asarray(resized), atol=1e-4)


def test_resizing_comes_last():
    """Crops are taken of the decoded image; mirroring and shifts by whole pixels of it show after enlarging, too."""
    steps = dataclasses.replace(AUGMENTED, input_size=(12, 16))
    images = pixels()
    draws = steps.draw_training(len(images), generator())
    small = AUGMENTED.apply(images, draws)
    expected = torch.nn.functional.interpolate(small, (12, 16), mode="bilinear", align_corners=False, antialias=True)
    assert torch.equal(steps.apply(images, draws), expected)


def test_grey_images_are_repeated():
    steps = dataclasses.replace(PLAIN, mean=(0.5,), std=(0.25,))
    images = pixels(channels=1)
    result = steps.evaluation(images, generator())
    assert result.shape == (16, 3, 6, 8)
    assert result.is_contiguous()
    for channel in range(3):
        torch.testing.assert_close(result[:, channel], (images[:, 0].float() / 255 - 0.5) / 0.25, atol=1e-6, rtol=0)


def test_parts_of_draws_make_parts_of_the_batch():
    images = pixels()
    draws = AUGMENTED.draw_training(16, generator())
    assert isinstance(draws, Draws)
    whole = AUGMENTED.apply(images, draws)
    assert torch.equal(AUGMENTED.apply(images[5:11], draws[5:11]), whole[5:11])
