from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as TF

from rfcheck.verify.data.foreign import to_pixels

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
EXPECTED = COLOURS.transpose(2, 0, 1)


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(COLOURS),
        COLOURS,
        COLOURS / 255,
        (COLOURS / 255).astype(np.float16),
        torch.from_numpy(EXPECTED.copy()),
        TF.to_tensor(COLOURS),
        TF.to_tensor(COLOURS).bfloat16().float(),
        TF.to_tensor(COLOURS).double().requires_grad_(),
    ],
    ids=["pil", "array", "float64", "float16", "tensor", "float", "rounded", "with gradient"],
)
def test_colour_images(image, request):
    result = to_pixels(image)
    assert result.dtype == np.uint8
    assert result.shape == (3, 5, 7)
    tolerance = 1 if "rounded" in request.node.name else 0
    assert np.abs(result.astype(int) - EXPECTED).max() <= tolerance


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(COLOURS[..., 0]),
        COLOURS[..., 0],
        COLOURS[..., :1],
        torch.from_numpy(COLOURS[..., 0].copy()),
        torch.from_numpy(COLOURS[None, ..., 0].copy()),
    ],
)
def test_grey_images(image):
    assert np.array_equal(to_pixels(image), EXPECTED[:1])


def test_all_floats_that_stand_for_bytes_come_back():
    every = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    for scaled in (every.float() / 255, every.double() / 255, every.numpy()[0] / 255):
        assert np.array_equal(to_pixels(scaled), every.numpy())


def test_more_channels_than_colours():
    assert to_pixels(torch.zeros(6, 4, 5, dtype=torch.uint8)).shape == (6, 4, 5)


ADVICE = "give uint8, or floating-point numbers from 0 to 1, and leave the normalisation out, which follows later"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("cat.png", "is of the type str, not an image; give PIL images, tensors (C, H, W) or arrays (H, W, C)"),
        (torch.zeros(4), "has the shape (4,); give tensors (C, H, W) or arrays (H, W, C)"),
        (np.zeros((2, 3, 4, 4)), "has the shape (2, 3, 4, 4); give tensors (C, H, W) or arrays (H, W, C)"),
        (torch.zeros(3, 0, 4), "has the shape (3, 0, 4); give tensors (C, H, W) or arrays (H, W, C)"),
        (torch.zeros(0, 4), "has the shape (0, 4); give tensors (C, H, W) or arrays (H, W, C)"),
        (torch.zeros(3, 4, 4).long(), "has values of the type int64; give uint8, or floating-point numbers from 0 to 1"),
        (np.zeros((4, 4), bool), "has values of the type bool; give uint8, or floating-point numbers from 0 to 1"),
        (torch.tensor([[[-2.1, 2.3]]]), f"has values from -2.1 to 2.3; {ADVICE}"),
        (np.array([[0.0, 255.0]]), f"has values from 0 to 255; {ADVICE}"),
        (torch.tensor([[[0.5, float("nan")]]]), f"has values from nan to nan; {ADVICE}"),
    ],
)
def test_what_is_refused(image, said):
    with pytest.raises(ValueError, match=r"^(is|has) ") as error:
        to_pixels(image)
    assert str(error.value) == said
