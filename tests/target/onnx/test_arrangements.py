from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import numpy_helper
from torch.overrides import TorchFunctionMode

from rfcheck.target.onnx.call import NotCoveredError
from tests.target.programs import assert_agrees, call

RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


X = floats(2, 3, 4, 5)


@pytest.mark.parametrize("settings", [{}, {"start": 1}, {"start": -3, "end": -1}, {"end": 100}], ids=str)
def test_shapes(settings):
    assert_agrees("Shape", [X], **settings)


def test_sizes_of_the_image_are_known():
    image = torch.empty(1, 3, 224, 224, device="meta")
    assert call("Shape", [image]).tolist() == [1, 3, 224, 224]
    assert int(call("Size", [image])) == 3 * 224 * 224


@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"axis": 2}, {"axis": -1}, {"axis": 4}], ids=str)
def test_flattening(settings):
    assert_agrees("Flatten", [X], **settings)


def test_reshaping():
    assert_agrees("Reshape", [X, ints(0, -1, 5)])
    assert_agrees("Reshape", [X, ints(-1)])
    assert_agrees("Reshape", [np.zeros((0, 3), np.float32), ints(0, 3)], allowzero=1)
    assert tuple(call("Reshape", [X], opset=1, shape=[6, 20]).shape) == (6, 20)


@pytest.mark.parametrize(
    ("old", "new", "steps"),
    [
        ((1, 4, 8, 7, 8, 7), (1, 4, 7, 8, 7, 8), [(1, 4, 56, 56), (1, 4, 7, 8, 7, 8)]),  # windows of another size
        ((1, 8, 7), (1, 7, -1), [(1, 56), (1, 7, 8)]),
        ((1, 4, 8, 7), (1, 4, 56), [(1, 4, 56)]),
        ((64, 49, 3), (1, 8, 8, 7, 7, 3), [(1, 8, 8, 7, 7, 3)]),
        ((2, 1, 6), (2, 6, 1), [(2, 6, 1)]),
        ((0, 3), (3, 0), [(3, 0)]),
    ],
)
def test_reshapes_that_an_exporter_put_together_are_two(old, new, steps):
    class Recorder(TorchFunctionMode):
        def __torch_function__(self, function, _, arguments=(), given=None):
            if function is torch.Tensor.reshape:
                shapes.append(tuple(function(*arguments).shape))
            return function(*arguments, **(given or {}))

    shapes: list[tuple[int, ...]] = []
    x = np.arange(np.prod(old), dtype=np.float32).reshape(old)
    with Recorder():
        made = call("Reshape", [x, ints(*new)], allowzero=1)
    assert shapes == steps
    np.testing.assert_array_equal(made.numpy(), x.reshape(new))


def test_dimensions():
    assert_agrees("Transpose", [X])
    assert_agrees("Transpose", [X], perm=[0, 2, 3, 1])
    assert_agrees("Squeeze", [floats(1, 3, 1)])
    assert_agrees("Squeeze", [floats(1, 3, 1), ints(0)])
    assert_agrees("Squeeze", [floats(1, 3, 1)], opset=11, axes=[-1])
    assert_agrees("Unsqueeze", [X, ints(0, -1)])
    assert_agrees("Unsqueeze", [X], opset=11, axes=[1, 3])
    assert_agrees("Expand", [floats(3, 1), ints(2, 1, 4)])
    assert_agrees("Expand", [floats(3, 4), ints(1)])
    assert_agrees("Tile", [X, ints(1, 2, 1, 3)])


def test_joining_and_splitting():
    assert_agrees("Concat", [X, X], axis=-1)
    assert_agrees("Concat", [X, floats(2, 1, 4, 5)], axis=1)
    assert_agrees("Split", [X, ints(1, 2)], axis=1, outputs=2)
    assert_agrees("Split", [X], axis=3, outputs=2, num_outputs=2)
    assert_agrees("Split", [X], opset=11, axis=1, split=[2, 1], outputs=2)
    assert_agrees("Split", [X], opset=11, axis=2, outputs=2)


FAR = 2**63 - 1


@pytest.mark.parametrize(
    ("start", "end", "axis", "step"),
    [
        ([1], [3], [2], [1]),
        ([-3], [FAR], [3], [1]),
        ([4], [0], [3], [-1]),
        ([-1], [-FAR], [3], [-1]),
        ([-1], [-FAR], [3], [-2]),
        ([10], [-10], [3], [-2]),
        ([3], [1], [3], [-1]),
        ([0], [100], [3], [2]),
        ([1, 1], [3, -1], [2, 3], [1, 2]),
        ([3], [1], [2], [1]),
        ([0], [5], [-1], [1]),
    ],
)
def test_slices(start, end, axis, step):
    assert_agrees("Slice", [X, ints(*start), ints(*end), ints(*axis), ints(*step)])


def test_slices_in_older_files():
    assert_agrees("Slice", [X, ints(1), ints(2)])
    assert_agrees("Slice", [X], opset=9, starts=[1], ends=[3], axes=[2])


def test_choosing():
    assert_agrees("Gather", [X, np.array(1)], axis=1)
    assert_agrees("Gather", [X, np.array(-1)], axis=-1)
    assert_agrees("Gather", [X, ints(0, -1)], axis=2)
    assert_agrees("Gather", [X, np.array([[0, 1], [2, 0]])], axis=1)
    assert_agrees("GatherElements", [X, np.full((2, 3, 4, 2), -1)], axis=3)
    assert_agrees("OneHot", [np.array([1, 2]), np.array(4), np.array([0, 5], np.float32)])
    assert_agrees("OneHot", [np.array([[1, -2]]), np.array(4), np.array([0, 5], np.float32)], axis=0)
    assert_agrees("OneHot", [np.array([[1, 2]]), np.array(4), np.array([0, 5], np.float32)], axis=1)
    assert_agrees("NonZero", [np.array([[1, 0], [0, 2]], np.float32)])


def test_choosing_from_an_image_or_by_long_indices():
    image, index = torch.empty(1, 3, 8, 8, device="meta"), torch.empty(5, 2, dtype=torch.int64, device="meta")
    assert call("Gather", [image, np.array(0)], axis=1).shape == (1, 8, 8)
    assert call("Gather", [image, index], axis=2).shape == (1, 3, 5, 2, 8)
    with pytest.raises(ValueError, match="input 0 of NonZero depends on values, which a file is read without"):
        call("NonZero", [image])


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_and_space(mode):
    assert_agrees("DepthToSpace", [floats(2, 8, 3, 4)], blocksize=2, mode=mode)
    assert_agrees("SpaceToDepth", [floats(2, 3, 4, 6)], blocksize=2)


def test_triangles_and_sums():
    assert_agrees("Trilu", [floats(4, 5)])
    assert_agrees("Trilu", [floats(4, 5), np.array(1)], upper=0)
    assert_agrees("CumSum", [X, np.array(1)])


@pytest.mark.parametrize("shift", [-3, 2, 53, -53, 0])
def test_cyclic_shifts(shift):
    made = call("Roll", [floats(1, 1, 56, 2)], axis=2, shift=shift)
    assert tuple(made.shape) == (1, 1, 56, 2)
    x = torch.arange(56.0).reshape(1, 1, 56, 1)
    assert torch.equal(call("Roll", [x], axis=2, shift=shift), torch.roll(x, shift, 2))


def test_constants():
    assert_agrees("ConstantOfShape", [ints(2, 3)])
    assert_agrees("ConstantOfShape", [ints(2, 3)], value=numpy_helper.from_array(ints(5)))
    assert_agrees("Range", [np.array(1), np.array(9), np.array(2)])
    assert_agrees("Range", [np.array(0, np.float32), np.array(1, np.float32), np.array(0.25, np.float32)])
    assert call("Range", [np.array(0), np.array(10**12), np.array(1)]).is_meta
    assert_agrees("Constant", [], value_ints=[1, 2])
    assert_agrees("Constant", [], value_float=0.5)
    with pytest.raises(NotCoveredError):
        call("Constant", [], value_string="x")


def test_random_tensors_have_shapes_only():
    assert tuple(call("RandomNormal", [], shape=[2, 3]).shape) == (2, 3)
    assert tuple(call("RandomUniformLike", [X]).shape) == X.shape
    assert call("EyeLike", [floats(3, 3)]).shape == (3, 3)
