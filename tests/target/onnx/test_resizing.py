from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from rfcheck.target.onnx.call import NotCoveredError
from tests.target.programs import assert_agrees, call

X = np.random.default_rng(0).standard_normal((1, 2, 6, 6)).astype(np.float32)
POSITIONS = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
ROUNDING = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")


def scales(*factors: float) -> np.ndarray:
    return np.array((1, 1, *factors), np.float32)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("positions", POSITIONS)
def test_what_torch_computes_too_and_nothing_else(mode, positions):
    """Resizing is either exactly what the file asks for, or not covered; what exporters write is."""
    covered = set()
    for rounding, size in itertools.product(ROUNDING, (2.0, 0.5, 1.5, [9, 11])):
        given = [None, scales(size, size)] if isinstance(size, float) else [None, None, np.array([1, 2, *size], np.int64)]
        settings = {"mode": mode, "coordinate_transformation_mode": positions, "nearest_mode": rounding}
        try:
            assert_agrees("Resize", [X, *given], **settings)
        except NotCoveredError:
            continue
        covered.add((rounding, str(size)))
    if mode != "nearest":
        assert len(covered) == (0 if (mode, positions) == ("cubic", "asymmetric") else 16)
    elif positions == "asymmetric":
        assert {("floor", "2.0"), ("floor", "1.5"), ("floor", "[9, 11]"), ("round_prefer_floor", "2.0")} <= covered
    elif positions == "half_pixel":
        assert {("round_prefer_floor", "2.0"), ("round_prefer_floor", "1.5"), ("round_prefer_ceil", "2.0")} <= covered


def test_older_opsets():
    assert_agrees("Upsample", [X, scales(2, 2)], opset=9, mode="nearest")
    later = call("Resize", [X, None, scales(2, 3)], mode="linear", coordinate_transformation_mode="asymmetric")
    assert torch.equal(call("Upsample", [X, scales(2, 3)], opset=9, mode="linear"), later)
    assert tuple(call("Upsample", [X], opset=7, mode="nearest", scales=[1.0, 1.0, 2.0, 3.0]).shape) == (1, 2, 12, 18)
    assert tuple(call("Resize", [X, scales(2, 2)], opset=10, mode="nearest").shape) == (1, 2, 12, 12)


def test_linear_interpolation_from_the_first_position_on_takes_one_and_three_axes():
    settings = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
    assert_agrees("Resize", [X[:, :, 0], None, np.array([1, 1, 2.5], np.float32)], **settings)
    three = np.random.default_rng(0).standard_normal((1, 1, 3, 4, 2)).astype(np.float32)
    assert_agrees("Resize", [three, None, np.array([1, 1, 2, 1, 3], np.float32)], **settings)


def test_some_axes_only():
    assert_agrees("Resize", [X, None, np.array([2, 3], np.float32)], mode="linear", axes=[2, 3])


def test_one_and_three_axes():
    line = np.random.default_rng(0).standard_normal((1, 2, 6)).astype(np.float32)
    assert_agrees("Resize", [line, None, np.array([1, 1, 2], np.float32)], mode="linear")
    assert tuple(call("Resize", [X[None], None, np.array([1, 1, 2, 2, 2], np.float32)], mode="linear").shape) == (1, 1, 4, 12, 12)


def test_a_given_size_holds_for_one_image_size_only():
    size = [X, None, None, np.array([1, 2, 12, 12], np.int64)]
    assert tuple(call("Resize", size, mode="nearest").shape) == (1, 2, 12, 12)
    with pytest.raises(ValueError, match="^resizes to a size that may come from the image that the file was made for$"):
        call("Resize", size, mode="nearest", is_resized=True)
    assert tuple(call("Resize", [X, None, scales(2, 2)], mode="linear", is_resized=True).shape) == (1, 2, 12, 12)


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"},
        {"mode": "nearest", "coordinate_transformation_mode": "tf_crop_and_resize"},
        {"mode": "nearest", "keep_aspect_ratio_policy": "not_larger"},
    ],
)
def test_what_torch_cannot_do(settings):
    with pytest.raises(NotCoveredError):
        call("Resize", [X, None, None, np.array([1, 2, 12, 12], np.int64)], **settings)


def test_channels_are_not_resized():
    with pytest.raises(NotCoveredError):
        call("Resize", [X, None, np.array([1, 2, 1, 1], np.float32)], mode="nearest")


def test_sampling_at_positions():
    grid = np.random.default_rng(0).uniform(-0.9, 0.9, (1, 3, 5, 2)).astype(np.float32)
    assert_agrees("GridSample", [X, grid])
    with pytest.raises(NotCoveredError):
        call("GridSample", [X[None], np.zeros((1, 2, 2, 2, 3), np.float32)])
