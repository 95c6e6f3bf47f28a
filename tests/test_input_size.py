from __future__ import annotations

import pytest
from torch import nn

from rfcheck.errors import InputSizeError
from rfcheck.input_size import AfterBatch, convolution_axes, crossed, image_axes, input_shape, input_text, parse_extents

NET_1D = nn.Sequential(nn.Conv1d(1, 2, 3))
NET_2D = nn.Sequential(nn.Conv2d(3, 2, 3))
NET_3D = nn.Sequential(nn.Conv3d(3, 2, 3))
NO_CONVOLUTION = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("model", "size", "shape"),
    [
        (NET_2D, 32, (1, 3, 32, 32)),
        (NET_2D, (32, 48), (1, 3, 32, 48)),
        (NET_2D, (1, 32, 48), (1, 1, 32, 48)),
        (NET_2D, [1, 3, 32, 48], (1, 3, 32, 48)),
        (NET_2D, (1, 3, 8, 32, 48), (1, 3, 8, 32, 48)),
        (NET_1D, 64, (1, 3, 64)),
        (NET_1D, (1, 64), (1, 1, 64)),
        (NET_1D, (1, 2, 64), (1, 2, 64)),
        (NET_3D, 16, (1, 3, 16, 16, 16)),
        (NET_3D, (8, 16, 16), (1, 3, 8, 16, 16)),
        (NET_3D, (2, 8, 16, 16), (1, 2, 8, 16, 16)),
        (NET_3D, (1, 2, 8, 16, 16), (1, 2, 8, 16, 16)),
        (NO_CONVOLUTION, 32, (1, 3, 32, 32)),
    ],
)
def test_shapes(model, size, shape):
    assert input_shape(model, size, channels=3) == shape


def test_the_first_convolution_tells_the_axes():
    assert [image_axes(m) for m in (NET_1D, NET_2D, NET_3D, NO_CONVOLUTION)] == [1, 2, 3, 2]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "input_size must be at least 1 everywhere, got 0 in 0"),
        (-3, "input_size must be at least 1 everywhere, got -3 in -3"),
        (True, "input_size must be a whole number or a tuple of them, got True"),
        (3.5, "input_size must be a whole number or a tuple of them, got 3.5"),
        ("32", "input_size must be a whole number or a tuple of them, got '32'"),
        ((32, 4.0), "input_size must hold whole numbers, got 4.0 in (32, 4.0)"),
        ((8, 3, 32, 32), "the batch size in (8, 3, 32, 32) is 8; use (1, 3, 32, 32)"),
        ((32,), "input_size (32,) does not fit a model with 2 image axes; give one number, (H, W), (C, H, W) or (1, C, H, W)"),
    ],
)
def test_wrong_sizes(size, message):
    with pytest.raises(InputSizeError) as caught:
        input_shape(NET_2D, size, channels=3)
    assert message in str(caught.value)


@pytest.mark.parametrize(("text", "extents"), [("32", (32,)), ("32x48", (32, 48)), ("3,32,48", (3, 32, 48)), ("32 X 48", (32, 48))])
def test_extents_from_text(text, extents):
    assert parse_extents(text, "--resolution") == extents


@pytest.mark.parametrize("text", ["", "abc", "-3", "3.5", "32x", "0", "32x0"])
def test_wrong_text(text):
    with pytest.raises(InputSizeError, match=r"^--resolution must be ") as caught:
        parse_extents(text, "--resolution")
    assert repr(text) in str(caught.value)


def test_crossed():
    assert crossed((3, 3)) == "3x3"
    assert crossed(()) == ""


def test_a_size_that_was_given_in_full_is_taken_as_it_is():
    assert input_shape(NET_2D, AfterBatch((3, 32)), channels=1) == (1, 3, 32)
    assert input_shape(NET_1D, AfterBatch((16000,)), channels=3) == (1, 16000)
    assert [convolution_axes(m) for m in (NET_1D, NET_2D, NET_3D, NO_CONVOLUTION)] == [1, 2, 3, None]


def test_inputs_in_words():
    assert [input_text(3, (32, 48)), input_text(0, (16000,))] == ["3x32x48", "16000"]
