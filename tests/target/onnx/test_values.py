from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from rfcheck.target.onnx.values import DTYPES, filled, scalar_or_list, values, without_values


@pytest.mark.parametrize("number", [n for n, dtype in DTYPES.items() if n < 16])
def test_types_have_the_numbers_of_onnx(number):
    assert torch.from_numpy(np.zeros(1, helper.tensor_dtype_to_np_dtype(number))).dtype == DTYPES[number]


def test_shapes_without_values():
    made = without_values(TensorProto(dims=[10**6, 10**6], data_type=TensorProto.FLOAT16))
    assert (tuple(made.shape), made.dtype, made.is_meta) == ((10**6, 10**6), torch.float16, True)
    assert without_values(TensorProto(dims=[1], data_type=TensorProto.STRING)) is None


@pytest.mark.parametrize(
    "array", [np.array([1, -2], np.int64), np.array(1.5, np.float32), np.zeros((0,), np.int64), np.array([[True]])]
)
def test_values(array):
    made = values(numpy_helper.from_array(array, "t"))
    assert made.dtype == torch.from_numpy(array).dtype
    np.testing.assert_array_equal(made.numpy(), array)


def test_values_that_are_not_there():
    external = TensorProto(dims=[2], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    external.external_data.add(key="location", value="missing.bin")
    assert values(external) is None
    assert values(TensorProto(dims=[2], data_type=TensorProto.FLOAT)) is None
    assert values(onnx.numpy_helper.from_array(np.zeros(70_000, np.float32), "t")) is None
    assert values(helper.make_tensor("t", TensorProto.STRING, [1], ["a"])) is None


def test_constants_from_attributes():
    assert scalar_or_list(3).dtype == scalar_or_list([3, 4]).dtype == torch.int64
    assert scalar_or_list(3.5).dtype == scalar_or_list([0.5]).dtype == torch.float32
    assert scalar_or_list([]).shape == (0,)


def test_large_constants_hold_no_values():
    assert filled([2, 2], torch.tensor(5)).tolist() == [[5, 5], [5, 5]]
    assert filled([1000, 1000], torch.tensor(5)).is_meta
