from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from rfcheck.errors import DataError
from rfcheck.verify.data.channels import in_channels
from rfcheck.verify.data.images import Images


def images(channels: int, count: int = 2) -> Images:
    return Images(torch.randint(0, 256, (count, channels, 8, 8), dtype=torch.uint8), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize(("have", "want"), [(1, 1), (1, 3), (3, 3), (5, 5), (1, 7)])
def test_what_fits_or_can_be_repeated_stays(have, want):
    given = images(have)
    assert in_channels(given, want) is given


def test_luma_is_that_of_pillow():
    given = images(3, count=1100)
    grey = in_channels(given, 1)
    assert grey.pixels.dtype == torch.uint8
    expected = [np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L")) for image in given.pixels]
    assert np.array_equal(grey.pixels[:, 0].numpy(), np.stack(expected))


def test_luma_of_the_extremes():
    colours = torch.tensor([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=torch.uint8)
    grey = in_channels(Images(colours.view(5, 3, 1, 1), torch.zeros(5, dtype=torch.int64)), 1)
    assert grey.pixels.flatten().tolist() == [0, 255, 76, 150, 29]


@pytest.mark.parametrize(("have", "want"), [(3, 4), (4, 3), (2, 1), (4, 1)])
def test_other_channels_are_refused(have, want):
    with pytest.raises(DataError) as error:
        in_channels(images(have), want)
    assert str(error.value) == (
        f"the images have {have} channels and the model takes {want}; "
        "only grey images can be given several channels and colour images one, so use a model or images that fit"
    )
